"""Recorded studies: experiments/NAME/ keeps a recipe, what its runs came to, and what made the numbers.

recipe.yaml is written by hand. results.json is written by `evaluate record=experiments/NAME`; README.md
(between two markers) and samples.jpg by `compare RUNS record=experiments/NAME`.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from colorization.config import ConfigError
from colorization.reopen import Run
from colorization.report import tables
from colorization.report.comparison import Comparisons
from colorization.report.reading import Scored, read
from colorization.report.samples import PERCENTILES, samples
from colorization.report.settings import INCIDENTAL, by_seed, differences
from colorization.report.statistics import interval
from colorization.run import provenance, write, write_json

BEGIN = "<!-- compare: what stands from here to the end mark is written by colorization.compare -->"
END = "<!-- compare: end -->"
KEPT = ("seed", "git", "versions", "hardware", "seconds", "pictures_seen", "parameters", "data")


def record_run(folder: Path, opened: Run | None, evaluation: Path) -> None:
    """Write a run's scores, and what made them, into the study's results.json.

    The run's earlier entry goes, the other runs' stay; when the recipe has changed since, all go.

    Args:
        folder: experiments/NAME.
        opened: the run; None for scores that no run made, such as those of floors and ceilings.
        evaluation: the folder that holds its pictures.csv and summary.json.

    Raises:
        ConfigError: when there is no recipe, or the run was not one of it.
    """
    recipe = sha256(_recipe(folder))
    results = recorded(folder)
    if results.get("recipe_sha256") != recipe:
        results = {"recipe_sha256": recipe, "runs": {}}
    scored, here = read(evaluation), provenance()
    results["runs"][opened.name if opened else scored.name] = {
        "run": made_by(folder, opened) if opened else None,
        "evaluated": here["git"] | {key: here[key] for key in ("versions", "hardware")},
        "scores": {k: v for k, v in scored.summary.items() if k not in ("units", "better")}
        | {"intervals": intervals(scored)},
    }
    write_json(folder / "results.json", results)


def recorded(folder: Path) -> dict[str, Any]:
    """The study's results.json; {} where nothing is recorded yet.

    Raises:
        ConfigError: when it is of an older layout.
    """
    path = folder / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    if results and not isinstance(results.get("runs"), dict):
        raise ConfigError([f"{path}: has no \"runs\"; delete it and type "
                           f"python -m colorization.evaluate run=RUN record={folder}"])  # fmt: skip
    return results


def outdated(folder: Path) -> bool:
    """Whether the recipe has changed since results of it were recorded."""
    results = recorded(folder)
    return bool(results) and results["recipe_sha256"] != sha256(_recipe(folder))


def made_by(folder: Path, opened: Run) -> dict[str, Any]:
    """What made a run: the settings that say what it is, code, hardware, wall time, data.

    Raises:
        ConfigError: when the run was not one of the study's recipe.
    """
    run = json.loads((opened.folder / "run.json").read_text())
    words = run["command"].split()
    if f"experiment={folder.resolve().name}" not in words:
        raise ConfigError([f"record={folder}: {opened.name} was run by: {run['command']}"])
    overrides = [w for w in run.get("overrides", words[3:]) if not w.lstrip("+~").startswith(INCIDENTAL)]
    command = " ".join(["python -m colorization.train", *overrides])
    return {"command": command, "overrides": overrides} | {key: run[key] for key in KEPT}


def intervals(scored: Scored) -> dict[str, list[float]]:
    """Bootstrap 95% intervals of the means over pictures: metric -> [low, high]."""
    kept = {metric: values[scored.coloured] for metric, values in scored.values.items()}
    kept = {metric: values for metric, values in kept.items() if np.isfinite(values).any()}
    bounds = interval(np.stack(list(kept.values()), axis=1))
    return dict(zip(kept, bounds.T.round(6).tolist(), strict=True))


def record_comparison(folder: Path, runs: Sequence[Scored], table: Comparisons) -> None:
    """Write the study's README.md and samples.jpg, and the differences into its results.json.

    The first run is the study's; the others may be of other studies.

    Raises:
        ConfigError: when the first run is not recorded as it stands, or the recipe has changed since.
    """
    results = recorded(folder)
    if runs[0].name not in results.get("runs", {}) or outdated(folder):
        wanted = f"type python -m colorization.evaluate run={runs[0].folder.parent.parent} record={folder}"
        raise ConfigError([f"record={folder}: {runs[0].name} is not recorded with this recipe; {wanted}"])
    results["comparison"] = {
        "baseline": table.baseline,
        "seeds": table.seeds,
        "differences": [vars(d) | {"told": vars(d.told)} for d in table.differences],
    }
    written = readme(folder, runs, table, results["runs"])
    path = folder / "README.md"
    write(path, between_marks(path.read_text() if path.exists() else f"# {folder.resolve().name}\n", written))
    write_json(folder / "results.json", results)


def readme(folder: Path, runs: Sequence[Scored], table: Comparisons, entries: dict[str, Any]) -> str:
    """The part of a study's README.md that is written by the program, and samples.jpg beside it."""
    about = runs[0].summary
    parts = [header(_recipe(folder).read_text())]
    parts.append(
        f"{about['pictures']} pictures of {about['data']} {about['split']}, {about['grey_pictures']} of them "
        f"grey; protocol {about['protocol']}, data fingerprint {about['fingerprint']}."
    )
    parts.append(tables.markdown(table).rstrip())
    if settings := differences(runs):
        parts.append("Settings that differ:")
        parts.append(tables.settings_markdown(settings, [run.name for run in runs]).rstrip())
    mine = {run.name: entries[run.name]["run"] for run in runs if run.name in entries}
    made = [_made(name, run) for name, run in mine.items() if run]
    if made:
        head = ("run", "commit", "seed", "machine", "wall time", "pictures seen", "parameters")
        parts.append(tables.grid(head, made).rstrip())
    shown = [group[0] for group in by_seed(runs).values()]
    if chosen := samples(shown, folder / "samples.jpg"):
        columns = ", ".join(["grey", *(run.name for run in shown), "truth"])
        parts.append("![samples](samples.jpg)")
        parts.append(
            f"Columns: {columns}. Rows: the pictures at percentiles {', '.join(map(str, PERCENTILES))} of "
            f"{shown[0].name}'s PSNR ({', '.join(chosen)})."
        )
    return "\n\n".join(parts)


def header(recipe: str) -> str:
    """The question, command, hours and expectation that a recipe opens with, as a list."""
    entries: list[str] = []
    for line in recipe.splitlines():
        if match := re.match(r"# (Question|Command|Hours|Expected): +(.*)", line):
            told = match[2].rstrip()
            entries.append(f"- **{match[1]}**: " + (f"`{told}`" if match[1] == "Command" else told))
        elif entries and re.match(r"# {5,}\S", line):
            told = line.lstrip("# ").rstrip()
            entries[-1] += ("; " if entries[-1].startswith("- **Command**") else " ") + told
        elif entries and not line.startswith("#"):
            break
    return "\n".join(entries)


def between_marks(text: str, written: str) -> str:
    """A README with what stands between the marks replaced, or with marks and text at its end."""
    block = f"{BEGIN}\n\n{written}\n\n{END}\n"
    if BEGIN not in text or END not in text:
        return f"{text.rstrip()}\n\n{block}"
    before, after = text.split(BEGIN, 1)[0], text.split(END, 1)[1]
    return before + block + after.removeprefix("\n")


def sha256(path: Path) -> str:
    """The SHA-256 of a recipe."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _recipe(folder: Path) -> Path:
    path = folder / "recipe.yaml"
    if not path.exists():
        raise ConfigError([f"{folder}: no recipe.yaml there; write the recipe first"])
    return path


def _made(name: str, run: dict[str, Any]) -> list[str]:
    """A run's row in the table of what made the numbers."""
    commit = (run["git"]["commit"] or "unknown")[:12] + (" (changed)" if run["git"]["dirty"] else "")
    hardware = run["hardware"]
    cores = "1 core" if hardware["cores"] == 1 else f"{hardware['cores']} cores"
    machine = hardware["gpu"] or f"{hardware['cpu']}, {cores}"
    numbers = [f"{run['seconds'] / 60:.1f} min", f"{run['pictures_seen']:,}", f"{run['parameters']:,}"]
    return [name, commit, str(run["seed"]), machine, *numbers]
