"""The critic of pix2pix, which judges overlapping patches."""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from colorization.config import InputError
from colorization.critic.base import Critic, scaled


class Patch(Critic):
    """PatchGAN (Isola et al. 2017, arXiv:1611.07004): a score of each 70 x 70 pixels, 8 apart.

    Convolutions of 4 x 4: `depth` of stride 2, each but the first normalised and with twice the channels of
    the one before, up to 8 times; then one of stride 1; then the scores. Weights start at N(0, 0.02).

    Args:
        width: channels of the first convolution.
        depth: halvings; 3 judges patches of 70 x 70 pixels, 2 of 34 x 34, 1 of 16 x 16.
        norm: "batch", or "none" where gradients of each picture by itself are penalised.

    Shape: (B, 1, H / 2**depth - 2, W / 2**depth - 2).
    """

    def __init__(self, width: int = 64, depth: int = 3, norm: Literal["batch", "none"] = "batch"):
        super().__init__()
        if min(width, depth) < 1:
            raise ValueError(f"width={width}, depth={depth}: each must be at least 1")
        self.least = 3 * 2**depth
        widths = [width * min(2**n, 8) for n in range(depth + 1)]
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for n, (before, after) in enumerate(pairwise(widths)):
            stride = 2 if n < depth - 1 else 1
            normed = norm == "batch"
            layers.append(nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=not normed))
            layers += [nn.BatchNorm2d(after)] if normed else []
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))
        for module in self.layers:
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def forward(self, L: Tensor, ab: Tensor) -> Tensor:
        if min(L.shape[-2:]) < self.least:
            height, width = L.shape[-2:]
            remedy = f"give data.image_size={self.least} or more, or a critic of less depth"
            raise InputError(f"{height} x {width} pixels are too few for the critic; {remedy}")
        return self.layers(scaled(L, ab))
