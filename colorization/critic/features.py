"""A critic that looks through an encoder which knows what pictures look like."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorization.color import lab
from colorization.critic.base import Critic
from colorization.model.aside import Aside
from colorization.model.encoder import Normalisation, Pretrained
from colorization.model.size import padded


class Features(Aside, Critic):
    """Small heads on every stage of a frozen encoder (as Sauer et al. 2021, arXiv:2111.01007, without their
    random projections): a score of each position of each stage.

    The encoder sees the picture in sRGB, at the lightness that it has. It learns nothing and belongs to no
    checkpoint and no average; its weights are read when training starts.

    Args:
        encoder: a network of timm's that gives features, by name.
        weights: "package", "hub", "none" or a file; see `model.encoder.Pretrained`.
        width: channels of each head.
    """

    def __init__(self, encoder: str = "tf_efficientnet_lite0", weights: str = "package", width: int = 64):
        pretrained = Pretrained(encoder, weights, "objective.critic")
        frozen = pretrained.network()
        super().__init__(frozen)
        self.pretrained = pretrained
        self.multiple = frozen.feature_info.reduction()[-1]
        self.heads = nn.ModuleList(_head(channels, width) for channels in frozen.feature_info.channels())
        self.normalise = Normalisation(frozen)

    def forward(self, L: Tensor, ab: Tensor) -> Tensor:
        x = padded(self.normalise(lab.merge(L, ab, "clip")), self.multiple)
        scores = [head(stage).flatten(1) for head, stage in zip(self.heads, self.frozen(x), strict=True)]
        return torch.cat(scores, dim=1)

    def start_from(self) -> None:
        self.frozen.load_state_dict(self.pretrained.state())


def _head(channels: int, width: int) -> nn.Sequential:
    first, last = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, 1, 1)
    return nn.Sequential(spectral_norm(first), nn.LeakyReLU(0.2), spectral_norm(last))
