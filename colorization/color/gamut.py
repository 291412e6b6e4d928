"""The quantised ab plane: colour as a class, and a distribution over classes as a colour.

Q  bins        313 for Zhang et al. 2016 (arXiv:1603.08511), 529 for Zhang et al. 2017 (arXiv:1705.02999)
K  neighbours  the bins that share one pixel's soft label
ab       (B, 2, H, W)  CIE units
logits   (B, Q, H, W)  unnormalised log-probabilities
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from colorization.color import lab

STEP = 10  # ab units between bin centres

# b of the first and the last bin for each a, 313 in all: the centres of the authors' pts_in_hull.npy,
# as OpenCV prints them in samples/dnn/colorization.cpp. They contain the 261 cells that sRGB occupies.
ROWS = {
    -90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100),
    -40: (-40, 100), -30: (-50, 100), -20: (-50, 100), -10: (-60, 100), 0: (-70, 100),
    10: (-80, 90), 20: (-80, 90), 30: (-90, 90), 40: (-100, 90), 50: (-100, 80),
    60: (-110, 80), 70: (-110, 80), 80: (-110, 70), 90: (-110, 70), 100: (-90, 0),
}  # fmt: skip

# The neighbour table: cells of CELL ab units over -EXTENT..EXTENT in a and in b.
CELL = 2.5
EXTENT = 120.0


def in_gamut() -> Tensor:
    """The 313 bin centres of Zhang et al. 2016, (313, 2), ordered by a, then b."""
    return torch.tensor(
        [(a, b) for a, (low, high) in ROWS.items() for b in range(low, high + 1, STEP)], dtype=torch.float32
    )


def square() -> Tensor:
    """The 529 bin centres of Zhang et al. 2017, (529, 2): the whole square |a|, |b| <= 110, by a, then b."""
    side = torch.arange(-110.0, 111.0, STEP)
    return torch.cartesian_prod(side, side)


class Gamut(nn.Module):
    """Encodes ab as a soft label over bins and decodes distributions over bins as ab.

    Args:
        centres: (Q, 2) bin centres, ab units.
        neighbours: K, bins that share a pixel's label: 5 in the paper, 10 in the authors' code,
            1 for hard labels.
        sigma: width of the Gaussian that shares it out, ab units.
    """

    centres: Tensor
    candidates: Tensor
    closest: Tensor

    def __init__(self, centres: Tensor, neighbours: int = 5, sigma: float = 5.0):
        super().__init__()
        if not 1 <= neighbours <= len(centres):
            raise ValueError(
                f"neighbours={neighbours}: choose 1..{len(centres)} (5 in the paper, 10 in code)"
            )
        if sigma <= 0:
            raise ValueError(f"sigma={sigma} ab units: the Gaussian of the soft label needs a positive width")
        self.neighbours = neighbours
        self.sigma = sigma
        self.register_buffer("centres", centres)
        points = tuple(map(tuple, centres.tolist()))
        self.register_buffer("candidates", _candidates(points, neighbours), persistent=False)
        closest = _candidates(points, 1).clone()  # torch.jit.trace knows no tensor under two names
        self.register_buffer("closest", closest, persistent=False)

    def __len__(self) -> int:
        return len(self.centres)

    def soft_encode(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """The K nearest bins of every pixel and their shares.

        Args:
            ab: (B, 2, H, W); beyond -120..120 it counts as the border.

        Returns:
            index (B, K, H, W) int64, nearest first, and weight (B, K, H, W) float32, which sums to 1.
        """
        index, squared = self._among(self.candidates, ab, self.neighbours)
        weight = (-squared / (2 * self.sigma**2)).softmax(dim=-1)
        return index.movedim(-1, 1), weight.movedim(-1, 1)

    def nearest(self, ab: Tensor) -> Tensor:
        """The bin of every pixel: ab (B, 2, H, W) -> (B, H, W) int64."""
        return self._among(self.closest, ab, 1)[0][..., 0]

    def mode(self, logits: Tensor) -> Tensor:
        """The most probable bin's centre: logits (B, Q, H, W) -> ab (B, 2, H, W)."""
        return self.centres[logits.argmax(dim=1)].movedim(-1, 1)

    def mean(self, logits: Tensor, temperature: float = 1.0) -> Tensor:
        """The annealed mean (Zhang et al. 2016, eq. 5): the mean of p**(1/T), renormalised.

        T = 1 is the mean, T -> 0 the mode, the paper's 0.38 a compromise: vivid and still coherent.

        Shape: (B, Q, H, W) -> ab (B, 2, H, W).
        """
        if temperature <= 0:
            raise ValueError(f"temperature={temperature}: choose above 0 (1 is the mean, near 0 the mode)")
        with torch.autocast(logits.device.type, enabled=False):
            annealed = (logits.float() / temperature).softmax(dim=1)
            return (self.centres.T @ annealed.flatten(2)).unflatten(2, logits.shape[2:])

    def prior(self, pictures: np.ndarray) -> Tensor:
        """The share of each bin among all pixels of a data set, (Q,), smoothed with the label's Gaussian.

        Args:
            pictures: (N, H, W, 3) uint8 sRGB, such as a pack's memory map.
        """
        return self.smooth(self.shares(pictures))

    def shares(self, pictures: np.ndarray) -> Tensor:
        """The share of each bin among all pixels of (N, H, W, 3) uint8 sRGB, (Q,) float64, as counted.

        Every 8-bit colour is counted once and converted once, however many pixels have it.
        """
        if len(pictures) == 0:
            raise ValueError("no pictures to count colours in: the prior over bins needs at least one")
        counts = _count_colours(pictures)
        colours = np.flatnonzero(counts)
        rgb = torch.from_numpy(np.stack([colours & 255, colours >> 8 & 255, colours >> 16]).astype(np.uint8))
        bins = torch.zeros(len(self), dtype=torch.float64)
        for part in range(0, len(colours), 2**18):
            _, ab = lab.split(rgb[None, :, part : part + 2**18, None])
            nearest = self.nearest(ab.to(self.centres.device)).flatten().cpu()
            bins.index_add_(0, nearest, torch.from_numpy(counts[colours[part : part + 2**18]]).double())
        return bins / bins.sum()

    def smooth(self, shares: Tensor) -> Tensor:
        """Spread each bin's share over its surroundings with the Gaussian of the soft label, (Q,) -> (Q,)."""
        squared = torch.cdist(self.centres, self.centres).cpu().square().to(shares)
        kernel = (-squared / (2 * self.sigma**2)).softmax(dim=0)  # a column gives away what it has
        return kernel @ shares

    def _among(self, table: Tensor, ab: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The nearest bins of every pixel, nearest first, and their squared distances, (B, H, W, count).

        One gather from a table of the few bins that can be among the nearest anywhere in the pixel's
        cell, then the exact distances to those: no search and no dense target.
        """
        ab = ab.float().clamp(-EXTENT, EXTENT).movedim(1, -1)
        cell = ((ab + EXTENT) / CELL).round().long()
        side = round(2 * EXTENT / CELL) + 1
        candidates = table[cell[..., 0] * side + cell[..., 1]]
        squared = (self.centres[candidates] - ab.unsqueeze(-2)).square().sum(dim=-1)
        squared, nearest = squared.topk(count, dim=-1, largest=False)
        return candidates.gather(-1, nearest), squared


def rebalancing(prior: Tensor, uniform: float = 0.5) -> Tensor:
    """How much each bin counts in the loss, so that rare colours are learnt (Zhang et al. 2016, eq. 4).

    Args:
        prior: (Q,) smoothed shares of the bins.
        uniform: the lambda of the paper: 0.5 there; 1 turns rebalancing off.

    Returns:
        (Q,) weights proportional to 1 / ((1 - lambda) prior + lambda / Q), 1 on average over the prior.
    """
    if not 0 < uniform <= 1:
        raise ValueError(f"rebalance={uniform}: choose above 0 and at most 1 (the paper has 0.5, 1 is off)")
    weights = 1 / ((1 - uniform) * prior + uniform / len(prior))
    return weights / (prior * weights).sum()


def cross_entropy(logits: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Soft-label cross-entropy in nats per pixel, (B, Q, H, W) -> (B, H, W).

    The label is `soft_encode`'s (B, K, H, W) pair, never spread out over Q: because its weights sum
    to 1, the cross-entropy is log sum exp(logits) less the weighted mean of K gathered logits.
    """
    return _CrossEntropy.apply(logits, index, weight)


class _CrossEntropy(torch.autograd.Function):
    """With the gradient, softmax less label, made in one pass; autograd would make and add two."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, index: Tensor, weight: Tensor) -> Tensor:
        total = logits.logsumexp(dim=1, keepdim=True)
        ctx.save_for_backward(logits, total, index, weight)
        return total[:, 0] - (weight * logits.gather(1, index)).sum(dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        logits, total, index, weight = ctx.saved_tensors
        upstream = upstream[:, None]
        gradient = (logits - total).exp_().mul_(upstream)
        return gradient.scatter_add_(1, index, -weight * upstream), None, None


def _count_colours(pictures: np.ndarray) -> np.ndarray:
    """How many pixels have each 24-bit colour r + 256 g + 65536 b, (2**24,) int64."""
    counts = np.zeros(2**24, np.int64)
    at_once = max(1, 2**22 // (pictures.shape[1] * pictures.shape[2]))
    for start in range(0, len(pictures), at_once):
        pixels = pictures[start : start + at_once].reshape(-1, 3)
        wide = np.zeros((len(pixels), 8), np.uint8)  # each pixel the lowest bytes of an int64
        wide[:, :3] = pixels
        np.add.at(counts, wide.view("<i8")[:, 0], 1)
    return counts


@lru_cache(maxsize=8)
def _candidates(centres: tuple[tuple[float, float], ...], neighbours: int) -> Tensor:
    """For each cell the bins that can be among the nearest of a point in it, (cells, M) int64.

    A bin is one if its smallest distance to the cell is no more than the K-th smallest of all bins'
    largest distances. Rows are filled up with the bins next in distance, which does no harm.
    """
    points = torch.tensor(centres)
    axis = torch.arange(-EXTENT, EXTENT + CELL / 2, CELL)
    apart = (torch.cartesian_prod(axis, axis)[:, None] - points).abs()
    largest = (apart + CELL / 2).square().sum(dim=-1)
    smallest = (apart - CELL / 2).clamp(min=0).square().sum(dim=-1)
    bound = largest.kthvalue(neighbours, dim=1, keepdim=True).values
    count = int((smallest <= bound + 1e-3).sum(dim=1).max())
    return smallest.topk(count, dim=1, largest=False).indices
