"""The numbers of one colouring: a row per picture, means, and what is measured over all pictures at once."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from colorization.metric.base import Absent, Metric, Pair, SetMetric
from colorization.protocol import Measure, Protocol

Row = dict[str, Any]


@dataclass
class Tally:
    """What a protocol measures of a colouring, batch after batch.

    Args:
        protocol: which pictures count, and up to how many dB.
        metrics: what is measured.
        absent: metrics that give no number, with the reason; the colourings of a table share it.
    """

    protocol: Protocol
    metrics: Mapping[str, Measure]
    absent: dict[str, str]
    _rows: list[Row] = field(default_factory=list, init=False)
    _sets: dict[str, SetMetric] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        made = self.metrics.items()
        self._sets = {name: copy.deepcopy(metric) for name, metric in made if isinstance(metric, SetMetric)}

    def add(self, names: Sequence[str], pair: Pair, grey: Tensor, columns: Mapping[str, Tensor]) -> None:
        """Measure a batch; `grey` (B,) bool says which truths have no colour, `columns` are taken as told."""
        measured: dict[str, list[float]] = {}
        for name, metric in self.metrics.items():
            if isinstance(metric, Metric) and name not in self.absent:
                try:
                    measured[name] = self.protocol.capped(metric.unit, metric(pair)).tolist()
                except Absent as absent:
                    self.absent[name] = absent.reason
        measured |= {name: values.tolist() for name, values in columns.items()}
        for i, name in enumerate(names):
            numbers = {column: round(values[i], 6) for column, values in measured.items()}
            self._rows.append({"name": name, "grey": int(grey[i])} | numbers)
        self._add_to_sets(pair, self.protocol.counted(grey))

    @property
    def rows(self) -> list[Row]:
        """One row per picture, without the columns that turned out to be absent."""
        return [{k: v for k, v in row.items() if k not in self.absent} for row in self._rows]

    def means(self) -> dict[str, float]:
        """Means over the pictures that count, or over all if none does."""
        rows = self.rows
        counted = [row for row in rows if self.protocol.grey == "counted" or not row["grey"]] or rows
        return {k: mean([row[k] for row in counted]) for k in rows[0] if k not in ("name", "grey")}

    def set_metrics(self) -> dict[str, float]:
        """What is measured over all the pictures that count."""
        numbers: dict[str, float] = {}
        for name, metric in self._sets.items():
            if name not in self.absent:
                try:
                    numbers[name] = float(metric.compute())
                except Absent as absent:
                    self.absent[name] = absent.reason
        return numbers

    def _add_to_sets(self, pair: Pair, counted: Tensor) -> None:
        if not counted.any():
            return
        shown = pair if counted.all() else Pair(pair.predicted[counted], pair.truth[counted])
        for name, metric in self._sets.items():
            if name not in self.absent:
                try:
                    metric.update(shown)
                except Absent as absent:
                    self.absent[name] = absent.reason


def mean(values: Sequence[float]) -> float:
    """The mean of what is defined, the same in any order; NaN if nothing is."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
