"""What a run was made with: code, libraries, machine."""

import platform
import subprocess
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from colorization.config import PACKAGE
from colorization.data.decoding import cores

LIBRARIES = ("torch", "pytorch-lightning", "kornia", "torchmetrics", "hydra-core", "numpy", "pillow")
MADE_OF = ("colorization", "conf", "pyproject.toml", "experiments/*/recipe.yaml")  # what a number depends on


def provenance() -> dict[str, Any]:
    """Code, libraries and hardware, as plain data."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "git": git(),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES},
        "hardware": {"cpu": _cpu(), "cores": cores(), "gpu": gpu},
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def made_by() -> dict[str, Any]:
    """What numbers were made by: the code's commit, and libraries and hardware by name."""
    made = provenance()
    return made["git"] | {key: made[key] for key in ("versions", "hardware")}


def git() -> dict[str, Any]:
    """The commit of the code, and whether code or a recipe was changed since; None where git cannot tell.

    What is written beside a recipe when a study is recorded is no change.
    """
    if not (PACKAGE.parent / ".git").exists():
        return {"commit": None, "dirty": None}
    changes = _git("status", "--porcelain", "--", *MADE_OF)
    return {"commit": _git("rev-parse", "HEAD"), "dirty": None if changes is None else bool(changes)}


def is_code_of(commit: str) -> bool:
    """Whether the code and its configuration are those of a commit; False where git cannot tell."""
    return _git("diff", "--name-only", commit, "--", "colorization", "conf") == ""


def _git(*words: str) -> str | None:
    """What git says of this checkout, or None where it fails."""
    command = ["git", "-C", str(PACKAGE.parent), *words]
    try:
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    except OSError:  # no git
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    about = Path("/proc/cpuinfo")
    for line in about.read_text(encoding="utf-8").splitlines() if about.exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
