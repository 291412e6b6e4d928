"""Real photos for the tests, cut from those that ship inside scikit-image."""

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import pytorch_lightning as pl
import skimage.data
import torch
from filelock import FileLock
from PIL import Image

from colorization.job import Job, begun
from colorization.request import read
from colorization.training import train
from tests.commands import Done
from tests.commands import command as run_command

ROOT = Path(__file__).parent.parent
Command = Callable[..., Done]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that train come first: the short ones then even out what the workers have left."""
    items.sort(key=lambda item: not {"command", "trains"} & set(getattr(item, "fixturenames", ())))


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """Same random numbers, no log handlers and no package of an earlier test, whatever ran before."""
    torch.manual_seed(0)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mylab", "evil")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "common"
    folder.mkdir(exist_ok=True)
    return folder


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A folder that the first worker to ask for it makes, and the others wait for."""
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            partial = folder.with_name(f"{folder.name}.partial")
            partial.mkdir()
            make(partial)
            partial.rename(folder)
    return folder


@pytest.fixture(scope="session")
def photos(common: Path) -> Path:
    """A folder of 160 colour photos, 90 x 80 pixels, in two sub-folders."""
    return once(common / "photos", save_photos)


def save_photos(folder: Path) -> None:
    wholes = [
        Image.fromarray(f()) for f in (skimage.data.astronaut, skimage.data.coffee, skimage.data.chelsea)
    ]
    for i in range(160):
        whole = wholes[i % 3]
        x, y = (i * 37) % (whole.width - 180), (i * 23) % (whole.height - 160)
        target = folder / f"part{i % 2}" / f"{i:03d}.png"
        target.parent.mkdir(exist_ok=True)
        whole.crop((x, y, x + 180, y + 160)).resize((90, 80)).save(target)


@pytest.fixture(scope="session")
def cache(common: Path) -> Path:
    """A cache folder of the tests' own."""
    return common / "cache"


@pytest.fixture(scope="session")
def command() -> Command:
    """Run `python -m colorization.NAME ARGUMENTS...` as a user does, somewhere else than in the checkout."""
    return run_command


@pytest.fixture(scope="session")
def small(photos: Path, cache: Path) -> list[str]:
    """Settings of a run that takes seconds."""
    return [
        "data=folder", f"data.root={photos}", f"data.cache_dir={cache}",
        "data.image_size=32", "data.batch_size=8",
        "model.width=8", "model.depth=1", "budget.epochs=2", "logger=csv", "trainer.accelerator=cpu",
        "callback.panel.pictures=2",
    ]  # fmt: skip


Trains = Callable[..., Job]


@pytest.fixture
def trains(small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trains:
    """Train in this process, in tmp_path, without the scoring that follows."""
    return trains_in(tmp_path, small, monkeypatch)


def trains_in(folder: Path, small: list[str], monkeypatch: pytest.MonkeyPatch) -> Trains:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("colorization.training.finish", lambda job: 0.0)
    for name in ("COLORIZATION_RUN", "PL_GLOBAL_SEED", "PL_SEED_WORKERS"):
        monkeypatch.setenv(name, "")  # so that it is given back afterwards
        monkeypatch.delenv(name)
    fewer = [setting for setting in small if not setting.startswith(("callback.", "budget."))]

    def run(*overrides: str, callbacks: Sequence[pl.Callback] = ()) -> Job:
        whole = any(override.startswith(("resume=", "experiment=")) for override in overrides)
        new = () if whole else (*fewer, "metric=[psnr]", "budget.epochs=null")
        job = begun(read("train", [*new, *overrides]))
        job.trainer.callbacks[:0] = callbacks
        train(job)
        return job

    return run


@pytest.fixture(scope="session")
def trained(
    tmp_path_factory: pytest.TempPathFactory, common: Path, command: Command, small: list[str]
) -> Path:
    """A finished run; each worker has a copy of its own."""

    def train(folder: Path) -> None:
        done = command("train", *small, "run.dir=run", cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr

    own = tmp_path_factory.mktemp("trained")
    shutil.copytree(once(common / "trained", train), own, dirs_exist_ok=True, symlinks=True)
    return own / "run"
