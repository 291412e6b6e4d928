"""Configuration -> objects: the only place that instantiates."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from colorization.callback.budget import Budget
from colorization.callback.checkpoint import Checkpoints
from colorization.callback.interrupt import Interrupt
from colorization.callback.progress import BudgetBar, Speed
from colorization.config import ConfigError, locate, nearest
from colorization.contract import check, input_channels
from colorization.data.module import PictureData, View
from colorization.factory import make
from colorization.hints.base import Hints
from colorization.logger.table import Table
from colorization.logger.wandb import log_evaluation as log_to_wandb
from colorization.metric.base import Metric, SetMetric
from colorization.model.base import Network
from colorization.module import Colorizer
from colorization.objective.base import Objective
from colorization.protocol import Measure, Protocol
from colorization.scorer import Scorer
from colorization.scoring import manifest
from colorization.scoring.amount import amount, trained


def data(cfg: DictConfig, protocol: Protocol | None = None) -> PictureData:
    """The pictures, split and served; where a protocol is given, "val" and "test" as it shows them."""
    made: PictureData = make(cfg.data)
    if protocol:
        made.view = View(protocol.size, protocol.geometry)
    return made


def training_data(cfg: DictConfig, protocol: Protocol) -> PictureData:
    """The pictures of a run that is about to train: its validations take as many as that is worth."""
    made = data(cfg, protocol)
    made.view = made.view._replace(most=scored(cfg, "validate", made))
    return made


def scored(cfg: DictConfig, part: str, made: PictureData) -> int | None:
    """How many pictures each validation takes, or the test at the end; None: all."""

    def worth() -> float:
        return trained(budget(cfg).limits, lambda: made.count("train"), made.batch_size)

    return amount(part, cfg[part].pictures, worth)


def objective(cfg: DictConfig) -> Objective:
    """What the network learns."""
    made = make(cfg.objective)
    if not isinstance(made, Objective) or not hasattr(made, "needs"):
        base = "colorization.objective.base.Objective with needs"
        raise ConfigError([f"{cfg.objective._target_}: should be a {base}"])
    return made


def hints(cfg: DictConfig) -> Hints:
    """What a user reveals."""
    made = make(cfg.hints)
    if not isinstance(made, Hints):
        raise ConfigError([f"{cfg.hints._target_}: should be a colorization.hints.base.Hints"])
    return made


def metrics(cfg: DictConfig) -> dict[str, Measure]:
    """The metrics by name."""
    return measures(cfg.get("metric", {}))


def measures(nodes: Mapping[str, Any]) -> dict[str, Measure]:
    """Metrics from the dotted names that the configuration gives them, or from nodes with arguments."""
    made: dict[str, Measure] = {}
    for name, node in nodes.items():
        found = locate(node) if isinstance(node, str) else make(node)
        found = found() if isinstance(found, type) else found
        if not isinstance(found, Metric | SetMetric):
            right = "a function under @metric(unit=..., better=...) or a SetMetric"
            raise ConfigError([f"metric.{name}: {node}: should be {right}, see colorization/metric/base.py"])
        if isinstance(found, SetMetric) and not hasattr(found, "state"):
            raise ConfigError([f"metric.{name}: {node}: should name what update adds to, state = (...)"])
        made[name] = found
    return made


def scorer(cfg: DictConfig, learns: Objective) -> Scorer:
    """What validation measures, under the protocol that the test numbers mean.

    Raises:
        ConfigError: the watched number is none of them, has no direction, or is absent at this size.
    """
    made = Scorer(protocol(cfg), metrics(cfg), learns.columns)
    known = {**made.metrics, **made.columns}
    if cfg.watch not in known:
        measured = f"choose from {', '.join(known)}, or add one by metric=[default,NAME]"
        near = nearest(cfg.watch, list(known))
        raise ConfigError([f"watch={cfg.watch}: not measured in validation{near} ({measured})"])
    if known[cfg.watch].better == "none":
        raise ConfigError([f"watch={cfg.watch}: neither more nor less of it is better; watch psnr"])
    absent = made.gaps(made.protocol.size or cfg.data.image_size)
    if cfg.watch in absent:
        raise ConfigError([f"watch={cfg.watch}: not measured here: {absent[cfg.watch]}"])
    return made


def protocol(cfg: DictConfig) -> Protocol:
    """How pictures are scored; its manifest is there and is one."""
    made: Protocol = make(cfg.protocol, metrics=measures(cfg.protocol.metrics))
    if made.manifest:
        manifest.rows(made.manifest)
    return made


def parts(cfg: DictConfig) -> tuple[Network, Objective, Hints]:
    """What a checkpoint holds the weights of: the network, its objective and its hints."""
    learns = objective(cfg)
    reveals = hints(cfg)
    channels = input_channels(learns, reveals)
    network = make(cfg.model, in_channels=channels, out_channels=learns.needs.out)
    if not isinstance(network, Network) or not hasattr(network, "units"):
        raise ConfigError([f"{cfg.model._target_}: should be a colorization.model.base.Network with units"])
    check(network, learns, reveals)
    return network.to(memory_format=torch.channels_last) if cfg.channels_last else network, learns, reveals


def colorizer(
    cfg: DictConfig, progress: Callable[[], float] = lambda: 0.0, record: Mapping[str, Any] | None = None
) -> Colorizer:
    """The network with its objective, optimizer and schedule."""
    network, learns, reveals = parts(cfg)
    if cfg.compile:
        network.compile()
    return Colorizer(
        network=network,
        objective=learns,
        hints=reveals,
        optimizer=_optimizer(cfg),
        schedule=make(cfg.schedule),
        terms={name: make(node) for name, node in (cfg.get("loss") or {}).items()},
        scorer=scorer(cfg, learns),
        progress=progress,
        watch=cfg.watch,
        clip=cfg.trainer.gradient_clip_val,
        accumulate=cfg.trainer.accumulate_grad_batches,
        seed=cfg.seed,
        record=record,
    )


def budget(cfg: DictConfig) -> Budget:
    """How long the run lasts."""
    return make(cfg.budget)


def trainer(
    cfg: DictConfig, folder: Path, budget: Budget, colorizer: Colorizer, run_id: str | None = None
) -> pl.Trainer:
    """The trainer with its loggers and callbacks, writing into the run folder."""
    _, better = colorizer.scorer.described(cfg.watch)
    best = ModelCheckpoint(
        dirpath=folder / "checkpoints",
        filename="best",
        monitor=f"val/{cfg.watch}",
        mode="max" if better == "higher" else "min",
        save_last=True,
        save_on_train_epoch_end=False,
        enable_version_counter=False,
    )
    try:
        return make(
            cfg.trainer,
            accelerator=accelerator(cfg),
            gradient_clip_val=None,  # the Colorizer clips and accumulates, player by player
            accumulate_grad_batches=1,
            default_root_dir=str(folder),
            max_epochs=-1,
            logger=[Table(folder / "metrics.csv", budget.moment), *loggers(cfg, folder, run_id)],
            plugins=[Checkpoints()],
            callbacks=[budget, Speed(), *callbacks(cfg), BudgetBar(budget), best, Interrupt()],
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_model_summary=False,
        )
    except pl.utilities.exceptions.MisconfigurationException as error:
        raise ConfigError([f"trainer: {error}"]) from error


def accelerator(cfg: DictConfig) -> str:
    """What to train on: Apple's MPS only by name, for it has no float64, in which scores are summed."""
    wanted = str(cfg.trainer.accelerator)
    return "cpu" if wanted == "auto" and torch.backends.mps.is_available() else wanted


def callbacks(cfg: DictConfig) -> list[pl.Callback]:
    """The chosen callbacks, averaged weights last: the others must see them in place."""
    made = {name: make(node) for name, node in (cfg.get("callback") or {}).items()}
    return [made[name] for name in sorted(made, key=lambda name: name == "ema")]


def loggers(cfg: DictConfig, folder: Path, run_id: str | None) -> list[Any]:
    """The chosen loggers beside the run folder's own table; the first process alone logs."""
    made = []
    for name, node in cfg.logger.items():
        if isinstance(node, DictConfig) and first_process():
            own: dict[str, Any] = {}
            if name == "wandb":
                own = {"folder": folder, "name": folder.name, "run_id": run_id}
                # not recursive: the configuration is data here, nothing in it is to be built
                own |= {"composed": OmegaConf.to_container(cfg, resolve=True), "_recursive_": False}
            made.append(make(node, **own))
    return made


def log_evaluation(trainer: pl.Trainer, folder: Path, evaluation: Path) -> None:
    """Send a scored run's tables and pictures to its W&B run, where there is one."""
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            log_to_wandb(logger.experiment, folder, evaluation)


def wandb_id(trainer: pl.Trainer) -> str | None:
    """The id of the W&B run that a resumed run goes on with."""
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            return str(logger.experiment.id)
    return None


def first_process() -> bool:
    """Whether this is the process that writes: the only one, or rank 0 of those that Lightning starts."""
    return getattr(rank_zero_only, "rank", 0) in (0, None)


def _optimizer(cfg: DictConfig) -> Callable[..., torch.optim.Optimizer]:
    """The optimizer, fused where it can be: Lightning does not clip for a fused one in mixed precision."""
    chosen = make(cfg.optimizer)
    try:  # what it refuses, it refuses before the run has a folder
        chosen([torch.zeros(1, requires_grad=True)])
    except (TypeError, ValueError) as error:
        raise ConfigError([f"optimizer: {error}"]) from error
    can_fuse = "fused" in inspect.signature(chosen.func).parameters
    clipped = "mixed" in str(cfg.trainer.precision) and cfg.trainer.gradient_clip_val is not None
    if can_fuse and not clipped and "fused" not in chosen.keywords:
        return partial(chosen, fused=True)
    return chosen
