"""What compare needs of a scored run, read from its folder."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from colorization.config import ConfigError


@dataclass
class Scored:
    """One column of a comparison.

    Attributes:
        name: the run's name; made unique among those compared.
        folder: the table's folder, with predictions/ and truth/.
        summary: summary.json.
        names: the pictures.
        values: metric -> (N,) numbers in the order of `names`; NaN where the metric is not defined.
        baselines: the same of each trivial colouring, "grey" -> metric -> (N,).
        coloured: (N,) bool, whether the picture counts in means: the truth has colour, or the protocol
            counts those without as well.
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


def read_all(paths: Sequence[str], evaluation: str | None = None) -> list[Scored]:
    """Read runs (or folders of tables) that were scored on the same pictures.

    Args:
        paths: run folders, or evaluation folders that hold pictures.csv.
        evaluation: which of a run's evaluations, such as "coco_test"; None takes the one that all share.

    Raises:
        ConfigError: a path without scores; tables of other pictures or another protocol.
    """
    if not paths:
        raise ConfigError(["no run given: python -m colorization.compare runs/ONE runs/OTHER"])
    folders = [Path(path) for path in paths]
    shared = evaluation or _shared([f for f in folders if not (f / "pictures.csv").exists()])
    runs = [read(folder, shared) for folder in folders]
    if not any("grey" in run.baselines for run in runs):
        raise ConfigError([f"{runs[0].folder}: no baselines/grey.csv, the floor of every table; type "
                           f"python -m colorization.evaluate run={paths[0]}"])  # fmt: skip
    first = runs[0].summary
    for run in runs[1:]:
        for key in ("protocol", "fingerprint"):
            if run.summary[key] != first[key]:
                raise ConfigError(
                    [f"{run.folder} has {key} {run.summary[key]} and {runs[0].folder} has {first[key]}: "
                     "their numbers do not compare; score both on the same pictures (colorization.evaluate)"]
                )  # fmt: skip
    return _named_apart([runs[0], *(_aligned(run, runs[0]) for run in runs[1:])])


def read(folder: Path, evaluation: str | None = None) -> Scored:
    """Read one run folder's evaluation, or one folder of tables."""
    table = folder if (folder / "pictures.csv").exists() else folder / "evaluation" / (evaluation or "")
    home = table.parent.parent if table.parent.name == "evaluation" else folder
    if not table.is_dir():
        there = sorted(path.parent.name for path in home.glob("evaluation/*/pictures.csv"))
        raise ConfigError(
            [f"evaluation={evaluation}: {folder} has none of that name; choose {', '.join(there)}"]
        )
    names, values, coloured = _table(table / "pictures.csv")
    baselines = {}
    for path in sorted((table / "baselines").glob("*.csv")):
        listed, baselines[path.stem], _ = _table(path)
        if listed != names:
            raise ConfigError([f"{path}: should list the same pictures as pictures.csv, in its order"])
    config = yaml.safe_load(_text(home / "config.yaml") or "{}")
    record = json.loads(_text(home / "run.json") or "{}")
    if not (table / "summary.json").exists():
        raise ConfigError(
            [f"{table}: summary.json is missing; it says of which pictures and protocol the table is"]
        )
    summary = json.loads((table / "summary.json").read_text())
    if summary.get("grey") == "counted":
        coloured = np.ones_like(coloured)
    curves = _curves(home / "metrics.csv")
    name = home.resolve().name
    return Scored(
        name,
        table,
        summary,
        names,
        values,
        baselines,
        coloured,
        _files(table, names),
        _flat(config),
        curves,
        record,
    )


def _shared(folders: Sequence[Path]) -> str | None:
    """The one evaluation that all run folders have."""
    have = []
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError([f"{folder}: no such run"])
        have.append({path.parent.name for path in folder.glob("evaluation/*/pictures.csv")})
        if not have[-1]:
            raise ConfigError([f"{folder}: {_unscored(folder)}"])
    common = set.intersection(*have) if have else {""}
    test = sorted(name for name in common if name.endswith("_test"))
    if len(common) == 1 or test:
        return (test or sorted(common))[0] or None
    lists = "; ".join(f"{f}: {', '.join(sorted(names))}" for f, names in zip(folders, have, strict=True))
    what = "share no evaluation" if not common else "share several; choose by evaluation=NAME"
    raise ConfigError([f"these runs {what} ({lists})"])


def _unscored(folder: Path) -> str:
    """Why a folder has no scores, and what to do about it."""
    if any(folder.glob("*/evaluation/*/pictures.csv")):
        return f"holds runs and is none; give them: {folder}/*"
    if (folder / "checkpoints").is_dir():
        return f"no scores yet; type python -m colorization.evaluate run={folder}"
    return "no run; give folders that colorization.train or colorization.evaluate has written"


def _table(path: Path) -> tuple[list[str], dict[str, np.ndarray], np.ndarray]:
    if not path.exists():
        raise ConfigError([f"{path}: no such table; type python -m colorization.evaluate run=RUN"])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"name", "grey", "psnr"} <= rows[0].keys():
        raise ConfigError([f"{path}: should have rows with the columns name, grey, psnr and other metrics"])
    columns = [key for key in rows[0] if key not in ("name", "grey")]
    try:
        values = {key: np.array([float(row[key]) for row in rows]) for key in columns}
    except (TypeError, ValueError) as error:
        raise ConfigError([f"{path}: a cell is not a number ({error})"]) from error
    if any(np.isinf(column).any() for column in values.values()):
        raise ConfigError(
            [f"{path}: a cell is infinite, which no mean can hold; cap PSNR as protocol v1 does, and write "
             "nan where a metric is not defined"]
        )  # fmt: skip
    if not np.isfinite(values["psnr"]).all():
        raise ConfigError([f"{path}: psnr is nan for a picture, and every picture has one"])
    coloured = np.array([row["grey"] == "0" for row in rows])
    return [row["name"] for row in rows], values, coloured if coloured.any() else ~coloured


def _files(table: Path, names: Sequence[str]) -> dict[str, str]:
    """The PNG of each picture: as manifest.csv has it, or named after the picture."""
    files = {name: name.replace("/", "__").rsplit(".", 1)[0] + ".png" for name in names}
    if (table / "manifest.csv").exists():
        with (table / "manifest.csv").open() as file:
            files |= {row["name"]: row["file"] for row in csv.DictReader(file) if "file" in row}
    return files


def _curves(path: Path) -> dict[str, list[tuple[float, float]]]:
    if not path.exists():
        return {}
    with path.open() as file:
        rows = list(csv.DictReader(file))
    columns = [key for key in (rows[0] if rows else {}) if "/" in key]
    return {key: [(float(row["pictures"]), float(row[key])) for row in rows if row[key]] for key in columns}


def _flat(node: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(node, dict):
        return {path: node}
    return {
        k: v for key, value in node.items() for k, v in _flat(value, f"{path}.{key}" if path else key).items()
    }


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _aligned(run: Scored, first: Scored) -> Scored:
    """The run with its rows in the order of the first run's pictures."""
    if sorted(run.names) != sorted(first.names):
        odd = sorted(set(run.names) ^ set(first.names))
        told = f"do not list the same pictures ({len(odd)} differ, such as {odd[:2]})"
        raise ConfigError([f"{run.folder} and {first.folder} {told}"])
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


def _named_apart(runs: list[Scored]) -> list[Scored]:
    seen: dict[str, int] = {}
    for run in runs:
        seen[run.name] = seen.get(run.name, 0) + 1
        if seen[run.name] > 1:
            run.name += f" ({seen[run.name]})"
    return runs
