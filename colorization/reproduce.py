"""Run a recorded study again, and hold what comes out against what is recorded.

    python -m colorization.reproduce experiments/unet_l1 data.root=COCO
    python -m colorization.reproduce experiments/loss_ablation data.root=COCO only=[loss_ablation_mse_0]

Every run is trained with the overrides and the seed that results.json records. Other settings of training
(NAME=VALUE) are added to each. Budgets of pictures, steps or epochs must give the recorded numbers to the
last digit with the code, the machine and the versions that are recorded; budgets of time, and everything
else, must come within the recorded 95% intervals. Exit code 1 tells that a number did not. What differs is
told before anything is trained, and the recorded code comes back by git checkout COMMIT -- colorization conf.
"""

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from colorization.command import command_request, errors_in_words
from colorization.compose import composed
from colorization.config import EXPERIMENTS, ConfigError
from colorization.run import is_code_of, provenance
from colorization.study import outdated, recorded

SAME = "same to the digit"
INSIDE = "inside the interval"
UNJUDGED = "no interval is recorded"
ABSENT = "not measured here"
OTHER = "not the same"
OUTSIDE = "outside the interval"


@dataclass(frozen=True)
class Outcome:
    """One metric of one run, as recorded and as it came out now."""

    run: str
    metric: str
    recorded: float
    now: float
    verdict: str

    @property
    def reproduced(self) -> bool:
        """Whether the verdict is a good one."""
        return self.verdict not in (OTHER, OUTSIDE)


def main() -> None:
    """The command: settings of its own go to conf/reproduce.yaml, all others to training."""
    with errors_in_words():
        request = command_request("reproduce", __doc__, "studies")
        own = [o for o in request.overrides if o.partition("=")[0] in ("only", "out")]
        cfg = composed("reproduce", own)
        if len(request.paths) != 1:
            raise ConfigError(["give one study: python -m colorization.reproduce experiments/NAME"])
        outcomes = reproduce(
            found(request.paths[0]), [o for o in request.overrides if o not in own], cfg.only, Path(cfg.out)
        )
    Console().print(shown(outcomes))
    sys.exit(not all(outcome.reproduced for outcome in outcomes))


def found(folder: Path) -> Path:
    """A study's folder: as given, or of that name among those that the project has recorded."""
    return folder if folder.exists() else EXPERIMENTS / folder.name


def reproduce(folder: Path, extra: Sequence[str], only: Sequence[str] | None, out: Path) -> list[Outcome]:
    """Train and score a study's runs again in OUT/STUDY/RUN.

    Raises:
        ConfigError: when nothing is recorded, the recipe has changed since, or the pictures are others.
    """
    entries = recorded(folder).get("runs", {})
    if not entries:
        raise ConfigError([f"{folder}: has no results.json; record a run first: "
                           f"python -m colorization.evaluate run=RUN record={folder}"])  # fmt: skip
    if outdated(folder):
        raise ConfigError(
            [f"{folder}: its recipe has changed since its results were recorded; record new ones"]
        )
    if wrong := [name for name in only or () if name not in entries]:
        raise ConfigError([f"only: no run {', '.join(wrong)} is recorded; choose from {', '.join(entries)}"])
    chosen = {name: entry for name, entry in entries.items() if not only or name in only}
    loose = {name: loosened(entry, extra) for name, entry in chosen.items()}  # finds faults in settings, too
    place = out / folder.resolve().name
    if taken := [name for name in chosen if (place / name).exists()]:
        raise ConfigError([f"{place / taken[0]}: is there already; choose another place, out=FOLDER"])
    outcomes = []
    for name, entry in chosen.items():
        print(f"{name}: must come {within(loose[name])}", flush=True)
        summary = again(place / name, entry, extra)
        new = json.loads((place / name / "run.json").read_text()) if entry["run"] else None
        outcomes += judged(name, entry, summary, not loose[name], new)
    return outcomes


def again(folder: Path, entry: dict[str, Any], extra: Sequence[str]) -> dict[str, Any]:
    """Train (where a run was trained) and score once more; the new summary."""
    scores = entry["scores"]
    suffix = "" if scores["protocol"] == "v1" else f"_{scores['protocol']}"
    found = folder / "evaluation" / f"{scores['data']}_{scores['split']}{suffix}" / "summary.json"
    measured = numbers(scores)
    networks = ",".join(
        name for name in composed("evaluate", ["metric=[networks]"]).metric if name in measured
    )
    evaluate = [f"split={scores['split']}", f"protocol={scores['protocol']}", f"metric=[{networks}]"]
    drawn = [name.removeprefix("best_of_") for name in measured if name.startswith("best_of_")]
    beside = [f"samples={count}" for count in drawn]
    beside += ["hints_curve=true"] if "hints_curve" in scores else []
    if entry["run"] is None:
        _python("evaluate", f"data={scores['data']}", *evaluate, *extra, f"out={folder}")
    else:
        _python("train", *entry["run"]["overrides"], *extra, f"run.dir={folder}")
        if networks or beside or not found.exists():  # training has scored its own test pictures
            _python("evaluate", f"run={folder}", *evaluate, *beside)
    return json.loads(found.read_text())


def numbers(scores: dict[str, Any]) -> dict[str, float]:
    """All that was measured of one run, by name."""
    hints = {f"psnr_{count}_hints": psnr for count, psnr in scores.get("hints_curve", {}).items()}
    return scores["metrics"] | scores.get("set_metrics", {}) | hints


def judged(
    name: str, entry: dict[str, Any], summary: dict[str, Any], by_digit: bool, new: dict[str, Any] | None
) -> list[Outcome]:
    """Hold a new summary against the recorded one, metric by metric.

    Raises:
        ConfigError: when it was trained or scored on other pictures.
    """
    scores = entry["scores"]
    fingerprints = [("scored", scores["fingerprint"], summary["fingerprint"])]
    if entry["run"] and new:
        fingerprints += [("trained", *(run["data"]["fingerprint"]["train"] for run in (entry["run"], new)))]
    for done, before, after in fingerprints:
        if before != after:
            raise ConfigError([f"{name}: was {done} on other pictures (fingerprint {before}, here {after}); "
                               "point data.root at the recorded ones"])  # fmt: skip
    here = numbers(summary)
    return [
        Outcome(name, metric, before, now, verdict(before, now, scores["intervals"].get(metric), by_digit))
        for metric, before in numbers(scores).items()
        for now in [here.get(metric, math.nan)]
    ]


def verdict(before: float, now: float, bounds: Sequence[float] | None, by_digit: bool) -> str:
    """What a number is called beside its record."""
    if math.isnan(now):
        return ABSENT
    if by_digit or before == now:
        return SAME if before == now else OTHER
    if bounds is None:
        return UNJUDGED
    return INSIDE if bounds[0] <= now <= bounds[1] else OUTSIDE


def loosened(entry: dict[str, Any], extra: Sequence[str]) -> list[str]:
    """Why a run need not come out to the digit: what differs from the recorded one, or a budget of time.

    Raises:
        ConfigError: when its settings are not understood any more, or the extra ones are wrong.
    """
    before, now = entry["run"] or entry["evaluated"], provenance()
    reasons = [f"other {key}" for key in ("hardware", "versions") if before[key] != now[key]]
    if entry["run"] and composed("train", [*entry["run"]["overrides"], *extra]).budget.time is not None:
        reasons.append("a budget of time")
    commit = (before["git"]["commit"] if entry["run"] else before["commit"]) or ""
    if not is_code_of(commit):
        restored = f"other code; git checkout {commit[:12]} -- colorization conf brings it back"
        reasons.append(restored if commit else "code of no recorded commit")
    return reasons


def within(reasons: Sequence[str]) -> str:
    """How near a run must come to its record, in words."""
    return f"within its intervals ({', '.join(reasons)})" if reasons else "to the digit"


def shown(outcomes: Sequence[Outcome]) -> Table:
    """Recorded and now, side by side."""
    table = Table(title="reproduced", title_justify="left")
    for i, column in enumerate(("run", "metric", "recorded", "now", "difference", "verdict")):
        table.add_column(column, justify="right" if 2 <= i <= 4 else "left", overflow="fold")
    for o in outcomes:
        numbers = (f"{o.recorded:.6f}", f"{o.now:.6f}", f"{o.now - o.recorded:+.6f}")
        table.add_row(o.run, o.metric, *numbers, o.verdict)
    return table


def _python(name: str, *arguments: str) -> None:
    """Run a command of this project to its end; when it fails, it has said why, and this one ends, too."""
    done = subprocess.run([sys.executable, "-m", f"colorization.{name}", *arguments], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
