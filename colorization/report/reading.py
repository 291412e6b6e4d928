"""A scored run as compare reads it from its folder."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from colorization.config import ConfigError, command_line
from colorization.files import read_csv


@dataclass
class Scored:
    """One column of a comparison.

    Attributes:
        name: the run's name, unique in the comparison.
        folder: of the table, with predictions/ and truth/.
        summary: summary.json.
        names: the pictures.
        values: metric -> (N,) numbers in the order of `names`; NaN where the metric is not defined.
        baselines: the same for each trivial colouring, "grey" -> metric -> (N,).
        coloured: (N,) bool, whether means include the picture: the truth has colour, or the protocol
            includes grey pictures.
        files: name -> the PNG in predictions/ and truth/.
        config: flat settings, "model.width" -> 32.
        curves: metrics.csv, column -> [(pictures, value), ...].
        record: run.json.
    """

    name: str
    folder: Path
    summary: dict[str, Any]
    names: list[str]
    values: dict[str, np.ndarray]
    baselines: dict[str, dict[str, np.ndarray]]
    coloured: np.ndarray
    files: dict[str, str]
    config: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The run's folder; that of the table where it belongs to no run."""
        return home_of(self.folder)


def read_runs(paths: Sequence[str], evaluation: str | None = None) -> list[Scored]:
    """Read runs (or folders of tables) that were scored on the same pictures.

    Args:
        paths: run folders, or evaluation folders that hold pictures.csv.
        evaluation: which of a run's evaluations, such as "shared22k_test"; None: the one that all have.

    Raises:
        ConfigError: a path without scores; tables of other pictures or another protocol.
    """
    if not paths:
        raise ConfigError(["no run given: python -m colorization.compare runs/ONE runs/OTHER"])
    folders = [Path(path) for path in paths]
    common = evaluation or _common([f for f in folders if not (f / "pictures.csv").exists()])
    runs = [read_run(folder, common) for folder in folders]
    if not any("grey" in run.baselines for run in runs):
        fault = f"{runs[0].folder}: no baselines/grey.csv, the floor of every table"
        raise ConfigError([f"{fault}; type {command_line('evaluate', f'run={paths[0]}')}"])
    first = runs[0].summary
    for run in runs[1:]:
        for key in ("protocol", "fingerprint"):
            if run.summary[key] != first[key]:
                raise ConfigError(
                    [f"{run.folder} has {key} {run.summary[key]} and {runs[0].folder} has {first[key]}: "
                     "their numbers do not compare; score both on the same pictures (colorization.evaluate)"]
                )  # fmt: skip
    return _unique_names([runs[0], *(_align(run, runs[0]) for run in runs[1:])])


def home_of(table: Path) -> Path:
    """The folder of the run that a folder of tables belongs to; that itself, where it belongs to none."""
    return table.parent.parent if table.parent.name == "evaluation" else table


def read_run(folder: Path, evaluation: str | None = None) -> Scored:
    """Read one run folder's evaluation, or one folder of tables."""
    table = folder if (folder / "pictures.csv").exists() else folder / "evaluation" / (evaluation or "")
    home = home_of(table)
    if not table.is_dir():
        present = ", ".join(sorted(path.parent.name for path in home.glob("evaluation/*/pictures.csv")))
        raise ConfigError([f"evaluation={evaluation}: {folder} has none of that name; choose {present}"])
    names, values, coloured = _table(table / "pictures.csv")
    baselines = {}
    for path in sorted((table / "baselines").glob("*.csv")):
        rows, baselines[path.stem], _ = _table(path)
        if rows != names:
            raise ConfigError([f"{path}: should list the same pictures as pictures.csv, in the same order"])
    config = yaml.safe_load(_text(home / "config.yaml") or "{}")
    record = json.loads(_text(home / "run.json") or "{}")
    if not (table / "summary.json").exists():
        raise ConfigError(
            [f"{table}: no summary.json, which names the pictures and the protocol of the table"]
        )
    summary = json.loads((table / "summary.json").read_text(encoding="utf-8"))
    if summary.get("grey") == "counted":
        coloured = np.ones_like(coloured)
    return Scored(
        home.resolve().name,
        table,
        summary,
        names,
        values,
        baselines,
        coloured,
        _files(table, names),
        _flatten(config),
        _curves(home / "metrics.csv"),
        record,
    )


def _common(folders: Sequence[Path]) -> str | None:
    """The one evaluation that all run folders have."""
    evaluations = []
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError([f"{folder}: no such run"])
        evaluations.append({path.parent.name for path in folder.glob("evaluation/*/pictures.csv")})
        if not evaluations[-1]:
            raise ConfigError([f"{folder}: {_unscored(folder)}"])
    common = set.intersection(*evaluations) if evaluations else {""}
    test = sorted(name for name in common if name.endswith("_test"))
    if len(common) == 1 or test:
        return (test or sorted(common))[0] or None
    lists = "; ".join(f"{f}: {', '.join(sorted(e))}" for f, e in zip(folders, evaluations, strict=True))
    fault = "have several evaluations in common; choose one by evaluation=NAME"
    raise ConfigError([f"these runs {fault if common else 'have no evaluation in common'} ({lists})"])


def _unscored(folder: Path) -> str:
    """Why a folder has no scores, and what to type."""
    if any(folder.glob("*/evaluation/*/pictures.csv")):
        return f"a folder of runs; give the runs themselves: {shlex.quote(str(folder))}/*"
    if (folder / "checkpoints").is_dir():
        return f"no scores yet; type {command_line('evaluate', f'run={folder}')}"
    return "not a run; give folders that colorization.train or colorization.evaluate has written"


def _table(path: Path) -> tuple[list[str], dict[str, np.ndarray], np.ndarray]:
    if not path.exists():
        raise ConfigError([f"{path}: no such table; type {command_line('evaluate', 'run=RUN')}"])
    rows = read_csv(path)
    if not rows or not {"name", "grey", "psnr"} <= rows[0].keys():
        raise ConfigError([f"{path}: should have rows with the columns name, grey, psnr and other metrics"])
    columns = [key for key in rows[0] if key not in ("name", "grey")]
    try:
        values = {key: np.array([float(row[key]) for row in rows]) for key in columns}
    except (TypeError, ValueError) as error:
        raise ConfigError([f"{path}: a cell is not a number ({error})"]) from error
    if any(np.isinf(column).any() for column in values.values()):
        raise ConfigError(
            [f"{path}: a cell is infinite, and so would be the mean; cap PSNR as protocol v1 does, and write "
             "nan where a metric is not defined"]
        )  # fmt: skip
    if not np.isfinite(values["psnr"]).all():
        raise ConfigError([f"{path}: psnr is nan for a picture, but is defined for every picture"])
    coloured = np.array([row["grey"] == "0" for row in rows])
    return [row["name"] for row in rows], values, coloured if coloured.any() else ~coloured


def _files(table: Path, names: Sequence[str]) -> dict[str, str]:
    """The PNG of each picture: as manifest.csv has it, or named after the picture."""
    files = {name: name.replace("/", "__").rsplit(".", 1)[0] + ".png" for name in names}
    if (table / "manifest.csv").exists():
        files |= {row["name"]: row["file"] for row in read_csv(table / "manifest.csv") if "file" in row}
    return files


def _curves(path: Path) -> dict[str, list[tuple[float, float]]]:
    if not path.exists():
        return {}
    rows = read_csv(path)
    columns = [key for key in (rows[0] if rows else {}) if "/" in key]
    return {key: [(float(row["pictures"]), float(row[key])) for row in rows if row[key]] for key in columns}


def _flatten(node: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(node, dict):
        return {path: node}
    branches = [_flatten(value, f"{path}.{key}" if path else key) for key, value in node.items()]
    return {key: value for branch in branches for key, value in branch.items()}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _align(run: Scored, first: Scored) -> Scored:
    """The run with its rows in the order of the first run's pictures."""
    if sorted(run.names) != sorted(first.names):
        odd = sorted(set(run.names) ^ set(first.names))
        fault = f"do not list the same pictures ({len(odd)} differ, such as {odd[:2]})"
        raise ConfigError([f"{run.folder} and {first.folder} {fault}"])
    place = {name: i for i, name in enumerate(run.names)}
    order = np.array([place[name] for name in first.names])
    return replace(
        run,
        names=list(first.names),
        values={metric: column[order] for metric, column in run.values.items()},
        baselines={
            name: {metric: column[order] for metric, column in columns.items()}
            for name, columns in run.baselines.items()
        },
        coloured=run.coloured[order],
    )


def _unique_names(runs: list[Scored]) -> list[Scored]:
    """The runs, the second of a name as NAME (2)."""
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.name] = count = counts.get(run.name, 0) + 1
        run.name += f" ({count})" if count > 1 else ""
    return runs
