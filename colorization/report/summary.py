"""A scored model in the terminal: between its floors and its ceilings, or under every protocol."""

import math
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from colorization.report.comparison import CEILINGS, FLOORS
from colorization.scorer import Row

ARROWS = {"higher": "↑", "lower": "↓", "none": ""}
TITLES = FLOORS | CEILINGS


def summary_table(summary: dict[str, Any], name: str) -> Table:
    """A scored model between its floors and its ceilings, in what the protocol reports."""
    reported, better = summary["reported"], summary["better"]
    names = {short: metric for short, metric in reported.items() if metric in better}
    columns = [f"{short} {ARROWS[better[metric]]}".strip() for short, metric in names.items()]
    what, count, of = f"{summary['data']} {summary['split']}", summary["pictures"], summary["of"]
    shown_of = "" if of == count else f" of {of}"
    title = f"{what}, protocol {summary['protocol']}: {count}{shown_of} pictures"
    table = Table(title=title, title_justify="left", caption=_notes(summary), caption_justify="left")
    table.add_column("", overflow="fold")
    for column in columns:
        table.add_column(column, justify="right")
    rows = {TITLES[key]: numbers for key, numbers in summary["baselines"].items()}
    for key in FLOORS:
        if TITLES[key] in rows:
            table.add_row(TITLES[key], *_cells(rows.pop(TITLES[key]), names.values()))
    table.add_section()
    table.add_row(f"[bold]{name}", *_cells(summary, names.values()))
    table.add_section()
    for title, numbers in rows.items():
        table.add_row(title, *_cells(numbers, names.values()))
    return table


def protocols_table(summaries: Mapping[str, dict[str, Any]], name: str) -> tuple[Table, list[Row]]:
    """One row per protocol: a model and grey in the numbers that each reports; and the same as plain rows."""
    shorts = list(dict.fromkeys(short for summary in summaries.values() for short in summary["reported"]))
    table = Table(title=f"{name} | grey (ab = 0), by protocol", title_justify="left")
    table.add_column("protocol", overflow="fold")
    for short in shorts:
        table.add_column(short, justify="right")
    rows: list[Row] = []
    for protocol, summary in summaries.items():
        pair = []
        for colouring, numbers in ((name, summary), ("grey", summary["baselines"]["grey"])):
            pair.append({short: number(numbers, summary["reported"].get(short, "")) for short in shorts})
            rows.append({"protocol": protocol, "colouring": colouring, **pair[-1]})
        table.add_row(protocol, *(f"{pair[0][short]:.3f} | {pair[1][short]:.3f}" for short in shorts))
    return table, rows


def number(scored: Mapping[str, Any], metric: str) -> float:
    """A mean or a number of the whole set; NaN where there is none."""
    return (scored["metrics"] | scored["set_metrics"]).get(metric, math.nan)


def _cells(scored: Mapping[str, Any], metrics: Any) -> list[str]:
    return [f"{number(scored, metric):.3f}" for metric in metrics]


def _notes(summary: dict[str, Any]) -> str:
    """What the columns leave out."""
    numbers = summary["metrics"] | summary["set_metrics"]
    others = [name for name in numbers if name not in summary["reported"].values()]
    lines = [", ".join(f"{k} {numbers[k]:.3f} {summary['units'].get(k, '')}".strip() for k in others)]
    if summary["grey_pictures"]:
        apart = summary["grey_pictures"]
        lines.append(f"{apart} of the pictures have no colour themselves")
    lines += [f"no {name}: {reason}" for name, reason in summary["absent"].items()]
    lines += [f"{name}: {reason}" for name, reason in summary["undefined"].items()]
    return "\n".join(line for line in lines if line)
