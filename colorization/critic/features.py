"""A critic that looks through an encoder which knows what pictures look like."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.parametrizations import spectral_norm

from colorization.color import lab
from colorization.critic.base import Critic
from colorization.model.encoder import Pretrained


class Features(Critic):
    """Small heads on every stage of a frozen encoder (as Sauer et al. 2021, arXiv:2111.01007, without their
    random projections): a score of each position of each stage.

    The encoder sees the picture in sRGB, at the lightness that it has. It learns nothing and belongs to no
    checkpoint and no average; its weights are read when training starts.

    Args:
        encoder: a network of timm's that gives features, by name.
        weights: "package", "hub", "none" or a file; see `model.encoder.Pretrained`.
        width: channels of each head.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, encoder: str = "tf_efficientnet_lite0", weights: str = "package", width: int = 64):
        super().__init__()
        self.pretrained = Pretrained(encoder, weights, "objective.critic")
        frozen = self.pretrained.network().eval().requires_grad_(False)
        self.hidden = [frozen]  # in a list, and so no part of this module
        self.multiple = frozen.feature_info.reduction()[-1]
        self.heads = nn.ModuleList(_head(channels, width) for channels in frozen.feature_info.channels())
        for key in ("mean", "std"):
            value = torch.tensor(frozen.pretrained_cfg[key]).reshape(1, 3, 1, 1)
            self.register_buffer(key, value, persistent=False)

    def forward(self, L: Tensor, ab: Tensor) -> Tensor:
        x = (lab.merge(L, ab, "clip") - self.mean) / self.std
        height, width = x.shape[-2:]
        x = pad(x, (0, -width % self.multiple, 0, -height % self.multiple), mode="replicate")
        stages = self.hidden[0](x)
        return torch.cat([head(stage).flatten(1) for head, stage in zip(self.heads, stages, strict=True)], 1)

    def start_from(self) -> None:
        self.hidden[0].load_state_dict(self.pretrained.state())

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> "Features":
        """Let the encoder follow to another device."""
        self.hidden[0]._apply(fn)
        return super()._apply(fn, recurse)


def _head(channels: int, width: int) -> nn.Sequential:
    first, last = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, 1, 1)
    return nn.Sequential(spectral_norm(first), nn.LeakyReLU(0.2), spectral_norm(last))
