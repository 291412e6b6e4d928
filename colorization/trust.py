"""What a checkpoint may build: a file from somebody else is data, and its `_target_`s are no commands.

Only classes are built, of the kind that their place asks for, and defined in

- this project's own rooms for what a checkpoint holds,
- torch.optim,
- a package that the environment names, as in COLORIZATION_TRUST=mylab,other.models.

What a YAML file in a folder of the user's own (--config-dir, COLORIZATION_CONF) names as its `_target_` is
trusted by that name. Of anything else not even the module is imported.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from colorization.config import CONF, ConfigError, locate, named_targets

VARIABLE = "COLORIZATION_TRUST"
ROOMS = ("critic", "data", "hints", "loss", "model", "objective", "schedule")
PARTS = (*(f"colorization.{room}" for room in ROOMS), "torch.optim")
RUN = ("colorization", "torch.optim", "pytorch_lightning.callbacks", "pytorch_lightning.loggers")


def check(node: Any, kind: type, file: object, path: str) -> None:
    """Refuse a node of a checkpoint's configuration that would build what is not trusted.

    Args:
        node: plain data that is to become a `kind`.
        kind: the base class.
        file: the checkpoint.
        path: of the node in the configuration, as in "model".

    Raises:
        ConfigError: naming the target, what is trusted, and what to type.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise ConfigError([f"{file}: its configuration has no {path} with a _target_"])
    for place, target in _targets(node, path):
        if fault := _fault(target, kind if place == path else object, PARTS):
            raise _error(file, place, target, fault)


def check_run(config: Mapping[str, Any], overrides: Sequence[str], file: object) -> None:
    """Refuse a run folder that would build, to go on, what is not trusted.

    Callbacks and loggers of Lightning are trusted, too, and what this project's own YAML names.

    Args:
        config: its complete configuration, as plain data.
        overrides: what it was asked for.
        file: where they stand.

    Raises:
        ConfigError: as `check`.
    """
    ours = named_targets([CONF])
    asked = [(line, name) for line in overrides for name in re.findall(r"_target_[\s:='\"]*([\w.]+)", line)]
    for place, target in (*_targets(config, "run"), *asked):
        if target not in ours and (fault := _fault(target, object, RUN)):
            raise _error(file, place, target, fault)
    for name, target in {**config["metric"], **config["protocol"]["metrics"]}.items():
        if isinstance(target, str) and not _package(target, RUN):
            raise _error(file, f"metric.{name}", target, "which is not trusted")


def packages() -> list[str]:
    """The packages that the environment names."""
    return [name for name in re.split(rf"[,\s{os.pathsep}]+", os.environ.get(VARIABLE, "")) if name]


def _targets(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every `_target_` in a node, with its place."""
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield path, node["_target_"]
        for key, value in node.items():
            yield from _targets(value, f"{path}.{key}")
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for number, value in enumerate(node):
            yield from _targets(value, f"{path}.{number}")


def _package(target: str, ours: Sequence[str]) -> str | None:
    """The trusted package that a target lies in: one of ours, or of those that the environment names."""
    return next((p for p in (*ours, *packages()) if target.startswith(f"{p}.")), None)


def _fault(target: Any, kind: type, ours: Sequence[str]) -> str | None:
    """What speaks against building a target as a `kind`."""
    if not isinstance(target, str) or "__" in target:
        return "which is no name of a class"
    if target in named_targets():
        return None
    package = _package(target, ours)
    if package is None:
        return "which is not trusted"
    try:
        found = locate(target)
    except ConfigError:
        return f"which {package} does not have"
    if not isinstance(found, type) or not f"{found.__module__}.".startswith(f"{package}."):
        return f"which is no class that {package} defines"
    return None if issubclass(found, kind) else f"which is no {kind.__name__}"


def _error(file: object, place: str, target: Any, fault: str) -> ConfigError:
    """With what is trusted, and how to trust more where the target may be the user's own."""
    own, top = packages(), str(target).partition(".")[0]
    trusted = f"trusted are {', '.join(['colorization', 'torch.optim', *own])}"
    remedy = f"if {top} is your own package, type: export {VARIABLE}={','.join([*own, top])}"
    remedy += ", or give the --config-dir whose YAML names it"
    if top in {*sys.stdlib_module_names, "colorization", "hydra", "torch"}:
        remedy = "no run needs another: leave this file alone"
    return ConfigError([f"{file}: {place} would build {target}, {fault}; {trusted}; {remedy}"])
