"""Distances of ab and of its gradient."""

from torch import Tensor
from torch.nn.functional import l1_loss

from colorization.data.batch import Batch
from colorization.loss.base import Term

SCALE = 110.0  # ab units that count as 1, as most networks have them


class L1(Term):
    """Mean |d ab| over pixels and both channels, in units of 110."""

    def forward(self, ab: Tensor, batch: Batch) -> Tensor:
        return l1_loss(ab, batch.ab) / SCALE


class Gradient(Term):
    """Mean |d ab| of the differences between neighbouring pixels, in units of 110.

    Colour that bleeds over an edge has its own edge in the wrong place (the gradient difference loss of
    Mathieu et al. 2016, arXiv:1511.05440, with exponent 1 and signs kept).
    """

    def forward(self, ab: Tensor, batch: Batch) -> Tensor:
        apart = (ab - batch.ab) / SCALE
        return (apart.diff(dim=-1).abs().mean() + apart.diff(dim=-2).abs().mean()) / 2
