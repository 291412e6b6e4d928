"""The numbers of colourings under a protocol, for validation, panels, curves, tests and evaluations alike.

A picture for which a metric is not defined has NaN in its row; it is left out of that mean, and counted.
Where a prediction is not finite, no mean is defined.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, distributed

from colorization.color.lab import rgb_to_lab
from colorization.metric.base import Absent, Metric, Pair, SetMetric, TooSmall
from colorization.metric.chroma import is_grey
from colorization.protocol import Measure, Protocol

Row = dict[str, Any]
Part = tuple[list[Row], list[dict[str, dict[str, Any]]]]  # of a colouring: rows, and states of set metrics
Colouring = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # the true L and ab -> those that are shown
T = TypeVar("T")

MODEL = "model"
WHOLE = (MODEL, "grey")  # of which all is measured; of other baselines what the protocol itself measures


class Numbers(NamedTuple):
    """What one colouring scores.

    Attributes:
        rows: one per picture: its "index", "grey" 0 or 1, and every metric.
        means: over the pictures that count, or over all if none does.
        sets: what is measured over the pictures that count as a whole.
    """

    rows: list[Row]
    means: dict[str, float]
    sets: dict[str, float]


class Scores(NamedTuple):
    """What the pictures of all processes come to.

    Attributes:
        colourings: "model" and each baseline.
        absent: metrics that have no number, with the reason.
        undefined: metrics that some of the pictures lack, with how many and the reason.
        broken: how many predictions are not finite.
        parts: of each baseline, what its numbers are made from; another scorer takes it as `kept`. None where
            a metric gave no number, which it may do another time.
    """

    colourings: Mapping[str, Numbers]
    absent: Mapping[str, str]
    undefined: Mapping[str, str]
    broken: int
    parts: Mapping[str, Part]

    @property
    def model(self) -> Numbers:
        """Of the colouring that is scored."""
        return self.colourings[MODEL]


class Gaps(NamedTuple):
    """Metrics that give no number on this process, with the reason: none at all, or none for small pictures.

    The colourings of a table share it: where a network is missing, it is missing for all.
    """

    absent: dict[str, str]
    small: dict[str, str]

    def tried(self, name: str, measure: Callable[[], T]) -> T | None:
        """What a metric gives, or None."""
        if name in self.absent:
            return None
        try:
            return measure()
        except TooSmall as small:
            self.small[name] = small.reason
        except Absent as absent:
            self.absent[name] = absent.reason
        return None


@dataclass
class Tally:
    """The batches of one colouring on this process, left on the device until they are asked for."""

    protocol: Protocol
    measures: Mapping[str, Measure]
    gaps: Gaps
    batches: list[dict[str, Tensor]] = field(default_factory=list, init=False)
    sets: dict[str, SetMetric] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for name, metric in self.measures.items():
            if isinstance(metric, SetMetric):
                self.sets[name] = fresh(metric)

    def add(self, pair: Pair, known: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> None:
        """Measure a batch; `known` has "index" and "grey" of each picture."""
        finite = pair.predicted.isfinite().flatten(1).all(dim=1)
        values: dict[str, Tensor] = {}
        for name, metric in self.measures.items():
            if isinstance(metric, Metric):
                found = self.gaps.tried(name, lambda metric=metric: metric(pair))  # type: ignore[misc]
                undefined = torch.full(finite.shape, math.nan, device=finite.device)
                values[name] = undefined if found is None else self.protocol.capped(metric.unit, found)
        self.batches.append({**known, "finite": finite, **values, **columns})
        if self.sets:
            self._add_to_sets(pair, self.protocol.counted(known["grey"]))

    def _add_to_sets(self, pair: Pair, counted: Tensor) -> None:
        if not counted.any():
            return
        part = pair if counted.all() else pair[counted]
        for name, metric in self.sets.items():
            self.gaps.tried(name, lambda metric=metric: metric.update(part))  # type: ignore[misc]

    def part(self) -> tuple[list[Row], dict[str, dict[str, Any]]]:
        """Rows, numbers rounded to six digits, and the states of the set metrics, on the CPU."""
        names = self.batches[0] if self.batches else ()
        columns = [torch.cat([batch[name] for batch in self.batches]).tolist() for name in names]
        rows = [
            {name: round(value, 6) for name, value in zip(names, values, strict=True)}
            for values in zip(*columns, strict=True)
        ]
        return rows, {name: metric.states() for name, metric in self.sets.items()}


class Scorer:
    """Measures batches of predictions, in any order, on any number of processes.

    Args:
        protocol: how pictures are shown, rounded and counted.
        metrics: what is measured.
        columns: what else is told of each picture: units and directions by name.
        baselines: colourings that are scored beside the model, by name.
        beside: names of further colourings, which `add` is given.
        kept: baselines that were measured before, of the same pictures, by name.
    """

    def __init__(
        self,
        protocol: Protocol,
        metrics: Mapping[str, Measure],
        columns: Mapping[str, Any] | None = None,
        baselines: Mapping[str, Colouring] | None = None,
        beside: Sequence[str] = (),
        kept: Mapping[str, Part] | None = None,
    ):
        self.protocol, self.metrics = protocol, dict(metrics)
        self.columns, self.baselines = dict(columns or {}), dict(baselines or {})
        self.beside, self.kept = tuple(beside), dict(kept or {})
        self.reset()

    def reset(self) -> None:
        """Forget all pictures."""
        self._gaps = Gaps({}, {})
        self._tallies = {
            name: Tally(self.protocol, self.metrics if name in WHOLE else self.protocol.metrics, self._gaps)
            for name in (MODEL, *self.baselines, *self.beside)
        }

    @torch.no_grad()
    def add(
        self,
        index: Tensor | Sequence[int],
        truth: Tensor,
        coloured: Tensor,
        columns: Mapping[str, Tensor] | None = None,
        beside: Mapping[str, Tensor] | None = None,
    ) -> Pair:
        """Measure a batch.

        Args:
            index: (B,) positions of the pictures.
            truth: (B, 3, H, W) uint8 sRGB.
            coloured: the prediction, ab (B, 2, H, W) in CIE units or 8-bit sRGB (B, 3, H, W) 0..1.
            columns: what else is told of each picture, (B,) each.
            beside: the colourings of `self.beside`, ab (B, 2, H, W).

        Returns: predictions and truth as the protocol shows them.
        """
        truth = truth.to(coloured.device)
        truth_lab = rgb_to_lab(truth)
        L, ab = truth_lab.split([1, 2], dim=1)
        rgb = self.protocol.rgb(L, coloured) if coloured.shape[1] == 2 else coloured
        pair = Pair(rgb, truth / 255, truth_lab)
        known = {"index": torch.as_tensor(index), "grey": is_grey(pair)}
        self._tallies[MODEL].add(pair, known, columns or {})
        for name, colouring in self.baselines.items():
            if name in self.kept:
                continue
            rgb = self.protocol.rgb(*colouring(L, ab))
            self._tallies[name].add(Pair(rgb, pair.truth, truth_lab), known, {})
        for name, made in (beside or {}).items():
            if name in self.beside:
                rgb = self.protocol.rgb(L, made)
                self._tallies[name].add(Pair(rgb, pair.truth, truth_lab), known, {})
        return pair

    def result(self) -> Scores:
        """The numbers of all pictures so far, the same on every process; every one has to ask."""
        parts = gathered((self._gaps, {name: tally.part() for name, tally in self._tallies.items()}))
        gaps = Gaps({}, {})
        for part, _ in parts:
            gaps.absent.update(part.absent)
            gaps.small.update(part.small)
        whole = not gaps.absent
        rows = {
            name: sorted((row for _, part in parts for row in part[name][0]), key=lambda row: row["index"])
            for name in self._tallies
        }
        states = {name: [part[name][1] for _, part in parts] for name in self._tallies}
        for name, (kept_rows, kept_states) in self.kept.items():
            rows[name], states[name] = kept_rows, kept_states
        broken = sum(not row["finite"] for row in rows[MODEL])
        undefined = {} if broken else self._undefined(rows[MODEL], gaps)
        sets = {name: self._sets(name, states[name], gaps, broken) for name in self._tallies}
        colourings = {
            name: Numbers(self._shown(rows[name], gaps), self._means(rows[name], gaps, broken), sets[name])
            for name in self._tallies
        }
        parts_of = {name: (rows[name], states[name]) for name in self.baselines if whole}
        return Scores(colourings, dict(sorted(gaps.absent.items())), undefined, broken, parts_of)

    def described(self, name: str) -> tuple[str, str]:
        """Unit and direction of a number."""
        entry = self.metrics.get(name) or self.columns.get(name)
        return (entry.unit, entry.better) if entry else ("", "none")

    def gaps(self, size: int) -> dict[str, str]:
        """The metrics that have no number for pictures of this size, with the reason: tried on noise.

        Raises:
            ConfigError: a metric gives something else than a number per picture.
        """
        trial = Scorer(self.protocol, self.metrics)
        noise = torch.randint(256, (2, 3, size, size), dtype=torch.uint8)
        trial.add((0, 1), noise, noise.flip(0) / 255)
        return trial._gaps.small | trial._gaps.absent

    def _counted(self, rows: list[Row]) -> list[Row]:
        """The pictures that means are taken over."""
        return [row for row in rows if self.protocol.grey == "counted" or not row["grey"]] or rows

    def _undefined(self, rows: list[Row], gaps: Gaps) -> dict[str, str]:
        """Metrics that some of the model's pictures lack; what all of them lack is absent."""
        counted, found = self._counted(rows), {}
        for name in metrics_of(rows, gaps):
            lacking = sum(math.isnan(row[name]) for row in counted)
            if lacking == len(counted):
                gaps.absent[name] = gaps.small.get(name, "not defined for any of these pictures")
            elif lacking:
                reason = gaps.small.get(name, "not defined")
                found[name] = f"{lacking} of {len(counted)} pictures have none ({reason})"
        return found

    def _shown(self, rows: list[Row], gaps: Gaps) -> list[Row]:
        names = metrics_of(rows, gaps)
        return [{name: row[name] for name in ("index", "grey", *names)} for row in rows]

    def _means(self, rows: list[Row], gaps: Gaps, broken: int) -> dict[str, float]:
        counted = self._counted(rows)
        return {
            name: math.nan if broken else mean([row[name] for row in counted])
            for name in metrics_of(rows, gaps)
        }

    def _sets(
        self, name: str, states: Sequence[Mapping[str, Any]], gaps: Gaps, broken: int
    ) -> dict[str, float]:
        numbers: dict[str, float] = {}
        for key in self._tallies[name].sets:
            metric = fresh(self._tallies[name].measures[key])
            for part in states:
                metric.add(part[key])
            number = gaps.tried(key, metric.compute)
            if number is not None:
                numbers[key] = math.nan if broken else float(number)
        return {key: number for key, number in numbers.items() if key not in gaps.absent}


def fresh(metric: Any) -> SetMetric:
    """A set metric that has seen nothing."""
    fresh: SetMetric = copy.deepcopy(metric)
    fresh.reset()
    return fresh


def metrics_of(rows: Sequence[Row], gaps: Gaps) -> list[str]:
    """The columns of rows that are numbers of pictures and not absent."""
    names = rows[0] if rows else ()
    return [name for name in names if name not in ("index", "grey", "finite", *gaps.absent)]


def mean(values: Sequence[float]) -> float:
    """The mean of what is defined, the same in any order; NaN if nothing is."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def gathered(value: T) -> list[T]:
    """What each process has, in the order of their ranks; every one has to ask."""
    _, world = place()
    if world == 1:
        return [value]
    parts: list[Any] = [None] * world
    distributed.all_gather_object(parts, value)
    return parts


def place() -> tuple[int, int]:
    """The rank of this process, and how many there are."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()
