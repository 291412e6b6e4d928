"""A metric: a pure function of predictions and their truth, with its unit and its direction."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Literal, TypeVar

from torch import Tensor

from colorization.color.lab import rgb_to_lab

T = TypeVar("T")
Better = Literal["higher", "lower", "none"]


class Pair:
    """Predictions beside their truth, both sRGB (B, 3, H, W) in 0..1 on 8-bit levels.

    What several metrics want of them, such as their Lab, is computed once.
    """

    def __init__(self, predicted: Tensor, truth: Tensor):
        self.predicted, self.truth = predicted, truth
        self._known: dict[Hashable, Any] = {}

    @cached_property
    def predicted_lab(self) -> Tensor:
        """(B, 3, H, W) CIE Lab."""
        return _lab(self.predicted)

    @cached_property
    def truth_lab(self) -> Tensor:
        """(B, 3, H, W) CIE Lab."""
        return _lab(self.truth)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made by the first who asks for `key`."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def shared(function: Callable[[Pair], T]) -> Callable[[Pair], T]:
    """Compute a function of a pair once, however many metrics call it."""

    @wraps(function)
    def once(pair: Pair) -> T:
        return pair.once(function, lambda: function(pair))

    return once


@shared
def inner(pair: Pair) -> Pair:
    """The pair without 4 pixels at each edge. Raises Absent where nothing is left."""
    if min(pair.truth.shape[-2:]) <= 8:
        raise Absent(f"pictures of {min(pair.truth.shape[-2:])} pixels: 4 at each edge are left out")
    return Pair(pair.predicted[..., 4:-4, 4:-4], pair.truth[..., 4:-4, 4:-4])


class Absent(Exception):
    """A metric gives no number here.

    Attributes:
        reason: why not: weights are missing, pictures are too small, ...
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Metric:
    """One number per picture, NaN where it is not defined.

    Args:
        function: Pair -> (B,). Raises Absent.
        unit: what the number counts, for axes and tables.
        better: whether more is better, less is, or neither (a property to hold beside the truth's).
    """

    function: Callable[[Pair], Tensor]
    unit: str = ""
    better: Better = "none"

    def __call__(self, pair: Pair) -> Tensor:
        return self.function(pair)


class SetMetric(ABC):
    """One number for a whole set of pictures, which no mean over pictures gives.

    Attributes:
        unit, better: as in `Metric`.
    """

    unit: str = ""
    better: Better = "none"

    @abstractmethod
    def update(self, pair: Pair) -> None:
        """Take a batch in. Raises Absent."""

    @abstractmethod
    def compute(self) -> float:
        """The number. Raises Absent."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all batches."""


def _lab(rgb: Tensor) -> Tensor:
    """CIE Lab of sRGB on 8-bit levels: as uint8, which is faster on a CPU, unless NaN would be lost."""
    return rgb_to_lab((255 * rgb).round().byte() if rgb.isfinite().all() else rgb)
