"""A comparison as terminal tables, Markdown, LaTeX and CSV."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from colorization.report.comparison import Cell, Comparisons, Difference

ARROWS = {"higher": "↑", "lower": "↓", "none": ""}
TEX = str.maketrans(
    {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$", "–": "--", "\\": r"\textbackslash{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {sign: "\\" + sign for sign in "_%&#${}"}
)
DIFFERENCES = ("run", "against", "metric", "difference", "95% interval", "p", "wins", "verdict")
TRUTH = "_truth"
MEANS = "mean over pictures ± half its 95% interval"


def columns(table: Comparisons) -> list[str]:
    """The metrics that have a column: what is of the truth alone, as chroma_truth, stands in the notes."""
    return [metric for metric in table.metrics if not metric.endswith(TRUTH)]


def heads(table: Comparisons) -> list[str]:
    """Each column's metric with its unit and the direction that is better."""
    found = []
    for metric in columns(table):
        unit = table.units.get(metric, "")
        parts = (metric, f"({unit})" if unit else "", ARROWS[table.better.get(metric, "none")])
        found.append(" ".join(part for part in parts if part))
    return found


def means(table: Comparisons) -> list[list[str]]:
    """Rows of text: floors, runs, methods over their seeds, ceilings."""
    rows: dict[str, list[list[str]]] = {"floor": [], "run": [], "ceiling": []}
    for name, cells in table.cells.items():
        rows[table.kinds[name]].append([name, *(_mean(cells.get(m)) for m in columns(table))])
    methods = [
        [f"{name}, {len(table.seeds[name])} seeds", *(_mean(cells.get(m)) for m in columns(table))]
        for name, cells in table.methods.items()
    ]
    return [*rows["floor"], *rows["run"], *methods, *rows["ceiling"]]


def differences(table: Comparisons) -> list[list[str]]:
    """Rows of text under DIFFERENCES."""
    return [_told(difference, table) for difference in table.differences]


def terminal(table: Comparisons, width: int) -> list[Table]:
    """Tables for a terminal of so many columns: means, broken into as many as it takes, and differences."""
    rows, heading = means(table), heads(table)
    label = min(max(len(row[0]) for row in rows), 28)
    cell = max(15, *(min(len(head), 24) for head in heading)) + 3
    fit = max((width - label - 4) // cell, 1)
    shown = []
    for start in range(0, len(heading), fit):
        block = _rich(MEANS if not start else None, ["", *heading[start : start + fit]])
        for row in rows:
            block.add_row(row[0], *row[1 + start : 1 + start + fit])
        shown.append(block)
    return [*shown, _rich_differences(table)] if table.differences else shown


def markdown(table: Comparisons) -> str:
    """The tables for a README, with what they mean."""
    parts = [grid(["", *heads(table)], means(table))]
    if table.differences:
        parts.append(grid(DIFFERENCES, differences(table)))
    return "\n".join([*parts, notes(table)]) + "\n"


def latex(table: Comparisons) -> str:
    """The tables for a paper (booktabs)."""
    parts = [_tabular(["", *heads(table)], means(table))]
    if table.differences:
        parts.append(_tabular(DIFFERENCES, differences(table)))
    return "\n".join([*parts, f"% {notes(table)}"]) + "\n"


def as_csv(table: Comparisons) -> str:
    """One row per row and metric of the means, then one per difference; everything, to the last digit."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["kind", "run", "against", "metric", "unit", "mean", "low", "high", "p_holm", "wins"])
    rows = [(table.kinds[name], name, cells) for name, cells in table.cells.items()]
    for kind, name, cells in [*rows, *(("method", name, cells) for name, cells in table.methods.items())]:
        for metric, cell in cells.items():
            unit = table.units.get(metric, "")
            writer.writerow([kind, name, "", metric, unit, cell.mean, cell.low, cell.high, "", ""])
            if a := cell.against:
                told = [a.difference, a.low, a.high, a.p, a.wins]
                writer.writerow(["difference", name, table.baseline, metric, unit, *told])
    for d in table.differences:
        if d.run in table.methods:
            told = [d.told.difference, d.told.low, d.told.high, d.told.p, d.told.wins]
            writer.writerow(["difference", d.run, d.other, d.metric, table.units.get(d.metric, ""), *told])
    return out.getvalue()


def settings_table(settings: dict[str, list[Any]], names: Sequence[str]) -> Table:
    """The settings that differ, for a terminal."""
    heading, *rows = _settings(settings, names)
    table = _rich("settings that differ", heading)
    for line in rows:
        table.add_row(*line)
    return table


def settings_markdown(settings: dict[str, list[Any]], names: Sequence[str]) -> str:
    """The same for a README."""
    heading, *rows = _settings(settings, names)
    return grid(heading, rows)


def _settings(settings: dict[str, list[Any]], names: Sequence[str]) -> list[list[str]]:
    """Lines of text, the heading first; what there is more of, runs or settings, goes downwards."""
    lines = [["", *names], *([key, *map(str, values)] for key, values in settings.items())]
    return lines if len(settings) >= len(names) else [list(line) for line in zip(*lines, strict=True)]


def notes(table: Comparisons) -> str:
    """What the numbers are."""
    said = ["± is half the bootstrap 95% interval over pictures."]
    truth = {m: table.cells[table.baseline].get(m) for m in table.metrics if m.endswith(TRUTH)}
    for metric, cell in truth.items():
        if cell:
            said.append(f"The truth's {metric.removesuffix(TRUTH)} is {cell.mean:.3f}.")
    if table.methods:
        said.append("Of a method it is half the 95% interval over seeds and pictures.")
    if table.differences:
        said.append(
            "p is two-sided and Holm-corrected across what is compared in a metric: between runs by sign "
            "flips of pictures, between methods by a t-test that takes seeds and pictures for samples."
        )
    return " ".join(said)


def _mean(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    if cell.low is None or cell.high is None:
        return f"{cell.mean:.3f}"
    half = (cell.high - cell.low) / 2
    digits = _digits(half)
    return f"{cell.mean:.{digits}f} ± {half:.{digits}f}"


def _told(difference: Difference, table: Comparisons) -> list[str]:
    told, better = difference.told, table.better.get(difference.metric, "none")
    verdict = "not distinguishable"
    if told.real:
        ahead = (told.difference > 0) == (better == "higher")
        verdict = "differs" if better == "none" else "better" if ahead else "worse"
    digits = _digits(told.high - told.low)
    interval = f"{told.low:+.{digits}f} to {told.high:+.{digits}f}"
    numbers = [f"{told.difference:+.{digits}f}", interval, f"{told.p:.2g}", f"{told.wins:.0%}"]
    return [difference.run, difference.other, difference.metric, *numbers, verdict]


def _rich_differences(table: Comparisons) -> Table:
    """The differences, each pair's below its names: narrow enough for 80 columns."""
    others = {difference.other for difference in table.differences}
    alone = others.pop() if len(others) == 1 else None
    title = f"differences to {alone}" if alone else "differences"
    shown = Table(title=f"{title}, paired over pictures", title_justify="left", box=SIMPLE_HEAD)
    for i, column in enumerate(DIFFERENCES[2:]):
        shown.add_column(column, justify="right" if i else "left", overflow="fold", no_wrap=i > 0)
    shown.caption, shown.caption_justify = "n.s.: not distinguishable", "left"
    pair = None
    for row in differences(table):
        if pair != (pair := row[:2]):
            shown.add_section()
            shown.add_row(row[0] if alone else " against ".join(pair), style="bold")
        shown.add_row(*row[2:-1], row[-1].replace("not distinguishable", "n.s."))
    return shown


def _digits(width: float) -> int:
    """Decimals that show an interval of this width: three, or as many as two of its own digits take."""
    return min(max(3, 1 - math.floor(math.log10(width))), 6) if width > 0 else 3


def _rich(title: str | None, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", overflow="fold")
    return table


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _tabular(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [" & ".join(cell.translate(TEX) for cell in line) + r" \\" for line in (columns, *rows)]
    begin = r"\begin{tabular}{l" + "r" * (len(columns) - 1) + "}"
    return "\n".join(
        [begin, r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}", ""]
    )
