"""Floors and ceilings: colourings that nobody needs a network for, to hold every number against.

A colouring takes the true L (B, 1, H, W) and ab (B, 2, H, W) and gives those that are shown.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from colorization.color import lab
from colorization.scorer import Colouring

PICTURES = 10_000  # of the training set, evenly spaced, are enough for its mean colours
STEP = 4  # every fourth row and column of each
GRIDS = (4, 16, 32)

# A table's rows, from the worst to the best.
NAMES = (
    "grey", "mean_ab", "mean_ab_given_L", "half_saturation", *(f"ab_{n}x{n}" for n in GRIDS), "round_trip"
)  # fmt: skip

MEAN_GAIN = "mean_gain"  # the floor of what is vivid: a run's own accurate colours times a factor


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
    chosen = np.linspace(0, len(pictures) - 1, min(len(pictures), PICTURES)).astype(int)
    total, count = torch.zeros(101, 2, dtype=torch.float64), torch.zeros(101, dtype=torch.float64)
    for start in range(0, len(chosen), 64):
        some = np.stack([pictures[i, ::STEP, ::STEP] for i in chosen[start : start + 64]])
        L, ab = lab.split(torch.from_numpy(some).movedim(-1, 1))
        level = L.round().long().clamp(0, 100).flatten()
        total.index_add_(0, level, ab.movedim(1, -1).reshape(-1, 2).double())
        count.index_add_(0, level, torch.ones_like(level, dtype=torch.float64))
    mean = total.sum(dim=0) / count.sum()
    given_L = torch.where(count[:, None] > 0, total / count[:, None].clamp(min=1), mean)
    return MeanColour(mean.float(), given_L.float())


def colourings(training: MeanColour | None) -> dict[str, Colouring]:
    """The baselines by name; those that need a training set's colours only where they are known."""
    by_name: dict[str, Colouring] = {"grey": grey}
    if training:
        by_name["mean_ab"] = lambda L, ab: (L, training.ab.to(ab)[:, None, None].expand_as(ab))
        by_name["mean_ab_given_L"] = lambda L, ab: (L, of_lightness(L, training.given_L.to(ab)))
    by_name["half_saturation"] = lambda L, ab: (L, ab / 2)
    for n in GRIDS:
        by_name[f"ab_{n}x{n}"] = partial(on_grid, side=n)
    by_name["round_trip"] = round_trip
    return by_name


def grey(L: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """No colour at all, the floor of every table."""
    return L, torch.zeros_like(ab)


def of_lightness(L: Tensor, colours: Tensor) -> Tensor:
    """Each pixel's ab from its lightness alone: (B, 1, H, W), (101, 2) -> (B, 2, H, W)."""
    return colours[L[:, 0].round().long().clamp(0, 100)].movedim(-1, 1)


def coarse(ab: Tensor, side: int) -> Tensor:
    """The true colour averaged over side x side cells of the picture and enlarged again, bilinearly."""
    height, width = ab.shape[-2:]
    cells = adaptive_avg_pool2d(ab, (min(side, height), min(side, width)))
    return interpolate(cells, size=(height, width), mode="bilinear", align_corners=False)


def on_grid(L: Tensor, ab: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """The true colour at a resolution of side x side."""
    return L, coarse(ab, side)


def round_trip(L: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """The truth through 8-bit Lab (L * 255 / 100, a + 128, b + 128), as many tools store it."""
    return (L * 2.55).round() / 2.55, ab.round().clamp(-128, 127)
