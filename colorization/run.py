"""A run's folder: what is written when it starts, and how it is opened again."""

import csv
import json
import platform
import subprocess
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from colorization import build
from colorization.config import PACKAGE, ConfigError
from colorization.data.decoding import cores
from colorization.files import replaced
from colorization.module import Colorizer

LIBRARIES = ("torch", "pytorch-lightning", "kornia", "torchmetrics", "hydra-core", "numpy", "pillow")
MADE_OF = ("colorization", "conf", "pyproject.toml", "experiments/*/recipe.yaml")  # what a number depends on


@dataclass(frozen=True)
class Run:
    """A finished (or stopped) run, reopened from a checkpoint alone.

    Attributes:
        checkpoint: the .ckpt file.
        folder: the run folder it lies in, or the folder of a lone checkpoint.
        config: the composed configuration that the checkpoint carries.
        state: the checkpoint, as `torch.load(..., weights_only=True)` gives it.
    """

    checkpoint: Path
    folder: Path
    config: DictConfig
    state: dict[str, Any]

    @property
    def name(self) -> str:
        """The folder's name, or the file's for a lone checkpoint."""
        return self.folder.name if self.checkpoint.parent.name == "checkpoints" else self.checkpoint.stem

    def colorizer(self) -> Colorizer:
        """The trained network with its objective, on the CPU, in evaluation mode."""
        colorizer = build.colorizer(self.config)
        try:
            colorizer.load_state_dict(self.state["state_dict"])
        except RuntimeError as error:
            raise ConfigError(
                [f"{self.checkpoint}: not weights of {self.config.model._target_}: {error}"]
            ) from error
        return colorizer.eval()


def open_run(path: str | Path) -> Run:
    """Open a run folder (its best checkpoint) or a lone .ckpt.

    Raises:
        ConfigError: when there is no such run, or the file is not a checkpoint of this project.
    """
    checkpoint = find_checkpoint(Path(path))
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        config = OmegaConf.create(state["colorization"]["config"])
    except Exception as error:  # a damaged file fails in many ways; each means the same to the user
        raise ConfigError(
            [f"{checkpoint}: not a checkpoint of this project; give a run folder or its best.ckpt"]
        ) from error
    folder = checkpoint.parent.parent if checkpoint.parent.name == "checkpoints" else checkpoint.parent
    return Run(checkpoint, folder, config, state)


def find_checkpoint(path: Path, names: tuple[str, ...] = ("best", "last")) -> Path:
    """The checkpoint that a run folder or a file stands for."""
    if path.is_file():
        return path
    for name in names:
        if (found := path / "checkpoints" / f"{name}.ckpt").exists():
            return found
    known = sorted(Path("runs").glob("*/checkpoints/*.ckpt"), key=lambda file: file.stat().st_mtime)
    hint = f"the newest run here is {known[-1].parent.parent}" if known else "train one first: make demo"
    raise ConfigError([f"run={path}: no run with a checkpoint there; {hint}"])


def newest_run() -> Path:
    """The run in runs/ whose checkpoint is newest.

    Raises:
        ConfigError: when there is none.
    """
    found = sorted(Path("runs").glob("**/checkpoints/best.ckpt"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise ConfigError(["no run in runs/ yet: give run=PATH, or train one first: make demo"])
    return found[-1].parent.parent


def start(folder: Path, cfg: DictConfig, overrides: list[str], record: dict[str, Any]) -> None:
    """Write what a run is, before it does anything."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "config.yaml", OmegaConf.to_yaml(cfg, resolve=True))
    write(folder / "overrides.yaml", OmegaConf.to_yaml(OmegaConf.create(overrides)))
    write_json(folder / "run.json", record)


def provenance() -> dict[str, Any]:
    """Code, libraries and hardware, as plain data."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "git": git(),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES},
        "hardware": {"cpu": _cpu(), "cores": cores(), "gpu": gpu},
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def git() -> dict[str, Any]:
    """The commit of the code, and whether code or a recipe was changed since; nothing in an installed wheel.

    What is written beside a recipe when a study is recorded is no change.
    """
    if not (PACKAGE.parent / ".git").exists():
        return {"commit": None, "dirty": None}
    return {"commit": _git("rev-parse", "HEAD"), "dirty": bool(_git("status", "--porcelain", "--", *MADE_OF))}


def is_code_of(commit: str) -> bool:
    """Whether the code and its configuration are those of a commit; False where git cannot tell."""
    return _git("diff", "--name-only", commit, "--", "colorization", "conf") == ""


def _git(*words: str) -> str | None:
    """What git says of this checkout, or None where it fails."""
    command = ["git", "-C", str(PACKAGE.parent), *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with replaced(path) as partial:
        partial.write_text(text)


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    write(path, json.dumps(content, indent=2) + "\n")


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write a table whole or not at all; all rows have the same columns."""
    with replaced(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
