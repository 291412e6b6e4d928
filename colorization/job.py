"""A run before it trains: its configuration, everything built from it, and then its folder."""

import logging
import shlex
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf

from colorization import build, journal, run
from colorization.callback.budget import Budget
from colorization.callback.checkpoint import WholeFiles
from colorization.config import ConfigError, command_line
from colorization.contract import check_lone_picture
from colorization.data.module import PictureData
from colorization.logger.table import Table
from colorization.logger.wandb import Wandb
from colorization.module import LAYOUT, Colorizer
from colorization.reopen import find_checkpoint
from colorization.request import Request
from colorization.resume import resumed
from colorization.start import start
from colorization.trainer import refuse_owned, trainer


@dataclass
class Job:
    """A run that is built and not begun."""

    cfg: DictConfig
    folder: Path
    budget: Budget
    data: PictureData
    colorizer: Colorizer
    trainer: pl.Trainer
    last: Path | None  # the checkpoint to go on from

    @property
    def dashboards(self) -> list[Wandb]:
        """The loggers that show a run on the web."""
        return [logger for logger in self.trainer.loggers if isinstance(logger, Wandb)]


def begun(asked: Request) -> Job:
    """The run that a command line asks for: a new one, or one to go on with."""
    places = [line.partition("=")[2] for line in asked.overrides if line.startswith("resume=")]
    if not places or places[-1] == "null":
        return started(asked.composed(), asked.overrides)
    return continued(
        Path(places[-1]).expanduser(), [o for o in asked.overrides if not o.startswith("resume=")]
    )


def started(cfg: DictConfig, overrides: Sequence[str], run_id: str | None = None) -> Job:
    """A new run: everything is built before its folder is made.

    Args:
        cfg: its complete configuration.
        overrides: what was asked for.
        run_id: of W&B's run; None: a new one.

    Raises:
        ConfigError: where a fault is found; then nothing was written.
    """
    journal.refuse_taken(Path(cfg.run.dir))
    job = built(cfg, run_id=run_id)
    folder = journal.claimed(job.folder)
    if folder != job.folder:  # another run, started in the same second, has taken the name
        cfg.run.dir = str(folder)
        job = built(cfg, run_id=run_id)
    part = described(overrides)
    record = part | {
        "name": folder.name,
        "seed": cfg.seed,
        "parameters": sum(p.numel() for p in job.colorizer.network.parameters()),
        "wandb_id": next((board.run_id for board in job.dashboards), None),
        "parts": [part],
    }
    journal.start(folder, cfg, overrides, record)
    return job


def continued(folder: Path, overrides: Sequence[str]) -> Job:
    """A stopped run, from its last checkpoint, with what the overrides change.

    Raises:
        ConfigError: where nothing is left to do, or a change is none that a run may have.
    """
    if folder.is_file():
        raise ConfigError([f"resume={folder}: give the run's folder, such as {folder.parent.parent}"])
    find_checkpoint(folder, ("last",))
    cfg, changed = resumed(folder, overrides)
    cfg.run.dir = str(folder)
    known = journal.record(folder)
    job = built(cfg, last=folder / "checkpoints/last.ckpt", run_id=known["wandb_id"])
    if job.budget.is_spent:
        limit, place = job.budget.tightest(), shlex.quote(str(folder))
        spent = f"its budget.{limit}={job.budget.limits[limit]:g} is spent"
        score = command_line("evaluate", f"run={folder}")
        raise ConfigError([f"resume={place}: {spent}; give a larger one to train on, or score it by {score}"])
    asked = [*journal.saved_overrides(folder), *overrides]
    part = described([f"resume={folder}", *overrides]) | {"changed": changed}
    if changed:
        journal.keep_part(folder, len(known["parts"]))
    now = {name: part[name] for name in ("git", "versions", "hardware", "status")}
    known |= now | {"overrides": asked, "parts": [*known["parts"], part]}
    journal.start(folder, cfg, asked, known)
    return job


def reopened(folder: Path, cfg: DictConfig | None = None) -> Job:
    """A run that has its folder already, made by another process: from what lies there, or another `cfg`."""
    last = folder / "checkpoints/last.ckpt"
    run_id = journal.record(folder)["wandb_id"]
    return built(cfg or journal.saved(folder), last if last.exists() else None, run_id)


def is_spent(folder: Path) -> bool:
    """Whether the last checkpoint of a run is one at which its budget was spent."""
    state = torch.load(folder / "checkpoints/last.ckpt", map_location="cpu", weights_only=True)
    budget = build.budget(journal.saved(folder))
    budget.load_state_dict(state["callbacks"][budget.state_key])
    return budget.is_spent


def built(cfg: DictConfig, last: Path | None = None, run_id: str | None = None) -> Job:
    """Everything that a run needs; nothing is written and nothing packed."""
    quiet()
    refuse_owned(cfg)  # first: a data set may have to be asked over the network
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    budget, folder = build.budget(cfg), Path(cfg.run.dir)
    colorizer = build.colorizer(cfg, budget.progress, record={"config": plain(cfg), "git": run.git()})
    data = build.training_data(cfg, colorizer.scorer.protocol)
    lightning = trainer(cfg, folder, budget, colorizer, run_id)
    data.check(lightning.world_size)
    if data.batch_size == 1:
        check_lone_picture(colorizer.network, colorizer.objective, colorizer.hints, data.image_size)
    job = Job(cfg, folder, budget, data, colorizer, lightning, last)
    if last:
        take_up(job, last)
    elif cfg.get("start"):
        start(colorizer.network, cfg.start)
    return job


def take_up(job: Job, last: Path) -> None:
    """Let the budget and the table stand where the checkpoint left them."""
    state = cast(WholeFiles, job.trainer.strategy.checkpoint_io).peek(last)
    if state["colorization"].get("layout") != LAYOUT:
        raise ConfigError(
            [f"resume={job.folder}: was written by another version of colorization; start a new run"]
        )
    job.budget.load_state_dict(state["callbacks"][job.budget.state_key])
    for logger in job.trainer.loggers:
        if isinstance(logger, Table):
            logger.resume(int(job.budget.spent["steps"]))


def described(overrides: Sequence[str]) -> dict[str, Any]:
    """One part of a run, from its start to its end or its stop: command, code, machine and time."""
    return run.provenance() | {
        "command": command_line("train", *overrides),
        "overrides": list(overrides),
        "status": "running",
    }


def plain(cfg: DictConfig) -> dict[str, Any]:
    """The configuration as plain data."""
    return cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))


def quiet() -> None:
    """Keep Lightning's advertisements and torch's notices out of the terminal; our own warnings stay."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning|torch|lightning_fabric")
