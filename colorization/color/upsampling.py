"""Colour that was found in a small copy of a picture, brought to the picture's size."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

RADIUS = 2  # pixels of the small copy: a window is 5 x 5
SMOOTHEST = 16.0  # variance of lightness in a window below which colour does not follow it


def guided(ab: Tensor, small: Tensor, L: Tensor) -> Tensor:
    """Enlarge ab, with edges where the picture's own lightness has them; see `Guided`.

    Args:
        ab: (B, 2, h, w) in CIE units.
        small: lightness of the small copy, (B, 1, h, w), 0..100.
        L: lightness of the picture, (B, 1, H, W).

    Returns:
        (B, 2, H, W).
    """
    return Guided(ab, small, (L.shape[-2], L.shape[-1])).rows(L, 0)


class Guided:
    """ab on its way from a small copy to a picture, of which some rows are made at a time.

    In each window of the small copy, ab is fitted as slope * lightness + offset; slope and offset vary
    smoothly, so they are enlarged instead of ab, and full-resolution lightness puts them together (the fast
    guided filter: He and Sun 2015, arXiv:1505.00996). What the fit leaves over is enlarged with the offset:
    unlike the filter, it gives ab itself back where nothing is enlarged.

    Args:
        ab: (B, 2, h, w) in CIE units.
        small: lightness of the small copy, (B, 1, h, w), 0..100.
        size: (H, W) of the picture.
    """

    def __init__(self, ab: Tensor, small: Tensor, size: tuple[int, int]):
        slope = _slope(ab, small)
        height, width = size
        self.slope, self.offset = (
            _along(x, LINES[name](x.shape[-1], width), -1)
            for x, name in ((slope, "bilinear"), (ab - slope * small, "bicubic"))
        )
        self.lines = {name: make(ab.shape[-2], height) for name, make in LINES.items()}

    def rows(self, L: Tensor, top: int) -> Tensor:
        """Ab of the rows from `top` that have lightness L (B, 1, rows, W) -> (B, 2, rows, W)."""
        taken = slice(top, top + L.shape[-2])
        slope, offset = (
            _along(x, Taps(*(part[taken] for part in self.lines[name])), -2)
            for x, name in ((self.slope, "bilinear"), (self.offset, "bicubic"))
        )
        return offset.addcmul_(slope, L.to(slope))


class Taps(NamedTuple):
    """Of each of n places along a line, which values make it up and by how much: both (n, taps)."""

    places: Tensor
    weight: Tensor


def bilinear(short: int, long: int) -> Taps:
    """As PyTorch's interpolate without antialias, edges repeated."""
    first, share = _places(short, long)
    return _held(first, torch.stack([1 - share, share], dim=1), short)


def bicubic(short: int, long: int) -> Taps:
    """As PyTorch's interpolate, the cubic convolution of Keys 1981 with its parameter at -0.75."""
    first, share = _places(short, long)
    near, far = (lambda x: ((SHARP + 2) * x - (SHARP + 3)) * x * x + 1,
                 lambda x: ((SHARP * x - 5 * SHARP) * x + 8 * SHARP) * x - 4 * SHARP)  # fmt: skip
    weights = [far(share + 1), near(share), near(1 - share), far(2 - share)]
    return _held(first - 1, torch.stack(weights, dim=1), short)


SHARP = -0.75
LINES = {"bilinear": bilinear, "bicubic": bicubic}


def _places(short: int, long: int) -> tuple[Tensor, Tensor]:
    """Where the centres of `long` pixels lie among `short`: the pixel before, and the share of the next."""
    place = (torch.arange(long, dtype=torch.float64) + 0.5) * (short / long) - 0.5
    first = place.floor()
    return first.long(), place - first


def _held(first: Tensor, weight: Tensor, short: int) -> Taps:
    index = first[:, None] + torch.arange(weight.shape[1])
    return Taps(index.clamp(0, short - 1), weight.float())


def _along(x: Tensor, taps: Taps, dim: int) -> Tensor:
    """Values at the places of `taps` along a dimension."""
    shape = [-1 if axis == dim % x.ndim else 1 for axis in range(x.ndim)]
    made: Tensor | None = None
    for index, weight in zip(taps.places.T.to(x.device), taps.weight.T.to(x), strict=True):
        part, share = x.index_select(dim, index), weight.view(shape)
        made = part.mul_(share) if made is None else made.addcmul_(part, share)
    assert made is not None
    return made


def _slope(ab: Tensor, small: Tensor) -> Tensor:
    """How ab changes with lightness, by ridge regression: the mean of the windows around each pixel."""
    variance = _mean(small * small) - _mean(small) ** 2
    covariance = _mean(small * ab) - _mean(small) * _mean(ab)
    return _mean(covariance / (variance + SMOOTHEST))


def _mean(x: Tensor) -> Tensor:
    """Over the window around each pixel."""
    return avg_pool2d(pad(x, (RADIUS,) * 4, mode="replicate"), 2 * RADIUS + 1, stride=1)
