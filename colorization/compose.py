"""Command-line overrides -> a composed configuration, or every fault in them at once."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from colorization.check import faults
from colorization.config import (
    CONF,
    EXPERIMENTS,
    ConfigError,
    describe_target,
    groups,
    nearest,
    options,
    signature,
)


def composed(command: str, overrides: Sequence[str] = ()) -> DictConfig:
    """Compose and check conf/COMMAND.yaml with overrides as typed on the command line.

    Raises:
        ConfigError: listing every option and setting that does not exist and every value of the
            wrong type, with the nearest right spelling.
    """
    return _composed(command, overrides)[0]


def completed(command: str, overrides: Sequence[str]) -> list[str]:
    """Checked overrides as Hydra's own command line takes them.

    Settings that a constructor takes but no YAML lists get the `++` that Hydra wants, so that
    `trainer.fast_dev_run=true` works although conf/trainer does not name it.
    """
    return _composed(command, overrides)[1]


def varied(command: str, overrides: Sequence[str]) -> Iterator[list[str]]:
    """The overrides of a sweep with one value at a time: enough to check them all before the first trial."""
    with _hydra():
        parsed = _read(overrides)
        fixed = [_line(o) for o in parsed if not o.is_sweep_override()]
        swept = [(o.key_or_group, o.sweep_string_iterator()) for o in parsed if o.is_sweep_override()]
    yield fixed
    for key, values in swept:
        yield from ([*fixed, f"{key}={value}"] for value in values)


def register_experiments() -> None:
    """Make `experiment=NAME` compose experiments/NAME/recipe.yaml over the rest."""
    for name in options("experiment"):
        recipe = OmegaConf.load(EXPERIMENTS / name / "recipe.yaml")
        ConfigStore.instance().store(name=name, node=recipe, group="experiment", package="_global_")


def _composed(command: str, overrides: Sequence[str]) -> tuple[DictConfig, list[str]]:
    with _hydra():
        choices, settings = _parsed(command, overrides)
        base = _config(command, [_line(o) for o in choices])
        wrong: list[str] = []
        lines, apart = [_line(o) for o in choices], {}
        for o in settings:
            if (CONF / o.key_or_group).is_dir() and _exists(base, o):
                # such as predict's hints, which Hydra would take for the group
                apart[o.key_or_group] = o.value()
            elif _exists(base, o):
                lines.append(_line(o))
            elif _accepts(base, o.key_or_group):
                lines.append("++" + _line(o))
            else:
                wrong.append(_no_such_setting(base, o.key_or_group))
        config = _config(command, lines)
        config.update(apart)
        wrong += faults(OmegaConf.to_container(config, resolve=True))
    if wrong:
        raise ConfigError(wrong)
    return config, lines


def _parsed(command: str, overrides: Sequence[str]) -> tuple[list[Override], list[Override]]:
    """Overrides as (choices of options, values of settings)."""
    parsed = _read(overrides)
    choices = [o for o in parsed if o.key_or_group in groups(command)]
    wrong = [fault for o in choices for fault in _choice_faults(o.key_or_group, o.value())]
    if wrong:
        raise ConfigError(wrong)
    return choices, [o for o in parsed if o not in choices]


def _read(overrides: Sequence[str]) -> list[Override]:
    """Hydra's reading; a value beyond its grammar, as ~/photos or Fotos (alt), is text as it stands."""
    parser, read = OverridesParser.create(), []
    for override in overrides:
        try:
            read.append(parser.parse_override(override))
        except HydraException:
            name, _, value = override.partition("=")
            try:
                read.append(parser.parse_override(f"{name}={quoted(value)}"))
            except HydraException:
                read.append(parser.parse_override(override))  # whose error says what is wrong
    return read


def quoted(text: str) -> str:
    """Text as Hydra's grammar writes it, whatever it holds."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _config(command: str, lines: Sequence[str]) -> DictConfig:
    """The configuration without Hydra's own part, which its interpolations still find."""
    config = compose(command, list(lines), return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    with open_dict(config):
        del config["hydra"]
    return config


@contextmanager
def _hydra() -> Iterator[None]:
    register_experiments()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF.absolute()), version_base="1.3"):
        try:
            yield
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError([re.sub(r"\s+", " ", str(error))]) from error


def _line(override: Override) -> str:
    """The override as it was typed."""
    return override.input_line or ""


def _choice_faults(group: str, value: Any) -> list[str]:
    allowed = options(group)
    return [
        f"{group}={name}: no such option{nearest(str(name), allowed)} (choose from {', '.join(allowed)})"
        for name in (value if isinstance(value, list) else [value])
        if name is not None and str(name) not in allowed
    ]


def _exists(config: DictConfig, override: Override) -> bool:
    key = override.key_or_group
    if key.startswith("hydra") or _line(override)[0] in "+~":
        return True
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if isinstance(node, ListConfig):
        return name.isdigit() and int(name) < len(node)
    return isinstance(node, DictConfig) and name in node.keys()  # noqa: SIM118 (`in` denies ??? values)


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
