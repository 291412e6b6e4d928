"""Features of the encoders that packages ship, for a FID and a KID that need no download."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from colorization.config import ConfigError
from colorization.metric.base import Absent
from colorization.model.encoder import Normalisation, Pretrained

SIDE = 224  # pixels at which ImageNet has taught it


@dataclass(frozen=True)
class Encoder:
    """The last features of an encoder of timm's, averaged over the picture.

    Args:
        encoder: its name.
        weights: as in `model.encoder.Pretrained`.
    """

    encoder: str = "tf_efficientnet_lite0"
    weights: str = "package"

    @torch.no_grad()
    def __call__(self, rgb: Tensor) -> Tensor:
        """SRGB (B, 3, H, W) 0..1, brought to 224 x 224 by an antialiased filter -> (B, D). Raises Absent."""
        with torch.autocast(rgb.device.type, enabled=False):
            x = interpolate(rgb.float(), size=(SIDE, SIDE), mode="bilinear", antialias=True)
            features: Tensor = _features(self).to(rgb.device)(x)
            return features.cpu()


class Features(nn.Module):
    """SRGB (B, 3, H, W) 0..1 -> the mean over positions of an encoder's last features, (B, D)."""

    def __init__(self, pretrained: Pretrained):
        super().__init__()
        self.encoder = pretrained.network()
        self.encoder.load_state_dict(pretrained.state())
        self.normalise = Normalisation(self.encoder)

    def forward(self, rgb: Tensor) -> Tensor:
        features: Tensor = self.encoder(self.normalise(rgb))[-1]
        return features.mean(dim=(2, 3))


@cache
def _features(chosen: Encoder) -> Features:
    try:
        pretrained = Pretrained(chosen.encoder, chosen.weights, "metric.extractor")
        return Features(pretrained).eval().requires_grad_(False)
    except ConfigError as error:
        raise Absent("; ".join(error.faults)) from error
