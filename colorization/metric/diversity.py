"""Several colourings of one picture: the best of them, how they differ, and how they do as a distribution.

Colourings are Lab (n, B, 3, H, W) as they are shown; the truth is Lab (B, 3, H, W).
"""

from collections.abc import Callable
from itertools import combinations
from math import comb

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from colorization.metric.base import Better
from colorization.metric.ciede2000 import delta_e

NEAR = 5.0  # dE00 within which a pixel's truth counts as covered
CELLS = 8  # per side: a large region is an eighth of the side and more


def best_of(values: Tensor, n: int, better: Better = "higher") -> Tensor:
    """What the best of n colourings scores: (N, B) of N drawn ones -> (B,).

    The mean over all choices of n from the N, by order statistics: no luck of who was drawn first.
    """
    worst_first = values.sort(dim=0, descending=better == "lower").values
    chances = [comb(worse, n - 1) / comb(len(values), n) for worse in range(len(values))]
    return (worst_first * values.new_tensor(chances)[:, None]).sum(dim=0)


def diversity(drawn: Tensor) -> Tensor:
    """Mean CIEDE2000 between two colourings, over pairs and pixels, (B,); 0 for a single one."""
    return _over_pairs(drawn, lambda one, other: delta_e(one, other).mean(dim=(1, 2)))


def large_share(drawn: Tensor) -> Tensor:
    """How much of the difference between colourings is of large regions and not of small ones, 0..1, (B,).

    The share of their variance of ab that the means over 8 x 8 cells of the picture have: 1 where colourings
    differ by a tint, near 0 where they differ by noise; NaN where they do not differ.
    """
    ab = drawn[:, :, 1:]
    height, width = ab.shape[-2:]
    coarse = torch.stack([adaptive_avg_pool2d(one, (min(CELLS, height), min(CELLS, width))) for one in ab])
    of_cells, of_pixels = (part.var(dim=0, correction=0).mean(dim=(1, 2, 3)) for part in (coarse, ab))
    return torch.where(of_pixels > 0, of_cells / of_pixels, torch.nan)


def coverage(drawn: Tensor, truth: Tensor) -> Tensor:
    """Share of the pixels whose truth is within 5 dE00 of one of the colourings, (B,)."""
    nearest = torch.stack([delta_e(one, truth) for one in drawn]).amin(dim=0)
    return (nearest <= NEAR).float().mean(dim=(1, 2))


def energy_score(drawn: Tensor, truth: Tensor) -> Tensor:
    """The energy score (Gneiting and Raftery 2007) of colourings as a distribution of pictures, (B,) in CIE.

    E |X - y| - E |X - X'| / 2 with |.| the root mean square over the pixels of the distance in ab, estimated
    without bias from n colourings. It is proper: least, on average, for colourings that are drawn as the
    truth is, whatever model they come from. NaN for a single one.
    """
    if len(drawn) < 2:
        return torch.full_like(truth[:, 0, 0, 0], torch.nan)
    to_truth = torch.stack([apart(one, truth) for one in drawn]).mean(dim=0)
    return to_truth - _over_pairs(drawn, apart) / 2


def energy_distance(drawn: Tensor, true: Tensor) -> Tensor:
    """The energy distance (Székely and Rizzo 2013) between drawn and true colourings, (B,) in CIE.

    2 E |X - Y| - E |X - X'| - E |Y - Y'| with the distance of `energy_score`, without bias: 0, and at times
    below, where both are drawn alike. Of n and m colourings, two or more each.
    """
    across = torch.stack([apart(one, other) for one in drawn for other in true]).mean(dim=0)
    return 2 * across - _over_pairs(drawn, apart) - _over_pairs(true, apart)


def apart(one: Tensor, other: Tensor) -> Tensor:
    """Root mean square distance in ab over the pixels, (B, 3, H, W) twice -> (B,)."""
    return (one - other)[:, 1:].square().sum(dim=1).mean(dim=(1, 2)).sqrt()


def _over_pairs(drawn: Tensor, distance: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The mean of a distance over pairs of colourings, (B,); 0 where there are none."""
    pairs = [distance(one, other) for one, other in combinations(drawn, 2)]
    return torch.stack(pairs).mean(dim=0) if pairs else torch.zeros_like(drawn[0, :, 0, 0, 0])
