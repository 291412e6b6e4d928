"""Lightning's trainer as a configuration asks for it, and what of its settings other settings stand for."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import (
    BatchSizeFinder,
    EarlyStopping,
    GradientAccumulationScheduler,
    LearningRateFinder,
    ModelCheckpoint,
    StochasticWeightAveraging,
)
from pytorch_lightning.profilers import AdvancedProfiler, PyTorchProfiler, SimpleProfiler
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from colorization.callback.budget import Budget
from colorization.callback.checkpoint import BestAndLast, WholeFiles
from colorization.callback.heartbeat import Heartbeat
from colorization.callback.interrupt import Interrupt
from colorization.callback.progress import BudgetBar, Speed
from colorization.config import ConfigError, signature
from colorization.factory import make
from colorization.logger.table import Table
from colorization.module import Colorizer

PROFILE = "profile"  # the folder in a run's that profilers write to
PROFILERS: dict[str, Any] = {
    "simple": SimpleProfiler,
    "advanced": AdvancedProfiler,
    "pytorch": PyTorchProfiler,
}
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")

# Arguments of Lightning's trainer that other settings stand for.
OWNED = {
    **dict.fromkeys(("max_epochs", "min_epochs"), "type budget.epochs=N"),
    **dict.fromkeys(("max_steps", "min_steps"), "type budget.steps=N"),
    "max_time": "type budget.time=10m",
    "logger": "type logger=csv, or logger=[wandb,tensorboard]",
    "callbacks": "type callback=[default,NAME]",
    "default_root_dir": "type run.dir=FOLDER",
    "enable_checkpointing": "a run always keeps its best and its last checkpoint; leave it out",
    "gradient_clip_algorithm": "gradients are clipped by their norm, trainer.gradient_clip_val; leave it out",
    "use_distributed_sampler": "every process has its own share of the pictures; leave it out",
    **dict.fromkeys(("barebones", "plugins", "model_registry"), "does not work here; leave it out"),
}

# Callbacks of Lightning's that ask for its own loops and checkpoints, and what does the same.
UNFIT = {
    LearningRateFinder: "type find=lr",
    BatchSizeFinder: "type find=batch_size",
    StochasticWeightAveraging: "type callback=[default,ema]",
    GradientAccumulationScheduler: "type trainer.accumulate_grad_batches=N",
    ModelCheckpoint: "best.ckpt and last.ckpt are always kept; watch=METRIC chooses the best",
}


def trainer(
    cfg: DictConfig, folder: Path, budget: Budget, colorizer: Colorizer, run_id: str | None = None
) -> pl.Trainer:
    """The trainer with its loggers and callbacks, which will write into the run's folder."""
    _, better = colorizer.scorer.described(cfg.watch)
    best = BestAndLast(folder / "checkpoints", f"val/{cfg.watch}", better)
    speed = Speed(budget)
    bar = [BudgetBar(budget, speed)] if cfg.trainer.get("enable_progress_bar", True) else []
    own = {
        "strategy": strategy(cfg),
        "profiler": profiler(cfg, folder),
        "accelerator": accelerator(cfg),
        "precision": precision(cfg),
        "gradient_clip_val": None,  # the Colorizer clips and accumulates, player by player
        "accumulate_grad_batches": 1,
        "default_root_dir": str(folder),
        "max_epochs": -1,
        "logger": [Table(folder / "metrics.csv", budget.moment), *loggers(cfg, folder, budget, run_id)],
        "plugins": [WholeFiles()],
        "callbacks": [
            budget,
            Heartbeat(folder, budget, best),
            speed,
            *callbacks(cfg, better),
            *bar,
            Interrupt(best),
            best,
        ],
        "use_distributed_sampler": False,
    }
    if isinstance(cfg.trainer.get("val_check_interval"), int):  # batches, however few an epoch has
        own["check_val_every_n_epoch"] = None
    try:
        made: pl.Trainer = make(cfg.trainer, **own)
        if isinstance(made.strategy, DDPStrategy) and len(colorizer.turns) > 1:
            made.strategy._ddp_kwargs["find_unused_parameters"] = True  # those whose turn it is not
        return made
    except (MisconfigurationException, RuntimeError) as error:
        raise ConfigError([f"trainer: {' '.join(str(error).split())}"]) from error


def profiler(cfg: DictConfig, folder: Path) -> Any:
    """trainer.profiler=simple, advanced or pytorch, which writes into the run's folder; or a node's own.

    Raises:
        ConfigError: another name.
    """
    chosen = cfg.trainer.get("profiler")
    if not isinstance(chosen, str):
        return make(chosen) if chosen else None
    if chosen not in PROFILERS:
        raise ConfigError([f"trainer.profiler={chosen}: choose {', '.join(PROFILERS)}"])
    more = {"export_to_chrome": True} if chosen == "pytorch" else {}
    return PROFILERS[chosen](dirpath=folder / PROFILE, filename="profile", **more)


def strategy(cfg: DictConfig) -> Any:
    """trainer.strategy: a name of Lightning's, or sharded, which shares out weights over the processes."""
    if cfg.trainer.strategy != "sharded":
        return make(cfg.trainer.strategy)
    from colorization.sharding import Sharded

    return Sharded()


def refuse_owned(cfg: DictConfig) -> None:
    """Raise a ConfigError that names the settings of Lightning's trainer which other settings stand for."""
    wrong = [f"trainer.{name}: {remedy}" for name, remedy in OWNED.items() if name in cfg.trainer]
    if cfg.trainer.get("limit_train_batches") == 0:
        wrong.append("trainer.limit_train_batches=0: nothing would be trained; evaluate run=RUN scores a run")
    if wrong:
        raise ConfigError(wrong)


def accelerator(cfg: DictConfig) -> str:
    """What to train on: Apple's MPS only by name, for it has no float64, in which scores are summed.

    Raises:
        ConfigError: it is not there.
    """
    name, there = str(cfg.trainer.accelerator), torch.cuda.device_count()
    if name in ("gpu", "cuda") and not there and not (name == "gpu" and torch.backends.mps.is_available()):
        raise ConfigError([f"trainer.accelerator={name}: no GPU is there; type trainer.accelerator=cpu"])
    devices = cfg.trainer.devices
    if name in ("gpu", "cuda", "auto") and there and isinstance(devices, int) and devices > there:
        raise ConfigError([f"trainer.devices={devices}: GPUs that are there: {there}"])
    return "cpu" if name == "auto" and torch.backends.mps.is_available() else name


def precision(cfg: DictConfig) -> str:
    """The numbers to compute with; weights are always of 32 bits.

    Raises:
        ConfigError: another precision.
    """
    name = str(cfg.trainer.precision)
    chosen = {"32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}.get(name, name)
    if chosen not in PRECISIONS:
        allowed = f"choose {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}"
        raise ConfigError([f"trainer.precision={name}: {allowed}; weights stay in 32 bits"])
    return chosen


def callbacks(cfg: DictConfig, better: str) -> list[pl.Callback]:
    """The chosen callbacks, averaged weights last: the others must see them in place.

    `better` says whether more or less of the watched metric is better.
    """
    by_name = {name: make(node) for name, node in (cfg.get("callback") or {}).items()}
    for name, callback in by_name.items():
        for kind, remedy in UNFIT.items():
            if isinstance(callback, kind):
                raise ConfigError([f"callback.{name}: {kind.__name__} does not work here; {remedy}"])
        mode = "max" if better == "higher" else "min"
        watches = isinstance(callback, EarlyStopping) and callback.monitor == f"val/{cfg.watch}"
        if watches and callback.mode != mode:
            raise ConfigError([f"callback.{name}.mode={callback.mode}: {better} is better; type {mode}"])
    return [by_name[name] for name in sorted(by_name, key=lambda name: name == "ema")]


def loggers(cfg: DictConfig, folder: Path, budget: Budget, run_id: str | None) -> list[Any]:
    """The chosen loggers beside the run folder's own table; none starts before it has something to log."""
    given = {"folder": folder, "save_dir": str(folder), "moment": budget.moment, "run_id": run_id}
    # what is composed is data here, nothing in it is to be built: hence not recursive
    given["composed"] = OmegaConf.to_container(cfg, resolve=True)
    instances = []
    for node in (node for node in cfg.logger.values() if isinstance(node, DictConfig)):
        taken = {name: value for name, value in given.items() if name in signature(node._target_)}
        instances.append(make(node, **taken, _recursive_=False))
    return instances
