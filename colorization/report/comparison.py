"""All numbers of a comparison: means with intervals, and which differences are real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from colorization.config import ConfigError
from colorization.report.reading import Scored
from colorization.report.settings import by_seed
from colorization.report.statistics import (
    RESAMPLES,
    Comparison,
    between_seeds,
    corrected,
    interval,
    over_seeds,
    paired,
)

FLOORS = {"grey": "grey (ab = 0)", "mean_ab": "mean ab", "mean_ab_given_L": "mean ab given L"}
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
class Difference:
    """What `run` is ahead of `other` in one metric; both may be methods, pooled over their seeds."""

    run: str
    other: str
    metric: str
    told: Comparison


@dataclass(frozen=True)
class Comparisons:
    """The whole comparison.

    Attributes:
        metrics: names, in the order of the columns; a row may lack some.
        units, better: of each metric.
        cells: floors, runs, ceilings, in that order: row -> metric -> Cell.
        kinds: row -> "floor", "run" or "ceiling".
        baseline: the run that the others are told apart from.
        seeds: method -> its runs, which differ by seed alone; only methods of two runs or more.
        methods: the same methods: mean over seeds and pictures, with its interval for both.
        differences: between methods, each pair; then of the other runs to the baseline.
    """

    metrics: list[str]
    units: dict[str, str]
    better: dict[str, str]
    cells: dict[str, dict[str, Cell]]
    kinds: dict[str, str]
    baseline: str
    seeds: dict[str, list[str]]
    methods: dict[str, dict[str, Cell]]
    differences: list[Difference]

    def narrowed(self, metrics: Sequence[str]) -> "Comparisons":
        """The same of these metrics alone, and of what the truth has of them.

        Raises:
            ConfigError: a metric that no run has.
        """
        if wrong := [name for name in metrics if name not in self.metrics]:
            known = ", ".join(self.metrics)
            raise ConfigError([f"metrics: no run has {', '.join(wrong)}; choose from {known}"])
        of_truth = [f"{name}_truth" for name in metrics if f"{name}_truth" in self.metrics]
        metrics = list(dict.fromkeys([*metrics, *of_truth]))
        return replace(
            self,
            metrics=metrics,
            cells={name: _only(cells, metrics) for name, cells in self.cells.items()},
            methods={name: _only(cells, metrics) for name, cells in self.methods.items()},
            differences=[d for d in self.differences if d.metric in metrics],
        )


def reported(runs: Sequence[Scored], table: Comparisons) -> Comparisons:
    """What the protocol reports of a model, for tables that are read and not searched."""
    names = runs[0].summary.get("reported", {}).values()
    return table.narrowed([metric for metric in table.metrics if metric in names] or table.metrics)


def compared(runs: Sequence[Scored], resamples: int = RESAMPLES) -> Comparisons:
    """All statistics of runs scored on the same pictures, the first of them the baseline."""
    first, counted = runs[0], runs[0].coloured
    rows = _rows(runs)
    kinds = {name: kind for name, (kind, _, _) in rows.items()}
    columns = {name: _counted(column, counted) for name, (_, column, _) in rows.items()}
    chosen = _metrics(rows, columns)
    better = {k: v for run in runs for k, v in run.summary["better"].items()}
    cells = _cells(columns, {name: whole for name, (_, _, whole) in rows.items()}, chosen, resamples)
    tests = _against(columns, [run.name for run in runs], chosen, better, resamples)
    for (name, metric), told in tests.items():
        cell = cells[name][metric]
        cells[name][metric] = replace(cell, against=told)
    seeds = {name: [run.name for run in group] for name, group in by_seed(runs).items() if len(group) > 1}
    stacks = {name: [columns[run] for run in members] for name, members in seeds.items()}
    pooled = {run for members in seeds.values() for run in members}
    single = [Difference(n, first.name, m, told) for (n, m), told in tests.items() if n not in pooled]
    return Comparisons(
        chosen,
        {k: v for run in runs for k, v in run.summary["units"].items()},
        better,
        cells,
        kinds,
        first.name,
        seeds,
        _methods(stacks, chosen),
        [*_between(stacks, chosen, better), *single],
    )


def columns_of(runs: Sequence[Scored]) -> dict[str, Column]:
    """Row -> metric -> (N,) over all pictures: floors, runs, ceilings."""
    return {name: column for name, (_, column, _) in _rows(runs).items()}


def _rows(runs: Sequence[Scored]) -> dict[str, tuple[str, Column, dict[str, float]]]:
    """Row -> its kind, its numbers per picture, and those of the whole set; floors, runs, ceilings.

    A trivial colouring that several runs bring is the first one's.
    """
    found: dict[str, tuple[Column, dict[str, float]]] = {}
    for run in runs:
        for name, column in run.baselines.items():
            whole = run.summary["baselines"].get(name, {}).get("set_metrics", {})
            found.setdefault(name, (column, whole))
    order = [*FLOORS, *(name for name in found if name not in {*FLOORS, *CEILINGS}), *CEILINGS]
    rows = {FLOORS.get(n, n): ("floor", *found[n]) for n in order if n in found and n not in CEILINGS}
    rows |= {run.name: ("run", run.values, run.summary.get("set_metrics", {})) for run in runs}
    return rows | {CEILINGS[n]: ("ceiling", *found[n]) for n in order if n in found and n in CEILINGS}


def _counted(column: Column, counted: np.ndarray) -> Column:
    """The pictures that count, of the metrics that are defined for any of them."""
    kept = {metric: values[counted] for metric, values in column.items()}
    return {metric: values for metric, values in kept.items() if np.isfinite(values).any()}


def _metrics(
    rows: Mapping[str, tuple[str, Column, dict[str, float]]], columns: Mapping[str, Column]
) -> list[str]:
    """The metrics that any run has."""
    runs = [name for name, (kind, _, _) in rows.items() if kind == "run"]
    return list(dict.fromkeys(m for name in runs for m in [*columns[name], *rows[name][2]]))


def _only(cells: dict[str, Cell], metrics: Sequence[str]) -> dict[str, Cell]:
    return {metric: cells[metric] for metric in metrics if metric in cells}


def _cells(
    columns: Mapping[str, Column],
    whole: Mapping[str, dict[str, float]],
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


def _against(
    columns: Mapping[str, Column],
    runs: Sequence[str],
    metrics: Sequence[str],
    better: Mapping[str, str],
    resamples: int,
) -> dict[tuple[str, str], Comparison]:
    """Every run after the first against it, corrected across runs in each metric."""
    base = columns[runs[0]]
    apart = {
        (name, metric): columns[name][metric] - base[metric]
        for metric in metrics if metric in base and not metric.endswith("_truth")
        for name in runs[1:] if metric in columns[name]
    }  # fmt: skip
    apart = {place: column for place, column in apart.items() if np.isfinite(column).any()}
    if not apart:
        return {}
    ways = [better.get(metric, "none") for _, metric in apart]
    tests = dict(zip(apart, paired(np.stack(list(apart.values()), axis=1), ways, resamples), strict=True))
    for metric in metrics:
        places = [place for place in tests if place[1] == metric]
        tests |= zip(places, corrected([tests[place] for place in places]), strict=True)
    return {(name, m): tests[name, m] for name in runs for m in metrics if (name, m) in tests}


def _methods(stacks: Mapping[str, list[Column]], metrics: Sequence[str]) -> dict[str, dict[str, Cell]]:
    return {
        name: {m: Cell(*over_seeds(runs)) for m in metrics if (runs := _stacked([stack], m)[0]) is not None}
        for name, stack in stacks.items()
    }


def _between(
    stacks: Mapping[str, list[Column]], metrics: Sequence[str], better: Mapping[str, str]
) -> list[Difference]:
    """Every pair of methods, corrected across pairs in each metric."""
    found = []
    for metric in metrics:
        if metric.endswith("_truth"):
            continue
        pairs, tests = [], []
        for other, run in combinations(stacks, 2):
            first, second = _stacked([stacks[other], stacks[run]], metric)
            if first is not None and second is not None:
                pairs.append((run, other))
                tests.append(between_seeds(first, second, better.get(metric, "none")))
        for (run, other), told in zip(pairs, corrected(tests), strict=True):
            found.append(Difference(run, other, metric, told))
    return sorted(found, key=lambda d: [list(stacks).index(name) for name in (d.other, d.run)])


def _stacked(stacks: Sequence[list[Column]], metric: str) -> list[np.ndarray | None]:
    """Each method's (seeds, pictures) on the pictures that all are defined for; None where one lacks it."""
    if not all(metric in column for stack in stacks for column in stack):
        return [None] * len(stacks)
    tables = [np.stack([column[metric] for column in stack]) for stack in stacks]
    defined = np.isfinite(np.concatenate(tables)).all(axis=0)
    return [table[:, defined] if defined.sum() > 1 else None for table in tables]
