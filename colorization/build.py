"""Configuration -> objects: the only place that instantiates."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from omegaconf import DictConfig

from colorization.callback.budget import Budget
from colorization.config import ConfigError, locate, nearest, signature
from colorization.contract import check, input_channels
from colorization.data.module import PictureData, View
from colorization.factory import make
from colorization.hints.base import Hints
from colorization.metric.base import Metric, SetMetric
from colorization.model.base import Network
from colorization.module import Colorizer
from colorization.objective.base import Objective
from colorization.protocol import Measure, Protocol
from colorization.scorer import Scorer
from colorization.scoring import manifest
from colorization.scoring.amount import amount, trained
from colorization.trainer import precision


def data(cfg: DictConfig, protocol: Protocol | None = None) -> PictureData:
    """The pictures, split and served; where a protocol is given, "val" and "test" as it shows them."""
    pictures: PictureData = make(cfg.data)
    if protocol:
        pictures.view = View(protocol.size, protocol.geometry)
    return pictures


def training_data(cfg: DictConfig, protocol: Protocol) -> PictureData:
    """The pictures of a run that is about to train, which is scored on as many as it is worth.

    How many is written into the configuration: a resumed run keeps it, whatever its budget, or its best
    checkpoint would be the best on other pictures.
    """
    pictures = data(cfg, protocol)
    for part in ("validate", "test"):
        cfg[part].pictures = scored(cfg, part, pictures)
    pictures.view = pictures.view._replace(most=cfg.validate.pictures)
    return pictures


def scored(cfg: DictConfig, part: str, pictures: PictureData) -> int | None:
    """How many pictures each validation takes, or the test at the end; None: all."""

    def worth() -> float:
        return trained(budget(cfg).limits, lambda: pictures.count("train"), pictures.batch_size)

    return amount(part, cfg[part].pictures, worth)


def objective(cfg: DictConfig) -> Objective:
    """What the network learns."""
    instance = make(cfg.objective)
    if not isinstance(instance, Objective) or not hasattr(instance, "needs"):
        base = "colorization.objective.base.Objective with needs"
        raise ConfigError([f"{cfg.objective._target_}: should be a {base}"])
    return instance


def hints(cfg: DictConfig) -> Hints:
    """What a user reveals."""
    instance = make(cfg.hints)
    if not isinstance(instance, Hints):
        raise ConfigError([f"{cfg.hints._target_}: should be a colorization.hints.base.Hints"])
    return instance


def metrics(cfg: DictConfig) -> dict[str, Measure]:
    """The metrics by name."""
    return measures(cfg.get("metric", {}))


def measures(nodes: Mapping[str, Any]) -> dict[str, Measure]:
    """Metrics from the dotted names that the configuration gives them, or from nodes with arguments."""
    by_name: dict[str, Measure] = {}
    for name, node in nodes.items():
        found = locate(node) if isinstance(node, str) else make(node)
        found = found() if isinstance(found, type) else found
        if not isinstance(found, Metric | SetMetric):
            right = "a function under @metric(unit=..., better=...) or a SetMetric"
            raise ConfigError([f"metric.{name}: {node}: should be {right}, see colorization/metric/base.py"])
        if isinstance(found, SetMetric) and not hasattr(found, "state"):
            raise ConfigError([f"metric.{name}: {node}: should name what update adds to, state = (...)"])
        by_name[name] = found
    return by_name


def scorer(cfg: DictConfig, learns: Objective) -> Scorer:
    """What validation measures, under the protocol that the test numbers mean.

    Raises:
        ConfigError: the watched number is none of them, has no direction, or is absent at this size.
    """
    instance = Scorer(protocol(cfg), metrics(cfg), learns.columns)
    known = {**instance.metrics, **instance.columns}
    if cfg.watch not in known:
        choose = f"choose from {', '.join(known)}, or add one" if known else "nothing is; add what is watched"
        measured = f"{choose} by metric=[default,NAME]"
        near = nearest(cfg.watch, list(known))
        raise ConfigError([f"watch={cfg.watch}: not measured in validation{near} ({measured})"])
    if known[cfg.watch].better == "none":
        raise ConfigError([f"watch={cfg.watch}: neither more nor less of it is better; watch psnr"])
    absent = instance.gaps(instance.protocol.size or cfg.data.image_size)
    if cfg.watch in absent:
        raise ConfigError([f"watch={cfg.watch}: not measured here: {absent[cfg.watch]}"])
    return instance


def protocol(cfg: DictConfig) -> Protocol:
    """How pictures are scored; its manifest is there and is one."""
    instance: Protocol = make(cfg.protocol, metrics=measures(cfg.protocol.metrics))
    if instance.manifest:
        manifest.rows(instance.manifest)
    return instance


def parts(cfg: DictConfig) -> tuple[Network, Objective, Hints]:
    """What a checkpoint holds the weights of: the network, its objective and its hints."""
    learns = objective(cfg)
    reveals = hints(cfg)
    given = {"in_channels": input_channels(learns, reveals), "out_channels": learns.needs.out}
    if "takes_time" in signature(cfg.model._target_):
        given["takes_time"] = learns.needs.time
    network = make(cfg.model, **given)
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


def _optimizer(cfg: DictConfig) -> Callable[..., torch.optim.Optimizer]:
    """The optimizer, fused where it can be: a fused one scales 16-bit gradients itself, once clipped."""
    chosen = make(cfg.optimizer)
    try:  # what it refuses, it refuses before the run has a folder
        chosen([torch.zeros(1, requires_grad=True)])
    except (TypeError, ValueError) as error:
        raise ConfigError([f"optimizer: {error}"]) from error
    can_fuse = "fused" in inspect.signature(chosen.func).parameters
    clipped = precision(cfg) == "16-mixed" and cfg.trainer.gradient_clip_val is not None
    if can_fuse and not clipped and "fused" not in chosen.keywords:
        return partial(chosen, fused=True)
    return chosen
