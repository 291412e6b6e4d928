"""The numbers of several colourings of a picture, whatever they were drawn by."""

import torch
from torch import Tensor

from colorization.color.lab import rgb_to_lab
from colorization.metric.base import Pair
from colorization.metric.ciede2000 import ciede2000
from colorization.metric.diversity import best_of, coverage, diversity, energy_score, large_share
from colorization.metric.psnr import psnr
from colorization.objective.base import Column
from colorization.protocol import Protocol

CHOICES = (1, 2, 5, 10)  # of how many the best is told
BEST = {"psnr": psnr, "ciede2000": ciede2000}
TOLD = {
    "diversity": Column("dE00"),
    "large_share": Column(),
    "coverage": Column("", "higher"),
    "energy_score": Column("CIE", "lower"),
}


def several(drawn: Tensor, L: Tensor, truth: Tensor, protocol: Protocol) -> dict[str, Tensor]:
    """Numbers of each picture, (B,), by the names of `columns`.

    Args:
        drawn: colourings ab (n, B, 2, H, W) in CIE units.
        L: (B, 1, H, W) lightness.
        truth: (B, 3, H, W) uint8 sRGB.
        protocol: how they are shown.
    """
    pairs = [Pair(protocol.rgb(L, ab), truth / 255) for ab in drawn]
    shown, right = torch.stack([pair.predicted_lab for pair in pairs]), rgb_to_lab(truth)
    found = {}
    for name, metric in BEST.items():
        each = torch.stack([metric(pair) for pair in pairs])
        for n in choices(len(drawn)):
            found[f"{name}_best_of_{n}"] = best_of(each, n, metric.better)
    return found | {
        "diversity": diversity(shown),
        "large_share": large_share(shown),
        "coverage": coverage(shown, right),
        "energy_score": energy_score(shown, right),
    }


def columns(samples: int) -> dict[str, Column]:
    """Unit and direction of what `several` tells of so many colourings."""
    if not samples:
        return {}
    best = {
        f"{name}_best_of_{n}": Column(metric.unit, metric.better)
        for name, metric in BEST.items()
        for n in choices(samples)
    }
    return best | TOLD


def choices(samples: int) -> list[int]:
    """Of how many the best is told where so many were drawn."""
    return [n for n in CHOICES if n <= samples]
