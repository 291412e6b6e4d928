"""A comparison as rows, and the rows as terminal table, Markdown, LaTeX and CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from colorization.report.reading import Scored, by_seed
from colorization.report.statistics import RESAMPLES, Comparison, compare, interval

ARROWS = {"higher": "↑", "lower": "↓", "none": ""}


@dataclass(frozen=True)
class Cell:
    """A mean over pictures with its 95% interval, and for the other runs their test against the baseline."""

    mean: float
    low: float
    high: float
    against: Comparison | None = None


@dataclass(frozen=True)
class Comparisons:
    """The whole table.

    Attributes:
        metrics: names, in the order of the columns.
        units, better: of each metric.
        cells: run (the grey floor first) -> metric -> Cell.
        baseline: the run that the others are compared with.
        seeds: group of runs that differ by seed -> metric -> (mean, standard deviation, runs).
    """

    metrics: list[str]
    units: dict[str, str]
    better: dict[str, str]
    cells: dict[str, dict[str, Cell]]
    baseline: str
    seeds: dict[str, dict[str, tuple[float, float, int]]]


GREY = "grey (ab = 0)"


def compared(runs: Sequence[Scored], resamples: int = RESAMPLES) -> Comparisons:
    """All statistics of runs scored on the same pictures, against the first of them."""
    first = runs[0]
    metrics = [name for name in first.values if all(name in run.values for run in runs)]
    counted = first.coloured
    columns: dict[str, dict[str, np.ndarray]] = {GREY: first.floor} | {run.name: run.values for run in runs}
    cells: dict[str, dict[str, Cell]] = {name: {} for name in columns}
    for metric in metrics:
        table = np.stack([values[metric][counted] for values in columns.values()], axis=1)
        lows, highs = interval(table, resamples=resamples)
        others = [name for name in columns if name not in (GREY, first.name)]
        better = first.summary["better"].get(metric, "none")
        against = compare(
            first.values[metric][counted],
            [columns[name][metric][counted] for name in others],
            better,
            resamples,
        )
        verdicts = dict(zip(others, against, strict=True))
        for i, name in enumerate(columns):
            mean = float(table[:, i].mean())
            cells[name][metric] = Cell(mean, float(lows[i]), float(highs[i]), verdicts.get(name))
    return Comparisons(
        metrics,
        first.summary["units"],
        first.summary["better"],
        cells,
        first.name,
        _over_seeds(runs, metrics),
    )


def terminal(table: Comparisons) -> Table:
    """The table for a terminal: rows are metrics, columns are runs."""
    shown = Table(
        title=f"mean over pictures; difference to {table.baseline} [95% interval]", title_justify="left"
    )
    shown.add_column("metric")
    for name in table.cells:
        shown.add_column(name, justify="right", overflow="fold")
    for metric in table.metrics:
        label = f"{metric} {ARROWS[table.better.get(metric, 'none')]} {table.units.get(metric, '')}".strip()
        shown.add_row(label, *(_long(cells[metric]) for cells in table.cells.values()))
    return shown


def markdown(table: Comparisons) -> str:
    """The table for a README: rows are runs."""
    lines = ["| run | " + " | ".join(_heads(table)) + " |", "|---" * (len(table.metrics) + 1) + "|"]
    for name, cells in table.cells.items():
        lines.append(f"| {name} | " + " | ".join(_short(cells[m]) for m in table.metrics) + " |")
    return "\n".join([*lines, "", *_seed_lines(table), _note(table)]) + "\n"


def latex(table: Comparisons) -> str:
    """The table for a paper (booktabs)."""
    escape = str.maketrans({"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#"})
    arrows = {"↑": r"$\uparrow$", "↓": r"$\downarrow$"}
    heads = [h.translate(escape) for h in _heads(table)]
    for arrow, command in arrows.items():
        heads = [h.replace(arrow, command) for h in heads]
    lines = [
        r"\begin{tabular}{l" + "r" * len(heads) + "}",
        r"\toprule",
        " & ".join(["run", *heads]) + r" \\",
        r"\midrule",
    ]
    for name, cells in table.cells.items():
        values = [_short(cells[m]).replace("±", r"$\pm$") for m in table.metrics]
        lines.append(" & ".join([name.translate(escape), *values]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def as_csv(table: Comparisons) -> str:
    """One row per run and metric, with everything."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["run", "metric", "unit", "mean", "low", "high", "difference", "d_low", "d_high", "p_holm", "wins"]
    )
    for name, cells in table.cells.items():
        for metric, cell in cells.items():
            a = cell.against
            rest: list[Any] = [a.difference, a.low, a.high, a.p, a.wins] if a else [""] * 5
            writer.writerow(
                [name, metric, table.units.get(metric, ""), cell.mean, cell.low, cell.high, *rest]
            )
    return out.getvalue()


def _over_seeds(runs: Sequence[Scored], metrics: list[str]) -> dict[str, dict[str, tuple[float, float, int]]]:
    groups = {name: group for name, group in by_seed(runs).items() if len(group) > 1}
    return {
        name: {
            metric: _spread([run.values[metric][run.coloured].mean() for run in group]) for metric in metrics
        }
        for name, group in groups.items()
    }


def _spread(means: list[float]) -> tuple[float, float, int]:
    return float(np.mean(means)), float(np.std(means, ddof=1)), len(means)


def _heads(table: Comparisons) -> list[str]:
    heads = []
    for metric in table.metrics:
        unit = table.units.get(metric, "")
        heads.append(
            f"{metric}{f' ({unit})' if unit else ''} {ARROWS[table.better.get(metric, 'none')]}".strip()
        )
    return heads


def _short(cell: Cell) -> str:
    return f"{cell.mean:.3f} ± {(cell.high - cell.low) / 2:.3f}"


def _long(cell: Cell) -> str:
    if cell.against is None:
        return f"{cell.mean:.3f}\n[{cell.low:.3f}, {cell.high:.3f}]"
    a = cell.against
    verdict = f"p={a.p:.2g}, wins {a.wins:.0%}" if a.real else "not distinguishable"
    return f"{cell.mean:.3f}\n{a.difference:+.3f} [{a.low:+.3f}, {a.high:+.3f}]\n{verdict}"


def _seed_lines(table: Comparisons) -> list[str]:
    lines = []
    for name, metrics in table.seeds.items():
        parts = [f"{metric} {mean:.3f} ± {sd:.3f}" for metric, (mean, sd, _) in metrics.items()]
        count = next(iter(metrics.values()))[2]
        lines += [f"Over {count} seeds of {name} (mean ± standard deviation): {', '.join(parts)}.", ""]
    return lines


def _note(table: Comparisons) -> str:
    return (
        f"± is half the bootstrap 95% interval over pictures. Differences are told against {table.baseline}."
    )
