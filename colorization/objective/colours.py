"""What the colours of training pictures are on average, and how far they spread."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from colorization.color import lab

PICTURES = 10_000  # of the training set, evenly spaced, are enough for its mean colours
STEP = 4  # every fourth row and column of each


class MeanColour(NamedTuple):
    """Mean colours of a training set, in CIE units.

    Attributes:
        ab: (2,) of all pixels.
        given_L: (101, 2) of the pixels of each lightness 0..100, rounded; `ab` where there are none.
    """

    ab: Tensor
    given_L: Tensor


def mean_colour(pictures: np.ndarray) -> MeanColour:
    """Count a training set's colours: (N, H, W, 3) uint8 sRGB."""
    total, count = torch.zeros(101, 2, dtype=torch.float64), torch.zeros(101, dtype=torch.float64)
    for L, ab in _pixels(pictures):
        level = L.round().long().clamp(0, 100)
        total.index_add_(0, level, ab.double())
        count.index_add_(0, level, torch.ones_like(level, dtype=torch.float64))
    mean = total.sum(dim=0) / count.sum()
    given_L = torch.where(count[:, None] > 0, total / count[:, None].clamp(min=1), mean)
    return MeanColour(mean.float(), given_L.float())


def spread(pictures: np.ndarray) -> Tensor:
    """The standard deviations of a and of b over a training set's pixels, (2,) in CIE units.

    Args:
        pictures: (N, H, W, 3) uint8 sRGB.
    """
    sums, count = torch.zeros(2, 2, dtype=torch.float64), 0
    for _, ab in _pixels(pictures):
        ab = ab.double()
        sums += torch.stack([ab.sum(dim=0), ab.square().sum(dim=0)])
        count += len(ab)
    mean, square = sums / count
    return (square - mean.square()).clamp(min=0).sqrt().float()


def of_lightness(L: Tensor, colours: Tensor) -> Tensor:
    """Each pixel's ab from its lightness alone: (B, 1, H, W), (101, 2) -> (B, 2, H, W)."""
    return colours[L[:, 0].round().long().clamp(0, 100)].movedim(-1, 1)


def _pixels(pictures: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
    """L (M,) and ab (M, 2) of some pixels of some pictures, 64 pictures at a time."""
    chosen = np.linspace(0, len(pictures) - 1, min(len(pictures), PICTURES)).astype(int)
    for start in range(0, len(chosen), 64):
        some = np.stack([pictures[i, ::STEP, ::STEP] for i in chosen[start : start + 64]])
        L, ab = lab.split(torch.from_numpy(some).movedim(-1, 1))
        yield L.flatten(), ab.movedim(1, -1).reshape(-1, 2)
