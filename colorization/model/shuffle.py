"""Enlarging by pixel shuffles, as the U-Nets of DeOldify and DDColor do."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad, pixel_shuffle, relu

from colorization.model.spectral import spectral


class Block(nn.Module):
    """Features of twice the size: x (B, deep, H, W), skip (B, skip, 2 H, 2 W) -> (B, out, 2 H, 2 W).

    x becomes `wide` channels by the shuffle; `out` is as wide unless told.
    """

    def __init__(self, deep: int, skip: int, wide: int, out: int | None = None):
        super().__init__()
        out = out or wide
        self.grow = spectral(icnr(nn.Conv2d(deep, 4 * wide, 1, bias=False), 2))
        self.grown = nn.BatchNorm2d(4 * wide)
        self.skip = nn.BatchNorm2d(skip)
        nn.init.constant_(self.skip.bias, 1e-3)
        self.conv = spectral(kaiming(nn.Conv2d(wide + skip, out, 3, padding=1, bias=False)))
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = blurred(pixel_shuffle(relu(self.grown(self.grow(x))), 2))
        return self.norm(relu(self.conv(relu(torch.cat([x, self.skip(skip)], dim=1)))))


def blurred(x: Tensor) -> Tensor:
    """The mean of each pixel and its neighbours above and to the left: against the shuffle's checkerboard
    (Sugawara et al. 2018, arXiv:1806.02658).
    """
    return avg_pool2d(pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)


def kaiming(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution, its weights drawn as He et al. 2015 have it and its bias 0."""
    nn.init.kaiming_normal_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def icnr(conv: nn.Conv2d, scale: int) -> nn.Conv2d:
    """Weights under which a pixel shuffle starts as nearest-neighbour enlargement
    (Aitken et al. 2017, arXiv:1707.02937).
    """
    kaiming(conv)
    with torch.no_grad():
        conv.weight.copy_(conv.weight[:: scale**2].repeat_interleave(scale**2, dim=0))
    return conv
