"""Learning-rate schedules as functions of progress, 0 at the start of the budget and 1 at its end.

Progress, not steps: so that a budget in wall time or pictures anneals fully too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, pi

Shape = Callable[[float], float]


@dataclass(frozen=True)
class Constant:
    """The base learning rate throughout, after a linear warm-up over the given share of the budget."""

    warmup: float = 0.0

    def __call__(self, progress: float) -> float:
        return _ramp(progress, self.warmup)


@dataclass(frozen=True)
class Step:
    """The base learning rate, multiplied by a factor at each of some moments.

    Args:
        at: the moments as shares of the budget, ascending, each above 0 and below 1.
        factor: what the rate is multiplied by at each, above 0 and at most 1.
    """

    at: list[float] = field(default_factory=lambda: [0.5, 0.75])
    factor: float = 0.1

    def __post_init__(self) -> None:
        if list(self.at) != sorted(set(self.at)) or not all(0 < share < 1 for share in self.at):
            raise ValueError(
                f"schedule.at={list(self.at)}: ascending shares of the budget, above 0 and below 1"
            )
        if not 0 < self.factor <= 1:
            raise ValueError(
                f"schedule.factor={self.factor}: choose above 0 and at most 1 (0.1 divides by 10)"
            )

    def __call__(self, progress: float) -> float:
        return self.factor ** sum(progress >= share for share in self.at)


@dataclass(frozen=True)
class Cosine:
    """Linear warm-up, then half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).

    Args:
        warmup: share of the budget spent rising, 0..1.
        floor: the last learning rate as a share of the base one.
    """

    warmup: float = 0.03
    floor: float = 0.0

    def __post_init__(self) -> None:
        _check_share("warmup", self.warmup)

    def __call__(self, progress: float) -> float:
        if progress < self.warmup:
            return _ramp(progress, self.warmup)
        return self.floor + (1 - self.floor) * _half_cosine((progress - self.warmup) / (1 - self.warmup))


@dataclass(frozen=True)
class OneCycle:
    """One cycle (Smith and Topin 2018, arXiv:1708.07120): cosine up to the base rate, cosine down to nothing.

    Args:
        up: share of the budget spent rising, 0..1.
        start: the first learning rate as a share of the base one.
        end: the last one, likewise.
    """

    up: float = 0.3
    start: float = 1 / 25
    end: float = 1e-5

    def __post_init__(self) -> None:
        _check_share("up", self.up)

    def __call__(self, progress: float) -> float:
        if progress < self.up:
            return 1 - (1 - self.start) * _half_cosine(progress / self.up)
        return self.end + (1 - self.end) * _half_cosine((progress - self.up) / (1 - self.up))


def _half_cosine(x: float) -> float:
    """1 at x = 0, 0 at x = 1 and beyond."""
    return (1 + cos(pi * min(x, 1.0))) / 2


def _ramp(progress: float, share: float) -> float:
    """From near 0 up to 1 over the first `share` of the budget; never exactly 0, so that no step is lost."""
    return max(progress / share, 1e-3) if progress < share else 1.0


def _check_share(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"schedule.{name}={value}: a share of the budget, at least 0 and below 1")
