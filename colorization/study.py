"""Recorded studies: experiments/NAME/ holds a recipe, the scores of its runs, and how they were made.

recipe.yaml is written by hand. results.json is written by `evaluate record=experiments/NAME`, or by
`compare RUNS record=experiments/NAME`, which writes README.md (between two marks) and samples.jpg, too.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from colorization.config import ConfigError, command_line
from colorization.files import sha256, write_json, write_text
from colorization.recipe import opening
from colorization.report import tables
from colorization.report.comparison import Comparisons
from colorization.report.reading import Scored, read_run
from colorization.report.samples import PERCENTILES, samples
from colorization.report.settings import INCIDENTAL, by_seed, setting_differences
from colorization.report.statistics import interval
from colorization.run import made_by

BEGIN = "<!-- compare: what stands from here to the end mark is written by colorization.compare -->"
END = "<!-- compare: end -->"
ORIGIN = ("seed", "git", "versions", "hardware", "seconds", "pictures_seen", "parameters", "data")


def record_run(folder: Path, home: Path | None, evaluation: Path) -> None:
    """Write a run's scores and its origin into the study's results.json.

    It replaces the run's earlier entry; where the recipe has changed since, it replaces all entries.

    Args:
        folder: experiments/NAME.
        home: the run's folder; None for scores without a run, such as those of floors and ceilings.
        evaluation: the folder that holds its pictures.csv and summary.json.

    Raises:
        ConfigError: when there is no recipe, or the run was not trained from it.
    """
    recipe = sha256(_recipe(folder))
    results = read_results(folder)
    if results.get("recipe_sha256") != recipe:
        results = {"recipe_sha256": recipe, "runs": {}}
    scored = read_run(evaluation)
    results["runs"][home.resolve().name if home else scored.name] = {
        "run": origin(folder, home) if home else None,
        "evaluated": scored.summary.get("evaluated") or made_by(),
        "scores": {k: v for k, v in scored.summary.items() if k not in ("units", "better", "evaluated")}
        | {"intervals": intervals(scored)},
    }
    write_json(folder / "results.json", results)


def read_results(folder: Path) -> dict[str, Any]:
    """The study's results.json; {} where nothing is recorded yet.

    Raises:
        ConfigError: when it is of an older layout.
    """
    path = folder / "results.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if results and not isinstance(results.get("runs"), dict):
        command = command_line("evaluate", "run=RUN", f"record={folder}")
        raise ConfigError([f'{path}: has no "runs"; delete it and type {command}'])
    return results


def outdated(folder: Path) -> bool:
    """Whether the recipe has changed since results of it were recorded."""
    results = read_results(folder)
    return bool(results) and results["recipe_sha256"] != sha256(_recipe(folder))


def origin(folder: Path, home: Path) -> dict[str, Any]:
    """How a run was made: its settings, code, hardware, wall time and data.

    Raises:
        ConfigError: when the run was not trained from the study's recipe.
    """
    run = json.loads((home / "run.json").read_text(encoding="utf-8"))
    if not _is_of(folder, run):
        raise ConfigError([f"record={folder}: {home.name} was trained by: {run['command']}"])
    overrides = [o for o in run["overrides"] if not o.lstrip("+~").startswith(INCIDENTAL)]
    command = command_line("train", *overrides)
    return {"command": command, "overrides": overrides} | {key: run[key] for key in ORIGIN}


def _is_of(folder: Path, run: dict[str, Any]) -> bool:
    return f"experiment={folder.resolve().name}" in run["overrides"]


def intervals(scored: Scored) -> dict[str, list[float]]:
    """Bootstrap 95% intervals of the means over pictures: metric -> [low, high]."""
    columns = {metric: values[scored.coloured] for metric, values in scored.values.items()}
    columns = {metric: values for metric, values in columns.items() if np.isfinite(values).any()}
    bounds = interval(np.stack(list(columns.values()), axis=1))
    return dict(zip(columns, bounds.T.round(6).tolist(), strict=True))


def record_comparison(folder: Path, runs: Sequence[Scored], table: Comparisons) -> None:
    """Write the study's README.md and samples.jpg, and the differences into its results.json.

    The first run is the study's; the others may be of other studies. Runs of this one that are not recorded
    yet are, by the evaluation that is compared.

    Raises:
        ConfigError: when the first run is of another study, or the recipe has changed since.
    """
    for run in runs:
        home, known = run.folder.parent.parent, read_results(folder).get("runs", {})
        path = home / "run.json"
        new = run.name not in known and path.exists() and not outdated(folder)
        if new and _is_of(folder, json.loads(path.read_text(encoding="utf-8"))):
            record_run(folder, home, run.folder)
    results = read_results(folder)
    if runs[0].name not in results.get("runs", {}) or outdated(folder):
        command = command_line("evaluate", f"run={runs[0].folder.parent.parent}", f"record={folder}")
        raise ConfigError(
            [f"record={folder}: {runs[0].name} is not recorded with this recipe; type {command}"]
        )
    results["comparison"] = {
        "baseline": table.baseline,
        "seeds": table.seeds,
        "differences": [vars(c) | {"comparison": vars(c.comparison)} for c in table.contrasts],
    }
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else f"# {folder.resolve().name}\n"
    write_text(path, between_marks(text, readme(folder, runs, table, results["runs"])))
    write_json(folder / "results.json", results)


def readme(folder: Path, runs: Sequence[Scored], table: Comparisons, entries: dict[str, Any]) -> str:
    """The generated part of a study's README.md; writes samples.jpg beside it."""
    about = runs[0].summary
    parts = [header(_recipe(folder).read_text(encoding="utf-8"))]
    parts.append(
        f"{about['pictures']} pictures of {about['data']} {about['split']}, {about['grey_pictures']} of them "
        f"grey; protocol {about['protocol']}, data fingerprint {about['fingerprint']}."
    )
    parts.append(tables.markdown(table).rstrip())
    if settings := setting_differences(runs):
        parts.append("Settings that differ:")
        parts.append(tables.settings_markdown(settings, [run.name for run in runs]).rstrip())
    own = {run.name: entries[run.name]["run"] for run in runs if run.name in entries}
    origins = [_origin_row(name, run) for name, run in own.items() if run]
    if origins:
        head = ("run", "commit", "seed", "machine", "wall time", "pictures seen", "parameters")
        parts.append(tables.grid(head, origins).rstrip())
    first = [group[0] for group in by_seed(runs).values()]
    if names := samples(first, folder / "samples.jpg"):
        columns = ", ".join(["grey", *(run.name for run in first), "truth"])
        parts.append("![samples](samples.jpg)")
        parts.append(
            f"Columns: {columns}. Rows: the pictures at percentiles {', '.join(map(str, PERCENTILES))} of "
            f"{first[0].name}'s PSNR ({', '.join(names)})."
        )
    return "\n\n".join(parts)


def header(recipe: str) -> str:
    """The question, command, hours and expectation that a recipe opens with, as a list."""
    entries = []
    for word, lines in opening(recipe).items():
        first, *more = (f"`{lines[0]}`", *lines[1:]) if word == "Command" else lines
        entries.append(f"- **{word}**: " + ("; " if word == "Command" else " ").join([first, *more]))
    return "\n".join(entries)


def between_marks(text: str, content: str) -> str:
    """A README with the text between the marks replaced, or with the marks and the text appended."""
    block = f"{BEGIN}\n\n{content}\n\n{END}\n"
    if BEGIN not in text or END not in text:
        return f"{text.rstrip()}\n\n{block}"
    before, after = text.split(BEGIN, 1)[0], text.split(END, 1)[1]
    return before + block + after.removeprefix("\n")


def _recipe(folder: Path) -> Path:
    path = folder / "recipe.yaml"
    if not path.exists():
        raise ConfigError([f"{folder}: no recipe.yaml there; write one first"])
    return path


def _origin_row(name: str, run: dict[str, Any]) -> list[str]:
    """A run's row in the table of origins."""
    commit = (run["git"]["commit"] or "unknown")[:12] + (" (changed)" if run["git"]["dirty"] else "")
    hardware = run["hardware"]
    cores = "1 core" if hardware["cores"] == 1 else f"{hardware['cores']} cores"
    machine = hardware["gpu"] or f"{hardware['cpu']}, {cores}"
    numbers = [f"{run['seconds'] / 60:.1f} min", f"{run['pictures_seen']:,}", f"{run['parameters']:,}"]
    return [name, commit, str(run["seed"]), machine, *numbers]
