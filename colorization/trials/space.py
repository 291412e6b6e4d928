"""The space of a sweep: settings that are the same in all trials, lists of values, intervals."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from hydra.core.override_parser.types import ValueType

from colorization.config import ConfigError
from colorization.override import alternatives, read_override

DIGITS = 4  # of a number drawn from an interval: what is typed again is what was run
Value = str | int | float | bool | None
Params = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """A setting with a list of values: each value -> the override that it stands for."""

    name: str
    lines: dict[Value, str]

    def suggest(self, trial: Any) -> Value:
        """A value that an Optuna trial takes."""
        return trial.suggest_categorical(self.name, list(self.lines))

    def line(self, value: Value) -> str:
        """The override of a value."""
        return self.lines[value]

    def ends(self) -> list[Value]:
        """The values to check before the first trial: all."""
        return list(self.lines)

    def described(self) -> Any:
        """As sweep.yaml says it."""
        return list(self.lines)


@dataclass(frozen=True)
class Interval:
    """A setting between two numbers, both included."""

    name: str
    low: float
    high: float
    log: bool
    whole: bool

    def suggest(self, trial: Any) -> Value:
        """A value that an Optuna trial takes."""
        if self.whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def line(self, value: Value) -> str:
        """The override of a value, of as many digits as are worth typing."""
        return f"{self.name}={value if self.whole else float(f'{value:.{DIGITS}g}')}"

    def ends(self) -> list[Value]:
        """The values to check before the first trial: both ends."""
        return [int(end) if self.whole else end for end in (self.low, self.high)]

    def described(self) -> Any:
        """As sweep.yaml says it."""
        return {"low": self.low, "high": self.high, "log": self.log, "whole": self.whole}


@dataclass(frozen=True)
class Space:
    """What a sweep tries.

    Attributes:
        fixed: the overrides that all trials share.
        dimensions: the settings in which they differ.
    """

    fixed: tuple[str, ...]
    dimensions: tuple[Choice | Interval, ...]

    @property
    def digest(self) -> str:
        """What tells this space from others."""
        fixed = sorted(line for line in self.fixed if not line.startswith("hydra."))
        return hashlib.sha256(repr((fixed, self.dimensions)).encode()).hexdigest()[:8]

    def suggest(self, trial: Any) -> Params:
        """Parameters that an Optuna trial takes; those that it has already stay as they are."""
        return {dimension.name: dimension.suggest(trial) for dimension in self.dimensions}

    def differs(self, params: Mapping[str, Any]) -> list[str]:
        """The overrides in which a trial of these parameters differs from others."""
        return [dimension.line(params[dimension.name]) for dimension in self.dimensions]

    def lines(self, params: Mapping[str, Any]) -> list[str]:
        """All overrides of a trial."""
        return [*self.fixed, *self.differs(params)]

    def grid(self) -> list[Params]:
        """Every combination of values, the last list varying fastest."""
        values = [list(d.lines) for d in self.dimensions if isinstance(d, Choice)]
        names = [d.name for d in self.dimensions]
        return [dict(zip(names, point, strict=True)) for point in product(*values)]

    def corners(self) -> list[Params]:
        """Points to check of a space too large for all: each end of each setting, and the last of all."""
        if not self.dimensions:
            return [{}]
        first = {d.name: d.ends()[0] for d in self.dimensions}
        points = [first | {d.name: end} for d in self.dimensions for end in d.ends()]
        points.append({d.name: d.ends()[-1] for d in self.dimensions})
        return [point for i, point in enumerate(points) if point not in points[:i]]


def space_of(overrides: Sequence[str]) -> Space:
    """The space that overrides span; the last word on a setting counts, as in Hydra.

    Raises:
        ConfigError: an interval without numbers between its ends, or a logarithmic one from 0.
    """
    intervals: dict[str, Interval] = {}
    rest: dict[str, str] = {}
    for line in overrides:
        override = read_override(line, sweep=True)
        key = override.get_key_element()
        intervals.pop(key, None)
        rest.pop(key, None)
        if override.value_type is ValueType.INTERVAL_SWEEP:
            intervals[key] = _interval(key, line, override.value())
        else:
            rest[key] = line
    fixed, dimensions = [], []
    for key, lines in alternatives(list(rest.values())).items():
        if len(lines) == 1:
            fixed.append(lines[0])
        else:
            dimensions.append(Choice(key, _valued(lines)))
    return Space(tuple(fixed), (*dimensions, *intervals.values()))


def _interval(key: str, line: str, given: Any) -> Interval:
    log = "log" in given.tags
    if not given.start < given.end or (log and given.start <= 0):
        right = "from a smaller number to a larger one" + (", both above 0" if log else "")
        raise ConfigError([f"{line}: give it {right}"])
    whole = isinstance(given.start, int) and isinstance(given.end, int)
    return Interval(key, given.start, given.end, log, whole)


def _valued(lines: Sequence[str]) -> dict[Value, str]:
    """Each override by its value: as the number that it is, where all of the list are numbers."""
    texts = [line.partition("=")[2] for line in lines]
    for kind in (int, float):
        try:
            return dict(zip(map(kind, texts), lines, strict=True))
        except ValueError:
            continue
    return dict(zip(texts, lines, strict=True))
