"""Real photos for the tests, cut from those that ship inside scikit-image."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import skimage.data
import torch
from PIL import Image

ROOT = Path(__file__).parent.parent
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """Same random numbers and no log handlers of an earlier test, whatever ran before in this process."""
    torch.manual_seed(0)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 160 colour photos, 90 x 80 pixels, in two sub-folders."""
    folder = tmp_path_factory.mktemp("photos")
    wholes = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()]
    for i in range(160):
        whole = Image.fromarray(wholes[i % 3])
        x, y = (i * 37) % (whole.width - 180), (i * 23) % (whole.height - 160)
        target = folder / f"part{i % 2}" / f"{i:03d}.png"
        target.parent.mkdir(exist_ok=True)
        whole.crop((x, y, x + 180, y + 160)).resize((90, 80)).save(target)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder of the tests' own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def command() -> Command:
    """Run `python -m colorization.NAME ARGUMENTS...` as a user does, somewhere else than in the checkout."""

    def run(name: str, *arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")}
        variables |= {
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "160",
            "OMP_NUM_THREADS": "1",
            "HOME": str(cwd),
        } | environment
        return subprocess.run(
            [sys.executable, "-m", f"colorization.{name}", *map(str, arguments)],
            cwd=cwd, env=variables, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def small(photos: Path, cache: Path) -> list[str]:
    """Settings of a run that takes seconds."""
    return [
        "data=folder", f"data.root={photos}", f"data.cache_dir={cache}",
        "data.image_size=32", "data.batch_size=8",
        "model.width=8", "model.depth=1", "budget.epochs=2", "logger=csv", "trainer.accelerator=cpu",
        "callback.panel.pictures=2",
    ]  # fmt: skip


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, command: Command, small: list[str]) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("trained")
    done = command("train", *small, "run.dir=run", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "run"
