"""Where configurations live, how a command composes one, and what a user reads when it is wrong."""

import difflib
import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

PACKAGE = Path(__file__).parent


class ConfigError(ValueError):
    """One or more faults of a configuration, all at once, each with what to type instead."""

    def __init__(self, faults: Sequence[str]):
        count = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n  ".join([f"the configuration has {count}:", *faults]))


def _folder(name: str) -> Path:
    """conf/ or experiments/: inside the package when installed from a wheel, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


CONF = _folder("conf")
EXPERIMENTS = _folder("experiments")


def options(group: str) -> list[str]:
    """The names that `group=NAME` may choose from."""
    if group == "experiment":
        return sorted(path.parent.name for path in EXPERIMENTS.glob("*/recipe.yaml"))
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def groups() -> list[str]:
    """The names of all groups of options."""
    return [*sorted(path.name for path in CONF.iterdir() if path.is_dir()), "experiment"]


def register_experiments() -> None:
    """Make `experiment=NAME` compose experiments/NAME/recipe.yaml over the rest."""
    for name in options("experiment"):
        recipe = OmegaConf.load(EXPERIMENTS / name / "recipe.yaml")
        ConfigStore.instance().store(name=name, node=recipe, group="experiment", package="_global_")


def composed(command: str, overrides: Sequence[str] = ()) -> DictConfig:
    """Compose conf/COMMAND.yaml with overrides as typed on the command line.

    Raises:
        ConfigError: listing every option and every setting that does not exist, with the nearest
            right spelling.
    """
    with _composing():
        return compose(command, list(_completed(command, overrides)), return_hydra_config=command == "train")


def completed_arguments(command: str, overrides: Sequence[str]) -> list[str]:
    """Overrides as Hydra's own command line takes them; see `_completed`."""
    with _composing():
        return list(_completed(command, overrides))


@contextmanager
def _composing() -> Iterator[None]:
    register_experiments()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF.absolute()), version_base="1.3"):
        try:
            yield
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError([str(error).splitlines()[0]]) from error


def _completed(command: str, overrides: Sequence[str]) -> Iterator[str]:
    """The overrides, with `++` before settings that a constructor takes but no YAML lists.

    So `trainer.fast_dev_run=true` works although conf/trainer does not name it.
    """
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise ConfigError([re.sub(r"\s+", " ", str(error))]) from error
    choices = [o for o in parsed if _is_group(o.key_or_group)]
    faults = [fault for o in choices for fault in _choice_faults(o.key_or_group, o.value())]
    if faults:
        raise ConfigError(faults)
    base = compose(command, [o.input_line for o in choices])
    for o in parsed:
        if o in choices or o.key_or_group.startswith("hydra") or o.input_line[0] in "+~":
            yield o.input_line
        elif OmegaConf.select(base, o.key_or_group, default=base) is not base:
            yield o.input_line
        elif _accepts(base, o.key_or_group):
            yield "++" + o.input_line
        else:
            faults.append(_no_such_setting(base, o.key_or_group))
    if faults:
        raise ConfigError(faults)


def signature(target: str) -> dict[str, inspect.Parameter]:
    """What a `_target_` takes, by name."""
    parameters = inspect.signature(locate(target)).parameters
    return {k: p for k, p in parameters.items() if k != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


def locate(target: str) -> Any:
    """The class or function that a dotted `_target_` names."""
    module, _, name = target.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError([f"_target_: {target}: {error}"]) from error


def nearest(word: str, words: Sequence[str]) -> str:
    """"; did you mean X?" for the nearest of `words`, or the empty string."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _is_group(key: str) -> bool:
    return key in groups() and key != "hydra"


def _choice_faults(group: str, value: Any) -> list[str]:
    allowed = options(group)
    names = [value] if not isinstance(value, list) else value
    return [
        f"{group}={name}: no such option{nearest(str(name), allowed)} (choose from {', '.join(allowed)})"
        for name in names
        if name is not None and str(name) not in allowed
    ]


def _accepts(config: DictConfig, key: str) -> bool:
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else None
    return isinstance(node, DictConfig) and "_target_" in node and name in signature(node._target_)


def _no_such_setting(config: DictConfig, key: str) -> str:
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    while parent and not isinstance(node, DictConfig):
        parent, _, name = parent.rpartition(".")
        node = OmegaConf.select(config, parent) if parent else config
    names = [str(k) for k in node if not str(k).startswith("_")]
    where = ""
    if "_target_" in node:
        names += [k for k in signature(node._target_) if k not in names]
        where = f" ({describe_target(node._target_)})"
    allowed = f"; the settings of {parent} are {', '.join(names)}" if parent else ""
    return f"{key}: no such setting{nearest(name, names) or allowed}{where}"


def describe_target(target: str) -> str:
    """"UNet, model/unet.py": the class of a `_target_` and the file to look in."""
    module, _, name = target.rpartition(".")
    if module.startswith("colorization."):
        return f"{name}, {module.removeprefix('colorization.').replace('.', '/')}.py"
    return target
