"""A recorded study, trained and scored once more: its numbers beside those that are recorded."""

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from colorization import build
from colorization.compose import composed
from colorization.config import EXPERIMENTS, ConfigError, command_line
from colorization.run import is_code_of, provenance
from colorization.scoring import stability
from colorization.scoring.predictions import of_split
from colorization.study import outdated, read_results

SAME = "same to the digit"
INSIDE = "inside the interval"
NO_INTERVAL = "no interval is recorded"
NOT_MEASURED = "not measured here"
DIFFERENT = "not the same"
OUTSIDE = "outside the interval"


@dataclass(frozen=True)
class Outcome:
    """One metric of one run: its recorded value and its value now."""

    run: str
    metric: str
    recorded: float
    now: float
    verdict: str

    @property
    def reproduced(self) -> bool:
        """Whether the verdict is a good one."""
        return self.verdict not in (DIFFERENT, OUTSIDE)


def study_folder(folder: Path) -> Path:
    """The folder as given, or the recorded study of that name."""
    return folder if folder.exists() else EXPERIMENTS / folder.name


def reproduce(folder: Path, extra: Sequence[str], only: Sequence[str] | None, out: Path) -> list[Outcome]:
    """Train and score a study's runs again in OUT/STUDY/RUN.

    Raises:
        ConfigError: when nothing is recorded, the recipe has changed since, or the pictures are others.
    """
    entries = read_results(folder).get("runs", {})
    if not entries:
        command = command_line("evaluate", "run=RUN", f"record={folder}")
        raise ConfigError([f"{folder}: has no results.json; record a run first: {command}"])
    if outdated(folder):
        raise ConfigError([f"{folder}: its recipe has changed since results were recorded; record new ones"])
    if unknown := [name for name in only or () if name not in entries]:
        raise ConfigError(
            [f"only: no run {', '.join(unknown)} is recorded; choose from {', '.join(entries)}"]
        )
    chosen = {name: entry for name, entry in entries.items() if not only or name in only}
    reasons = {name: deviations(entry, extra) for name, entry in chosen.items()}  # checks the settings, too
    place = out / folder.resolve().name
    if present := [name for name in chosen if (place / name).exists()]:
        raise ConfigError([f"{place / present[0]}: exists; choose another place, out=FOLDER"])
    if faults := [fault for name, entry in chosen.items() for fault in other_pictures(name, entry, extra)]:
        raise ConfigError(faults)
    outcomes = []
    for name, entry in chosen.items():
        print(f"{name}: must come {tolerance(reasons[name])}", flush=True)
        outcomes += compare(name, entry, repeat(place / name, entry, extra), exact=not reasons[name])
    return outcomes


def other_pictures(name: str, entry: dict[str, Any], extra: Sequence[str]) -> list[str]:
    """Pack the pictures of a run; a fault for each split whose fingerprint is not the recorded one."""
    scores, run = entry["scores"], entry["run"]
    pictures = [] if run else floors(scores, extra)
    evaluation = composed("evaluate", [f"protocol={scores['protocol']}", *pictures])
    training = composed("train", [*run["overrides"], *extra]) if run else None
    protocol = build.protocol(evaluation)
    data = build.data(training or evaluation, protocol)
    _, called = of_split(data, scores["split"], protocol, limit(scores))
    pairs = [("scored", scores["fingerprint"], called["fingerprint"])]
    if training:
        pairs.append(("trained", run["data"]["fingerprint"]["train"], data.fingerprint("train")))
    return [
        f"{name}: was {verb} on other pictures (fingerprint {before}, here {now}); "
        "point data.root at the recorded ones"
        for verb, before, now in pairs
        if before != now
    ]


def repeat(folder: Path, entry: dict[str, Any], extra: Sequence[str]) -> dict[str, Any]:
    """Train (where a run was trained) and score once more; the new summary."""
    scores, measured = entry["scores"], numbers(entry["scores"])
    suffix = "" if scores["protocol"] == "v1" else f"_{scores['protocol']}"
    summary = folder / "evaluation" / f"{scores['data']}_{scores['split']}{suffix}" / "summary.json"
    available = composed("evaluate", ["metric=[networks]"]).metric
    networks = ",".join(name for name in available if name in measured)
    settings = [f"split={scores['split']}", f"protocol={scores['protocol']}", f"metric=[{networks}]"]
    settings.append(f"pictures={limit(scores) or 'null'}")
    more = [f"samples={scores['samples']}"] if "samples" in scores else []
    more += ["hints_curve=true"] if "hints_curve" in scores else []
    more += ["steps_curve=true"] if "steps_curve" in scores else []
    more += ["stability=true"] if stability.NAME in measured else []
    if entry["run"] is None:
        _python("evaluate", *settings, *floors(scores, extra), f"out={folder}")
    else:
        amounts = [f"test.pictures={limit(scores) or 'null'}"]
        amounts += [] if "of" in scores else ["validate.pictures=null"]  # recorded before there was a limit
        name = f"data.name={scores['data']}"  # their fingerprints say that the pictures are the same
        _python("train", *entry["run"]["overrides"], *amounts, *extra, name, f"run.dir={folder}")
        if networks or more or not summary.exists():  # training has scored its own test pictures
            _python("evaluate", f"run={folder}", *settings, *more)
    return json.loads(summary.read_text(encoding="utf-8"))


def floors(scores: dict[str, Any], extra: Sequence[str]) -> list[str]:
    """What evaluate is told of the pictures where no run was trained."""
    return [f"data={scores.get('loader', scores['data'])}", *extra, f"data.name={scores['data']}"]


def limit(scores: dict[str, Any]) -> int | None:
    """How many pictures were scored; None: all."""
    return scores["pictures"] if scores["pictures"] < scores.get("of", 0) else None


def numbers(scores: dict[str, Any]) -> dict[str, float]:
    """Every number of a scored run, by name."""
    hints = {f"psnr_{count}_hints": psnr for count, psnr in scores.get("hints_curve", {}).items()}
    return scores["metrics"] | scores.get("set_metrics", {}) | hints


def compare(name: str, entry: dict[str, Any], summary: dict[str, Any], exact: bool) -> list[Outcome]:
    """A new summary beside the recorded scores, metric by metric; `exact`: to the digit."""
    intervals, here = entry["scores"]["intervals"], numbers(summary)
    return [
        Outcome(name, metric, before, now, verdict(before, now, intervals.get(metric), exact))
        for metric, before in numbers(entry["scores"]).items()
        for now in [here.get(metric, math.nan)]
    ]


def verdict(before: float, now: float, bounds: Sequence[float] | None, exact: bool) -> str:
    """How a number compares with the recorded one; `exact`: to the digit, else within its bounds."""
    if math.isnan(now):
        return NOT_MEASURED
    if exact or before == now:
        return SAME if before == now else DIFFERENT
    if bounds is None:
        return NO_INTERVAL
    return INSIDE if bounds[0] <= now <= bounds[1] else OUTSIDE


def deviations(entry: dict[str, Any], extra: Sequence[str]) -> list[str]:
    """Why a run need not give the same digits: what differs from the recorded one, or a budget of time.

    Raises:
        ConfigError: when its settings no longer compose, or the extra ones are wrong.
    """
    before, now = entry["run"] or entry["evaluated"], provenance()
    reasons = [f"other {key}" for key in ("hardware", "versions") if before[key] != now[key]]
    if entry["run"] and composed("train", [*entry["run"]["overrides"], *extra]).budget.time is not None:
        reasons.append("a budget of time")
    commit = (before["git"]["commit"] if entry["run"] else before["commit"]) or ""
    if not is_code_of(commit):
        other = f"other code; git checkout {commit[:12]} -- colorization conf restores it"
        reasons.append(other if commit else "code of no recorded commit")
    return reasons


def tolerance(reasons: Sequence[str]) -> str:
    """How close a run must come to the recorded numbers, in words."""
    return f"within its intervals ({', '.join(reasons)})" if reasons else "to the digit"


def outcome_table(outcomes: Sequence[Outcome]) -> Table:
    """Recorded and now, side by side."""
    table = Table(title="reproduced", title_justify="left")
    for i, column in enumerate(("run", "metric", "recorded", "now", "difference", "verdict")):
        table.add_column(column, justify="right" if 2 <= i <= 4 else "left", overflow="fold")
    for o in outcomes:
        values = (f"{o.recorded:.6f}", f"{o.now:.6f}", f"{o.now - o.recorded:+.6f}")
        table.add_row(o.run, o.metric, *values, o.verdict)
    return table


def _python(name: str, *arguments: str) -> None:
    """Run a command of this project; where it fails, it has printed why, and this one ends with its code."""
    code = subprocess.run([sys.executable, "-m", f"colorization.{name}", *arguments], check=False).returncode
    if code:
        sys.exit(code)
