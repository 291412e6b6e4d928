"""One batch, as every objective sees it."""

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """Pictures split into what is given and what is to be found, in CIE units.

    Attributes:
        L: (B, 1, H, W) lightness, 0..100.
        ab: (B, 2, H, W) the true colour, about -110..110.
        index: (B,) int64, each picture's position in its split.
        hints: (B, C, H, W) what a user has revealed, or None.
    """

    L: Tensor
    ab: Tensor
    index: Tensor  # type: ignore[assignment]
    hints: Tensor | None = None
