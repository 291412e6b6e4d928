"""All numbers of a comparison: means with intervals, and which differences are real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from colorization.config import ConfigError
from colorization.report.reading import Scored
from colorization.report.settings import by_seed
from colorization.report.statistics import (
    RESAMPLES,
    Comparison,
    between_seeds,
    compare_pairs,
    correct,
    interval,
    over_seeds,
)

FLOORS = {
    "grey": "grey (ab = 0)",
    "mean_ab": "mean ab",
    "mean_ab_given_L": "mean ab given L",
    "mean_gain": "its mean, chroma scaled to the truth's",
}
CEILINGS = {
    "half_saturation": "truth, half saturation",
    "ab_4x4": "truth, ab at 4x4",
    "ab_16x16": "truth, ab at 16x16",
    "ab_32x32": "truth, ab at 32x32",
    "round_trip": "truth, 8-bit Lab",
}
Column = dict[str, np.ndarray]  # metric -> (N,)


@dataclass(frozen=True)
class Cell:
    """A mean over pictures with its 95% interval, and a run's test against the baseline.

    Metrics of the whole set (FID) have no interval.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    against: Comparison | None = None


@dataclass(frozen=True)
class Contrast:
    """`run` against `other` in one metric; both may be methods, pooled over their seeds."""

    run: str
    other: str
    metric: str
    comparison: Comparison


class Row(NamedTuple):
    """A line of the tables: "floor", "run" or "ceiling"; its numbers per picture, and of the whole set."""

    kind: str
    column: Column
    whole: Mapping[str, float]


@dataclass(frozen=True)
class Comparisons:
    """The whole comparison.

    Attributes:
        metrics: names, in the order of the columns; a row may lack some.
        units, better: of each metric.
        cells: floors, runs, ceilings, in that order: row -> metric -> Cell.
        kinds: row -> "floor", "run" or "ceiling".
        baseline: the run that the others are compared with.
        seeds: method -> its runs, which differ by seed alone; only methods with two runs or more.
        methods: the same methods: mean over seeds and pictures with its interval.
        contrasts: each pair of methods; then the other runs against the baseline.
    """

    metrics: list[str]
    units: dict[str, str]
    better: dict[str, str]
    cells: dict[str, dict[str, Cell]]
    kinds: dict[str, str]
    baseline: str
    seeds: dict[str, list[str]]
    methods: dict[str, dict[str, Cell]]
    contrasts: list[Contrast]

    def select(self, metrics: Sequence[str]) -> "Comparisons":
        """The same for these metrics alone, and for the truth's own values of them.

        Raises:
            ConfigError: a metric that no run has.
        """
        if unknown := ", ".join(name for name in metrics if name not in self.metrics):
            raise ConfigError([f"metrics: no run has {unknown}; choose from {', '.join(self.metrics)}"])
        of_truth = [f"{name}_truth" for name in metrics if f"{name}_truth" in self.metrics]
        metrics = list(dict.fromkeys([*metrics, *of_truth]))
        return replace(
            self,
            metrics=metrics,
            cells={name: _only(cells, metrics) for name, cells in self.cells.items()},
            methods={name: _only(cells, metrics) for name, cells in self.methods.items()},
            contrasts=[c for c in self.contrasts if c.metric in metrics],
        )


def brief(runs: Sequence[Scored], table: Comparisons) -> Comparisons:
    """The metrics that the protocol reports of a model, for tables that a person reads."""
    names = runs[0].summary.get("reported", {}).values()
    return table.select([metric for metric in table.metrics if metric in names] or table.metrics)


def compare_runs(runs: Sequence[Scored], resamples: int = RESAMPLES) -> Comparisons:
    """All statistics of runs scored on the same pictures, the first of them the baseline."""
    baseline, rows = runs[0], _rows(runs)
    columns = {name: _counted(row.column, baseline.coloured) for name, row in rows.items()}
    metrics = _metrics(rows, columns)
    better = {k: v for run in runs for k, v in run.summary["better"].items()}
    cells = _cells(columns, {name: row.whole for name, row in rows.items()}, metrics, resamples)
    tests = _against_first(columns, [run.name for run in runs], metrics, better, resamples)
    for (name, metric), comparison in tests.items():
        cells[name][metric] = replace(cells[name][metric], against=comparison)
    seeds = {name: [run.name for run in group] for name, group in by_seed(runs).items() if len(group) > 1}
    stacks = {name: [columns[run] for run in members] for name, members in seeds.items()}
    pooled = {run for members in seeds.values() for run in members}
    single = [Contrast(n, baseline.name, m, test) for (n, m), test in tests.items() if n not in pooled]
    return Comparisons(
        metrics,
        {k: v for run in runs for k, v in run.summary["units"].items()},
        better,
        cells,
        {name: row.kind for name, row in rows.items()},
        baseline.name,
        seeds,
        _method_cells(stacks, metrics),
        [*_between_method_cells(stacks, metrics, better), *single],
    )


def all_columns(runs: Sequence[Scored]) -> dict[str, Column]:
    """Row -> metric -> (N,) over all pictures: floors, runs, ceilings."""
    return {name: row.column for name, row in _rows(runs).items()}


def _rows(runs: Sequence[Scored]) -> dict[str, Row]:
    """Floors, runs, ceilings.

    A trivial colouring that several runs have is the first one's; one made of a run's own colours stands for
    each run.
    """
    trivial: dict[str, tuple[Column, Mapping[str, float]]] = {}
    for run in runs:
        for name, column in run.baselines.items():
            whole = run.summary["baselines"].get(name, {}).get("set_metrics", {})
            own = f"{run.name}: {FLOORS[name]}" if name == "mean_gain" and len(runs) > 1 else name
            trivial.setdefault(own, (column, whole))
    floors = [*FLOORS, *(name for name in trivial if name not in {*FLOORS, *CEILINGS})]
    rows = {FLOORS.get(n, n): Row("floor", *trivial[n]) for n in floors if n in trivial}
    rows |= {run.name: Row("run", run.values, run.summary.get("set_metrics", {})) for run in runs}
    return rows | {title: Row("ceiling", *trivial[n]) for n, title in CEILINGS.items() if n in trivial}


def _counted(column: Column, counted: np.ndarray) -> Column:
    """The pictures that count, for the metrics that are defined for any of them."""
    columns = {metric: values[counted] for metric, values in column.items()}
    return {metric: values for metric, values in columns.items() if np.isfinite(values).any()}


def _metrics(rows: Mapping[str, Row], columns: Mapping[str, Column]) -> list[str]:
    """The metrics that any run has."""
    runs = [name for name, row in rows.items() if row.kind == "run"]
    return list(dict.fromkeys(m for name in runs for m in [*columns[name], *rows[name].whole]))


def _only(cells: dict[str, Cell], metrics: Sequence[str]) -> dict[str, Cell]:
    return {metric: cells[metric] for metric in metrics if metric in cells}


def _cells(
    columns: Mapping[str, Column],
    whole: Mapping[str, Mapping[str, float]],
    metrics: Sequence[str],
    resamples: int,
) -> dict[str, dict[str, Cell]]:
    places = [(name, m) for name, column in columns.items() for m in metrics if m in column]
    table = np.stack([columns[name][metric] for name, metric in places], axis=1)
    means, (lows, highs) = np.nanmean(table, axis=0), interval(table, resamples=resamples)
    cells: dict[str, dict[str, Cell]] = {name: {} for name in columns}
    for (name, metric), mean, low, high in zip(places, means, lows, highs, strict=True):
        cells[name][metric] = Cell(float(mean), float(low), float(high))
    for name, numbers in whole.items():
        cells[name] |= {metric: Cell(numbers[metric]) for metric in metrics if metric in numbers}
    return cells


def _against_first(
    columns: Mapping[str, Column],
    runs: Sequence[str],
    metrics: Sequence[str],
    better: Mapping[str, str],
    resamples: int,
) -> dict[tuple[str, str], Comparison]:
    """Every other run against the first, corrected across runs in each metric."""
    base = columns[runs[0]]
    differences = {
        (name, metric): columns[name][metric] - base[metric]
        for metric in metrics if metric in base and not metric.endswith("_truth")
        for name in runs[1:] if metric in columns[name]
    }  # fmt: skip
    differences = {place: column for place, column in differences.items() if np.isfinite(column).any()}
    if not differences:
        return {}
    directions = [better.get(metric, "none") for _, metric in differences]
    table = np.stack(list(differences.values()), axis=1)
    tests = dict(zip(differences, compare_pairs(table, directions, resamples), strict=True))
    for metric in metrics:
        places = [place for place in tests if place[1] == metric]
        tests |= zip(places, correct([tests[place] for place in places]), strict=True)
    return {(name, m): tests[name, m] for name in runs for m in metrics if (name, m) in tests}


def _method_cells(stacks: Mapping[str, list[Column]], metrics: Sequence[str]) -> dict[str, dict[str, Cell]]:
    return {
        name: {m: Cell(*over_seeds(runs)) for m in metrics if (runs := _stacked([stack], m)[0]) is not None}
        for name, stack in stacks.items()
    }


def _between_method_cells(
    stacks: Mapping[str, list[Column]], metrics: Sequence[str], better: Mapping[str, str]
) -> list[Contrast]:
    """Every pair of methods, corrected across pairs in each metric."""
    contrasts = []
    for metric in metrics:
        if metric.endswith("_truth"):
            continue
        pairs, tests = [], []
        for other, run in combinations(stacks, 2):
            first, second = _stacked([stacks[other], stacks[run]], metric)
            if first is not None and second is not None:
                pairs.append((run, other))
                tests.append(between_seeds(first, second, better.get(metric, "none")))
        for (run, other), comparison in zip(pairs, correct(tests), strict=True):
            contrasts.append(Contrast(run, other, metric, comparison))
    return sorted(contrasts, key=lambda c: [list(stacks).index(name) for name in (c.other, c.run)])


def _stacked(stacks: Sequence[list[Column]], metric: str) -> list[np.ndarray | None]:
    """Each method's (seeds, pictures), where all are defined; None where a run lacks the metric."""
    if not all(metric in column for stack in stacks for column in stack):
        return [None] * len(stacks)
    tables = [np.stack([column[metric] for column in stack]) for stack in stacks]
    defined = np.isfinite(np.concatenate(tables)).all(axis=0)
    return [table[:, defined] if defined.sum() > 1 else None for table in tables]
