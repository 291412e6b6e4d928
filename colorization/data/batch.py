"""One batch, as every objective sees it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor

from colorization.chance import Chance

NONE: Mapping[str, Any] = MappingProxyType({})
AB_SCALE = 110.0  # ab units that points of colour have as 1


class Given(NamedTuple):
    """What a colouring is made from.

    Attributes:
        L: (B, 1, H, W) lightness, 0..100.
        hints: (B, C, H, W) what a user has revealed, or None.
        extra: what the data set has beside its pictures, such as (B,) labels, by name.
        chance: each picture's random numbers; None: those of position 0 for all.
    """

    L: Tensor
    hints: Tensor | None = None
    extra: Mapping[str, Tensor] = NONE
    chance: Chance | None = None

    def numbers(self, purpose: str) -> Chance:
        """Each picture's random numbers for a purpose of that name."""
        chance = self.chance or Chance(self.L.new_zeros(len(self.L)).long())
        return chance.stream(purpose)


class Batch(NamedTuple):
    """Pictures split into what is given and what is to be found, in CIE units.

    Attributes:
        L, hints, extra, chance: as in `Given`.
        ab: (B, 2, H, W) the true colour, about -110..110.
        index: (B,) int64, each picture's position in its split.
        picture: (B, 3, H, W) uint8 sRGB, the truth as it was read, where it is scored; else None.
    """

    L: Tensor
    ab: Tensor
    index: Tensor  # type: ignore[assignment]
    hints: Tensor | None = None
    extra: Mapping[str, Tensor] = NONE
    chance: Chance | None = None
    picture: Tensor | None = None

    @property
    def given(self) -> Given:
        """Without the truth."""
        return Given(self.L, self.hints, self.extra, self.chance or Chance(self.index))
