"""Points of colour: the user that Zhang et al. 2017 (arXiv:1705.02999) simulate, and real clicks.

hints  (B, 3, H, W)  a / 110 and b / 110 where revealed, 0 elsewhere; 1 where revealed, 0 elsewhere
"""

import math

import torch
from torch import Tensor

from colorization.data.batch import Batch

AB_SCALE = 110.0
FEW, MANY = 1e-6, 1 - 1e-6  # uniform numbers stay off 0 and 1, whose normal quantiles are infinite


class Points:
    """Reveals the mean colour of a few small patches of each picture.

    The number of points is geometric, their places normal about the centre, their sides uniform, as in
    the authors' PyTorch code (util/util.py); once in a while everything is revealed, as in their Caffe
    layer. In validation a picture's points depend on its index alone.

    Args:
        stop: chance that the user reveals no further point; on average there are (1 - stop) / stop.
        spread: standard deviation of a point's place, as a share of the picture's side.
        largest: sides of patches are 1..largest pixels.
        everything: chance that all of a picture's colour is revealed.
        most: no picture gets more points than this.
        seed: of the validation points.
    """

    channels = 3

    def __init__(
        self,
        stop: float = 0.125,
        spread: float = 0.25,
        largest: int = 9,
        everything: float = 0.01,
        most: int = 64,
        seed: int = 0,
    ):
        if not 0 < stop <= 1:
            raise ValueError(f"stop={stop}: choose a probability above 0 (1/8 in the paper)")
        if not 0 <= everything <= 1:
            raise ValueError(f"everything={everything}: choose a probability (0.01 in the authors' code)")
        if spread <= 0:
            raise ValueError(f"spread={spread}: choose a positive share of the side (0.25 in the paper)")
        if min(largest, most) < 1:
            raise ValueError(f"largest={largest}, most={most}: each must be at least 1")
        self.stop, self.spread, self.largest = stop, spread, largest
        self.everything, self.most, self.seed = everything, most, seed

    def __call__(self, batch: Batch, train: bool) -> Batch:
        pictures, points = self._uniform(batch, train, self.most)
        count = self._geometric(pictures[:, 0])
        hints = self._revealed(batch.ab, points, count)
        everything = torch.cat([batch.ab / AB_SCALE, torch.ones_like(batch.L)], dim=1)
        chosen = (pictures[:, 1] < self.everything)[:, None, None, None]
        return batch._replace(hints=torch.where(chosen, everything, hints))

    def reveal(self, batch: Batch, points: int) -> Batch:
        """Exactly so many points in each picture; those of fewer points are among those of more."""
        _, drawn = self._uniform(batch, False, points)
        count = torch.full_like(drawn[:, 0, 0], points) if points else batch.ab.new_zeros(len(batch.ab))
        return batch._replace(hints=self._revealed(batch.ab, drawn, count))

    def blank(self, L: Tensor) -> Tensor:
        """Nothing revealed: L (B, 1, H, W) -> (B, 3, H, W)."""
        return torch.zeros_like(L).repeat(1, self.channels, 1, 1)

    def _revealed(self, ab: Tensor, drawn: Tensor, count: Tensor) -> Tensor:
        """Uniform numbers (B, 3, points) for side, row and column -> hints (B, 3, H, W)."""
        H, W = ab.shape[-2:]
        side = (drawn[:, 0] * min(self.largest, H, W)).long() + 1
        top, left = (self._place(u, full, side) for u, full in ((drawn[:, 1], H), (drawn[:, 2], W)))
        active = torch.arange(drawn.shape[-1], device=ab.device) < count[:, None]
        return paint(patch_means(ab, top, left, side), top, left, side, active, (H, W))

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

    def _uniform(self, batch: Batch, train: bool, points: int) -> tuple[Tensor, Tensor]:
        """Numbers in 0..1: two for each picture (B, 2), three for each of its points (B, 3, points).

        They are fresh in training and each picture's own in validation, where the first points stay
        the same however many there are.
        """
        shape, device = (2 + 3 * max(points, 1),), batch.ab.device
        if train:
            drawn = torch.rand(len(batch.ab), *shape, device=device)
        else:
            drawn = torch.stack([own_numbers(i, self.seed, shape) for i in batch.index.tolist()]).to(device)
        drawn = drawn.clamp(FEW, MANY)
        return drawn[:, :2], drawn[:, 2:].unflatten(1, (-1, 3)).movedim(1, 2)


def patch_means(ab: Tensor, top: Tensor, left: Tensor, side: Tensor) -> Tensor:
    """The mean colour of square patches, from one table of sums: (B, 2, H, W), (B, P) thrice -> (B, P, 2)."""
    B, _, H, W = ab.shape
    sums = torch.zeros(B, 2, H + 1, W + 1, dtype=torch.float64, device=ab.device)
    sums[..., 1:, 1:] = ab.double().cumsum(dim=-1).cumsum(dim=-2)
    sums = sums.flatten(2)

    def at(row: Tensor, column: Tensor) -> Tensor:
        place = (row * (W + 1) + column)[:, None].expand(-1, 2, -1)
        return sums.gather(2, place)

    bottom, right = top + side, left + side
    total = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left)
    return (total / side[:, None].square()).float().movedim(1, 2)


def paint(
    colour: Tensor, top: Tensor, left: Tensor, side: Tensor, active: Tensor, size: tuple[int, int]
) -> Tensor:
    """Paint patches in order, a later one over an earlier one.

    All at once: every patch writes its number into its pixels, the largest number wins, and each pixel
    then looks up the colour of its winner.

    Args:
        colour: (B, P, 2) ab.
        top: (B, P) int64, first row of each patch.
        left: (B, P) int64, first column.
        side: (B, P) int64; all patches lie inside the picture.
        active: (B, P) bool, which patches there are.
        size: (H, W).

    Returns:
        Hints (B, 3, H, W).
    """
    (B, P), (H, W) = side.shape, size
    reach = torch.arange(int(side.max()), device=side.device)
    inside = reach < side[..., None]
    covered = inside[..., :, None] & inside[..., None, :] & active[..., None, None]
    rows = (top[..., None] + reach).clamp(max=H - 1)
    columns = (left[..., None] + reach).clamp(max=W - 1)
    pixels = rows[..., :, None] * W + columns[..., None, :]
    number = torch.arange(1, P + 1, device=side.device)[:, None, None] * covered
    winner = torch.zeros(B, H * W, dtype=torch.long, device=side.device)
    winner.scatter_reduce_(1, pixels.flatten(1), number.flatten(1), reduce="amax")
    palette = torch.cat([colour.new_zeros(B, 1, 2), colour], dim=1) / AB_SCALE
    painted = palette.gather(1, winner[..., None].expand(-1, -1, 2)).movedim(2, 1)
    return torch.cat([painted, (winner > 0).to(painted)[:, None]], dim=1).unflatten(2, (H, W))


def own_numbers(index: int, seed: int, shape: tuple[int, ...]) -> Tensor:
    """Numbers uniform on 0..1 that a picture's index decides."""
    generator = torch.Generator().manual_seed((index + 1) * 1_000_003 + seed)
    return torch.rand(shape, generator=generator)
