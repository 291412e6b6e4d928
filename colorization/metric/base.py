"""A metric: a pure function of predictions and their truth, with its unit and its direction."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property, update_wrapper, wraps
from typing import Any, Literal, TypeVar

from torch import Tensor

from colorization.color.lab import rgb_to_lab
from colorization.config import ConfigError

T = TypeVar("T")
Better = Literal["higher", "lower", "none"]


class Pair:
    """Predictions beside their truth, both sRGB (B, 3, H, W) in 0..1 on 8-bit levels.

    What several metrics want of them, such as their Lab, is computed once.

    Args:
        truth_lab: CIE Lab of the truth, where it is known already.
    """

    def __init__(self, predicted: Tensor, truth: Tensor, truth_lab: Tensor | None = None):
        self.predicted, self.truth = predicted, truth
        self._known: dict[Hashable, Any] = {}
        if truth_lab is not None:
            self.truth_lab = truth_lab

    @cached_property
    def predicted_lab(self) -> Tensor:
        """(B, 3, H, W) CIE Lab."""
        return _lab(self.predicted)

    @cached_property
    def truth_lab(self) -> Tensor:
        """(B, 3, H, W) CIE Lab."""
        return _lab(self.truth)

    def __getitem__(self, where: Any) -> "Pair":
        """Some of the pictures, or some of their pixels."""
        return Pair(self.predicted[where], self.truth[where], self.truth_lab[where])

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
    """The pair without 4 pixels at each edge. Raises TooSmall where nothing is left."""
    if (side := min(pair.truth.shape[-2:])) <= 8:
        raise TooSmall(side, 9, "without 4 at each edge it needs")
    return pair[..., 4:-4, 4:-4]


class Absent(Exception):
    """A metric gives no number at all here: its weights are missing, or nothing was measured.

    Attributes:
        reason: why not.
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class TooSmall(Absent):
    """A metric is not defined for these pictures, which are smaller than it needs; for others it may be."""

    def __init__(self, side: int, needed: int, by: str):
        super().__init__(f"pictures of {side} pixels: {by} {needed}")


class Metric:
    """One number per picture, NaN where it is not defined.

    Args:
        function: Pair -> (B,). Raises Absent, or TooSmall for the pictures of this batch alone.
        unit: what the number counts, for axes and tables.
        better: whether more is better, less is, or neither (a property to hold beside the truth's).
        cap: the most that a picture counts with, where an exact prediction would be infinitely good.
    """

    def __init__(
        self,
        function: Callable[[Pair], Tensor],
        unit: str = "",
        better: Better = "none",
        cap: float = math.inf,
    ):
        self.function, self.unit, self.better, self.cap = function, unit, better, cap
        update_wrapper(self, function, updated=())

    def __call__(self, pair: Pair) -> Tensor:
        values = self.function(pair)
        if not isinstance(values, Tensor) or values.shape != pair.truth.shape[:1]:
            given = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
            name = getattr(self.function, "__qualname__", type(self.function).__name__)
            raise ConfigError(
                [f"{name} gives {given}: a metric gives one number per picture, a tensor of shape (B,)"]
            )
        return values.clamp(max=self.cap) if math.isfinite(self.cap) else values


def metric(
    unit: str = "", better: Better = "none", cap: float = math.inf
) -> Callable[[Callable[[Pair], Tensor]], Metric]:
    """Make a function a `Metric`: `@metric(unit="dB", better="higher")`."""
    return lambda function: Metric(function, unit, better, cap)


class SetMetric(ABC):
    """One number for a whole set of pictures, which no mean over pictures gives.

    Attributes:
        unit, better: as in `Metric`.
        state: the names of the attributes that `update` adds to: numbers and tensors, or lists of tensors.
            Those of several processes are added up before `compute`.
    """

    unit: str = ""
    better: Better = "none"
    state: tuple[str, ...]

    @abstractmethod
    def update(self, pair: Pair) -> None:
        """Take a batch in. Raises Absent."""

    @abstractmethod
    def compute(self) -> float:
        """The number. Raises Absent."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all batches."""

    def states(self) -> dict[str, Any]:
        """What the batches have added up to, on the CPU."""
        return {name: _on_cpu(getattr(self, name)) for name in self.state}

    def add(self, states: Mapping[str, Any]) -> None:
        """Take in what another process's batches have added up to."""
        for name in self.state:
            setattr(self, name, _on_cpu(getattr(self, name)) + states[name])


def _on_cpu(value: Any) -> Any:
    if isinstance(value, list):
        return [_on_cpu(item) for item in value]
    return value.cpu() if isinstance(value, Tensor) else value


def _lab(rgb: Tensor) -> Tensor:
    """CIE Lab of sRGB on 8-bit levels: as uint8, which is faster on a CPU, unless NaN would be lost."""
    as_bytes = rgb.device.type == "cpu" and bool(rgb.isfinite().all())
    return rgb_to_lab((255 * rgb).round().byte() if as_bytes else rgb)
