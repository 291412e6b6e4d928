"""How runs stand, as their folders tell it: run.json, heartbeat.json, metrics.csv."""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from colorization.callback.heartbeat import FILE
from colorization.files import TEXT, is_running, read_csv

STYLES = {"running": "cyan", "finished": "green", "failed": "red", "killed": "red", "stuck": "red"}
SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (0, "s"))


@dataclass(frozen=True)
class Standing:
    """One run.

    Attributes:
        state: running, scoring, stuck, killed, stopped, failed or finished; "starting" before it trains.
        progress: the share of its budget that is spent, 0..1.
        pictures: seen so far.
        age: seconds since it was last heard of.
        best: the watched metric's best validation, with its name.
        left: seconds of training that are left at the pace so far; None: not known.
    """

    name: str
    state: str
    progress: float
    pictures: int
    age: float
    best: str
    left: float | None


def runs_below(places: Sequence[Path]) -> Iterator[Path]:
    """The run folders in these, however deep; the insides of a run are not searched."""
    for place in places:
        if (place / "run.json").is_file():
            yield place
            continue
        yield from runs_below(sorted(path for path in place.iterdir() if path.is_dir()))


def standing(folder: Path, patience: float, now: float | None = None) -> Standing:
    """How a run stands.

    Args:
        folder: the run's.
        patience: seconds without a heartbeat after which it is stuck.
        now: seconds since the epoch; None: the clock's.
    """
    now = time.time() if now is None else now
    record, beat = _json(folder / "run.json"), _json(folder / FILE)
    files = [
        path for name in ("run.json", FILE, "metrics.csv", "train.log") if (path := folder / name).exists()
    ]
    age = max(now - max(path.stat().st_mtime for path in files), 0.0)
    state = record.get("status", "unknown")
    if state == "finished" and not (folder / "metrics.json").exists():
        state = "scoring" if age < patience else "stuck"
    elif state == "running":
        state = _alive(beat, age, patience)
    progress = 1.0 if record.get("status") == "finished" else beat.get("progress", 0.0)
    rows = read_csv(folder / "metrics.csv") if (folder / "metrics.csv").exists() else []
    spent = max((float(row["seconds"]) for row in rows if row.get("seconds")), default=0.0)
    left = spent / progress - spent if state == "running" and progress and spent else None
    pictures = int(record.get("pictures_seen") or beat.get("pictures", 0))
    best = "" if beat.get("best") is None else f"{beat['watch']} {beat['best']:.4g}"
    return Standing(folder.name, state, progress, pictures, age, best, left)


def table(found: Sequence[Standing]) -> Table:
    """One row for each run."""
    drawn = Table("run", "state", "done", "pictures", "last heard of", "best", "left", box=None)
    for run in found:
        drawn.add_row(
            run.name,
            Text(run.state, STYLES.get(run.state, "")),
            f"{run.progress:.0%}",
            f"{run.pictures:,}",
            f"{span(run.age)} ago",
            run.best,
            "" if run.left is None else span(run.left),
        )
    return drawn


def span(seconds: float) -> str:
    """Seconds in the largest unit that goes in: 90 -> 1 min."""
    unit, name = next((unit, name) for unit, name in SPANS if seconds >= unit)
    return f"{seconds / (unit or 1):.0f} {name}"


def _alive(beat: dict[str, Any], age: float, patience: float) -> str:
    here = beat.get("host") == socket.gethostname()
    if here and not is_running(beat["process"]):
        return "killed"
    if age > patience:
        return "stuck"
    return "running" if beat else "starting"


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(**TEXT)) if path.exists() else {}
