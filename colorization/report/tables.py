"""A comparison as terminal tables, Markdown, LaTeX and CSV."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from colorization.report.comparison import Cell, Comparisons, Contrast

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
    """The metrics that have a column; those of the truth alone, such as chroma_truth, are in the notes."""
    return [metric for metric in table.metrics if not metric.endswith(TRUTH)]


def headings(table: Comparisons) -> list[str]:
    """Each column's metric with its unit and its better direction."""
    texts = []
    for metric in columns(table):
        unit = table.units.get(metric, "")
        parts = (metric, f"({unit})" if unit else "", ARROWS[table.better.get(metric, "none")])
        texts.append(" ".join(part for part in parts if part))
    return texts


def mean_rows(table: Comparisons) -> list[list[str]]:
    """Rows of text: floors, runs, methods over their seeds, ceilings."""
    rows: dict[str, list[list[str]]] = {"floor": [], "run": [], "ceiling": []}
    for name, cells in table.cells.items():
        rows[table.kinds[name]].append([name, *(_mean(cells.get(m)) for m in columns(table))])
    methods = [
        [f"{name}, {len(table.seeds[name])} seeds", *(_mean(cells.get(m)) for m in columns(table))]
        for name, cells in table.methods.items()
    ]
    return [*rows["floor"], *rows["run"], *methods, *rows["ceiling"]]


def difference_rows(table: Comparisons) -> list[list[str]]:
    """Rows of text under DIFFERENCES."""
    return [_difference(contrast, table) for contrast in table.contrasts]


def terminal(table: Comparisons, width: int) -> list[Table]:
    """Tables that fit a terminal of that width: means, in as many tables as needed, and differences."""
    rows, heading = mean_rows(table), headings(table)
    label = min(max(len(row[0]) for row in rows), 28)
    cell = max(15, *(min(len(head), 24) for head in heading)) + 3
    fit = max((width - label - 4) // cell, 1)
    blocks = []
    for start in range(0, len(heading), fit):
        block = _rich(MEANS if not start else None, ["", *heading[start : start + fit]])
        for row in rows:
            block.add_row(row[0], *row[1 + start : 1 + start + fit])
        blocks.append(block)
    return [*blocks, _rich_differences(table)] if table.contrasts else blocks


def markdown(table: Comparisons) -> str:
    """The tables for a README, with notes."""
    parts = [grid(["", *headings(table)], mean_rows(table))]
    if table.contrasts:
        parts.append(grid(DIFFERENCES, difference_rows(table)))
    return "\n".join([*parts, notes(table)]) + "\n"


def latex(table: Comparisons) -> str:
    """The tables for a paper (booktabs)."""
    parts = [_tabular(["", *headings(table)], mean_rows(table))]
    if table.contrasts:
        parts.append(_tabular(DIFFERENCES, difference_rows(table)))
    return "\n".join([*parts, f"% {notes(table)}"]) + "\n"


def as_csv(table: Comparisons) -> str:
    """One line per mean, then one per difference, to the last digit."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["kind", "run", "against", "metric", "unit", "mean", "low", "high", "p_holm", "wins"])
    rows = [(table.kinds[name], name, cells) for name, cells in table.cells.items()]
    for kind, name, cells in [*rows, *(("method", name, cells) for name, cells in table.methods.items())]:
        for metric, cell in cells.items():
            unit = table.units.get(metric, "")
            writer.writerow([kind, name, "", metric, unit, cell.mean, cell.low, cell.high, "", ""])
            if cell.against:
                writer.writerow(["difference", name, table.baseline, metric, unit, *astuple(cell.against)])
    for c in table.contrasts:
        if c.run in table.methods:
            unit = table.units.get(c.metric, "")
            writer.writerow(["difference", c.run, c.other, c.metric, unit, *astuple(c.comparison)])
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
    """Lines of text, the heading first; runs or settings go downwards, whichever are more."""
    lines = [["", *names], *([key, *map(str, values)] for key, values in settings.items())]
    return lines if len(settings) >= len(names) else [list(line) for line in zip(*lines, strict=True)]


def notes(table: Comparisons) -> str:
    """What the numbers mean, in sentences."""
    sentences = ["± is half the bootstrap 95% interval over pictures."]
    truth = {m: table.cells[table.baseline].get(m) for m in table.metrics if m.endswith(TRUTH)}
    for metric, cell in truth.items():
        if cell:
            sentences.append(f"The truth's {metric.removesuffix(TRUTH)} is {cell.mean:.3f}.")
    if table.methods:
        sentences.append("Of a method it is half the 95% interval over seeds and pictures.")
    if table.contrasts:
        sentences.append(
            "p is two-sided and Holm-corrected across what is compared in a metric: between runs by sign "
            "flips of pictures, between methods by a t-test that takes seeds and pictures for samples."
        )
    return " ".join(sentences)


def _mean(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    if cell.low is None or cell.high is None:
        return f"{cell.mean:.3f}"
    half = (cell.high - cell.low) / 2
    digits = _digits(half)
    return f"{cell.mean:.{digits}f} ± {half:.{digits}f}"


def _difference(contrast: Contrast, table: Comparisons) -> list[str]:
    c, better = contrast.comparison, table.better.get(contrast.metric, "none")
    verdict = "not distinguishable"
    if c.real:
        improved = (c.difference > 0) == (better == "higher")
        verdict = "differs" if better == "none" else "better" if improved else "worse"
    digits = _digits(c.high - c.low)
    interval = f"{c.low:+.{digits}f} to {c.high:+.{digits}f}"
    numbers = [f"{c.difference:+.{digits}f}", interval, f"{c.p:.2g}", f"{c.wins:.0%}"]
    return [contrast.run, contrast.other, contrast.metric, *numbers, verdict]


def _rich_differences(table: Comparisons) -> Table:
    """The differences, those of each pair below its names: narrow enough for 80 columns."""
    others = {contrast.other for contrast in table.contrasts}
    single = others.pop() if len(others) == 1 else None
    title = f"differences to {single}" if single else "differences"
    block = Table(title=f"{title}, paired over pictures", title_justify="left", box=SIMPLE_HEAD)
    for i, column in enumerate(DIFFERENCES[2:]):
        block.add_column(column, justify="right" if i else "left", overflow="fold", no_wrap=i > 0)
    block.caption, block.caption_justify = "n.s.: not distinguishable", "left"
    pair = None
    for row in difference_rows(table):
        if pair != (pair := row[:2]):
            block.add_section()
            block.add_row(row[0] if single else " against ".join(pair), style="bold")
        block.add_row(*row[2:-1], row[-1].replace("not distinguishable", "n.s."))
    return block


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
