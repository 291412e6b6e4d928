"""Floors and ceilings: colourings that nobody needs a network for, to hold every number against.

A colouring takes the true L (B, 1, H, W) and ab (B, 2, H, W) and gives those that are shown.
"""

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from colorization.objective.colours import MeanColour, of_lightness
from colorization.scorer import Colouring

GRIDS = (4, 16, 32)

# A table's rows, from the worst to the best.
NAMES = (
    "grey", "mean_ab", "mean_ab_given_L", "half_saturation", *(f"ab_{n}x{n}" for n in GRIDS), "round_trip"
)  # fmt: skip

MEAN_GAIN = "mean_gain"  # the floor of what is vivid: a run's own accurate colours times a factor


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
