"""Points of colour: the user that Zhang et al. 2017 (arXiv:1705.02999) simulate, and real clicks."""

import math
from collections.abc import Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from colorization.data.batch import AB_SCALE, Batch
from colorization.hints.base import Hints
from colorization.hints.clicks import Click, clicked
from colorization.hints.paint import paint, patch_means

FEW, MANY = 1e-6, 1 - 1e-6  # uniform numbers stay off 0 and 1, whose normal quantiles are infinite


class Points(Hints):
    """Reveals the mean colour of a few small patches of each picture.

    The number of points is geometric, their places normal about the centre, their sides uniform, as in
    the authors' PyTorch code (util/util.py); once in a while everything is revealed, as in their Caffe
    layer.

    Args:
        stop: chance that the user reveals no further point; on average there are (1 - stop) / stop.
        spread: standard deviation of a point's place, as a share of the picture's side.
        largest: sides of patches are 1..largest pixels.
        everything: chance that all of a picture's colour is revealed.
        nothing: chance that no point is revealed, beside those where the user stops at once: for a model that
            is to colour by itself as well.
        most: no picture gets more points than this.
        seed: another one, other points.
    """

    channels = 3
    silent = MappingProxyType({"nothing": 1.0, "everything": 0.0})

    def __init__(
        self,
        stop: float = 0.125,
        spread: float = 0.25,
        largest: int = 9,
        everything: float = 0.01,
        nothing: float = 0.0,
        most: int = 64,
        seed: int = 0,
    ):
        if not 0 < stop <= 1:
            raise ValueError(f"stop={stop}: choose a probability above 0 (1/8 in the paper)")
        if not 0 <= everything <= 1:
            raise ValueError(f"everything={everything}: choose a probability (0.01 in the authors' code)")
        if not 0 <= nothing <= 1:
            raise ValueError(f"nothing={nothing}: choose a probability (0 in the paper)")
        if spread <= 0:
            raise ValueError(f"spread={spread}: choose a positive share of the side (0.25 in the paper)")
        if min(largest, most) < 1:
            raise ValueError(f"largest={largest}, most={most}: each must be at least 1")
        self.stop, self.spread, self.largest = stop, spread, largest
        self.everything, self.nothing, self.most, self.seed = everything, nothing, most, seed

    def reveal(self, batch: Batch) -> Tensor:
        pictures, points = self._uniform(batch, self.most)
        count = self._geometric(pictures[:, 0])
        if self.nothing:
            count = count.where(batch.given.numbers(f"nothing {self.seed}").uniform() >= self.nothing, 0)
        hints = self._revealed(batch.ab, points, count)
        everything = torch.cat([batch.ab / AB_SCALE, torch.ones_like(batch.L)], dim=1)
        chosen = (pictures[:, 1] < self.everything)[:, None, None, None]
        return torch.where(chosen, everything, hints)

    def reveal_points(self, batch: Batch, points: int) -> Tensor:
        _, drawn = self._uniform(batch, max(points, 1))
        return self._revealed(batch.ab, drawn, torch.full_like(drawn[:, 0, 0], points))

    def blank(self, L: Tensor) -> Tensor:
        return torch.zeros_like(L).repeat(1, self.channels, 1, 1)

    def clicked(self, clicks: Sequence[Click], picture: tuple[int, int], size: tuple[int, int]) -> Tensor:
        return clicked(clicks, picture, size)

    def _revealed(self, ab: Tensor, drawn: Tensor, count: Tensor) -> Tensor:
        """Uniform numbers (B, 3, points) for side, row and column -> hints (B, 3, H, W)."""
        H, W = ab.shape[-2:]
        side = (drawn[:, 0] * min(self.largest, H, W)).long() + 1
        top, left = (self._place(u, full, side) for u, full in ((drawn[:, 1], H), (drawn[:, 2], W)))
        active = torch.arange(drawn.shape[-1], device=ab.device) < count[:, None]
        return paint(patch_means(ab, top, left, side), top, left, side, active, (H, W), self.largest)

    def _place(self, uniform: Tensor, full: int, side: Tensor) -> Tensor:
        """First row (or column) of each patch, normal about the middle, inside the picture."""
        room = full - side
        place = (room + 1) / 2 + self.spread * (room + 1) * torch.special.ndtri(uniform)
        return place.clamp(min=0).minimum(room).long()

    def _geometric(self, uniform: Tensor) -> Tensor:
        """How often a coin that stops with chance `stop` lets the user go on, (B,) -> (B,)."""
        if self.stop == 1:
            return torch.zeros_like(uniform)
        return (uniform.log() / math.log(1 - self.stop)).floor()

    def _uniform(self, batch: Batch, points: int) -> tuple[Tensor, Tensor]:
        """Numbers in 0..1: two for each picture (B, 2), three for each of its points (B, 3, points).

        The first points stay the same however many there are.
        """
        chance = batch.given.numbers(f"points {self.seed}")
        drawn = chance.uniform(2 + 3 * points).clamp(FEW, MANY)
        return drawn[:, :2], drawn[:, 2:].unflatten(1, (-1, 3)).movedim(1, 2)
