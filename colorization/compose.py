"""Overrides as typed -> one complete configuration, or one for each trial of a sweep, or all their faults."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override, OverrideType
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from colorization.check import faults
from colorization.config import (
    ConfigError,
    add_folder,
    config_file,
    describe_target,
    groups,
    is_group,
    nearest,
    options,
    signature,
)
from colorization.loader import load
from colorization.override import PATHS, expanded, read_override

LONGEST = 120  # characters in the name of a trial's folder that say what differs
HYDRA = ("hydra.searchpath", "hydra.verbose", "hydra.mode", "hydra.sweep.dir", "hydra.sweep.subdir")

# What a list of options has chosen, in the name of a run: ${names:${loss}} of loss=[l1,chroma] is l1_chroma.
OmegaConf.register_new_resolver("names", lambda chosen: "_".join(chosen) or "none", replace=True)


class Trial(NamedTuple):
    """One run of a sweep: what was asked for, and its complete configuration; `cfg.run.dir` is its folder."""

    overrides: list[str]
    cfg: DictConfig


def composed(command: str, overrides: Sequence[str] = (), file: str | None = None) -> DictConfig:
    """Compose and check COMMAND.yaml, or another file, with overrides as typed on the command line.

    The configuration is complete: no interpolation is left in it, nor anything of Hydra's.

    Raises:
        ConfigError: listing every option and setting that does not exist and every value of the
            wrong type, with the nearest right spelling.
    """
    with _in_words():
        return _complete(*_loaded(command, overrides, file))


class Composer:
    """Complete configurations of one sweep's trials, which share the time and the name of its folder.

    Args:
        question: what tells this sweep from others: hydra.job.id, in the name of its folder.
        command, file: as of `composed`.
    """

    def __init__(self, question: str = "", command: str = "train", file: str | None = None):
        self.question, self.command, self.file = question, command, file
        self.first: DictConfig | None = None

    def trial(self, number: int, lines: Sequence[str], differs: Sequence[str] = ()) -> Trial:
        """One run; `differs` are those of its lines in which it differs from others: a part of its name.

        Raises:
            ConfigError: as `composed`, and for a folder of the run's own.
        """
        with _in_words():
            config, unknown = _loaded(self.command, lines, self.file)
            if self.first is not None:
                OmegaConf.copy_cache(self.first, config)
            self.first = self.first or config
            if any(line.startswith("run.dir=") for line in lines):
                unknown.append("run.dir: hydra.sweep.dir=FOLDER is a sweep's, with a folder for each trial")
            config.hydra.job.id, config.hydra.job.num = self.question, number
            config.hydra.job.override_dirname = differing(differs)
            with hydra_resolved(config):
                config.run.dir = f"{config.hydra.sweep.dir}/{config.hydra.sweep.subdir}".rstrip("_")
            return Trial(list(lines), _complete(config, unknown))


def every(composer: Composer, wanted: Sequence[tuple[Sequence[str], Sequence[str]]]) -> list[Trial]:
    """The trials of these overrides, each with those of its lines that differ from others.

    Raises:
        ConfigError: listing the faults of all trials, each with the trials that have it.
    """
    found: list[Trial] = []
    wrong: dict[str, list[str]] = {}
    for number, (lines, differs) in enumerate(wanted):
        try:
            found.append(composer.trial(number, lines, differs))
        except ConfigError as error:
            for fault in error.faults:
                wrong.setdefault(fault, []).append(f"trial {number} ({' '.join(differs)})")
    if wrong:
        raise ConfigError([_of_trials(fault, where, len(wanted)) for fault, where in wrong.items()])
    return found


def differing(lines: Sequence[str]) -> str:
    """optimizer.lr=0.01 and model=cnn -> lr=0.01,model=cnn: part of the name of a trial's folder."""
    last = [line.partition("=")[0].rpartition(".")[2] for line in lines]
    words = []
    for line, short in zip(lines, last, strict=True):
        name, _, value = line.partition("=")
        value = re.sub(r"[^\w.+-]+", "_", value).strip("_") or "none"
        words.append(f"{short if last.count(short) == 1 else name}={value}".replace("/", "."))
    return ",".join(words)[:LONGEST]


def unresolved(command: str, overrides: Sequence[str], file: str | None = None) -> DictConfig:
    """The configuration as `--cfg` shows it: interpolations as written, Hydra's part under `hydra`."""
    with _in_words():
        return _loaded(command, overrides, file)[0]


@contextmanager
def hydra_resolved(config: DictConfig) -> Iterator[None]:
    """Let `${hydra:...}` find this configuration's part of Hydra, and nothing afterwards.

    Lightning starts the processes of other devices in another way where Hydra's own is left behind.
    """
    HydraConfig.instance().set_config(config)
    try:
        OmegaConf.set_readonly(config.hydra, False)
        yield
    finally:
        HydraConfig.instance().cfg = None


def _loaded(command: str, lines: Sequence[str], file: str | None) -> tuple[DictConfig, list[str]]:
    """Hydra's composition with all that is known applied to it; and what is not known, in words."""
    overrides = [read_override(line) for line in lines]
    for override in overrides:
        if override.key_or_group == "hydra.searchpath":
            places = override.value()
            if not isinstance(places, list):
                raise ConfigError([f"{override.input_line}: give a list, hydra.searchpath=[FOLDER]"])
            for place in places:
                add_folder(place)
    file = file or command
    config_file(file)
    known = groups(file)
    choices = [o for o in overrides if _is_choice(o, known)]
    wrong = [fault for o in choices for fault in _choice_faults(o)]
    wrong += [fault for o in overrides for fault in _hydra_faults(o)]
    if wrong:
        raise ConfigError(wrong)
    JobRuntime.instance().set("name", command)
    config = load(file, [_line(o) for o in choices])
    OmegaConf.set_readonly(config.hydra, False)
    config.hydra.overrides.task = [line for line in lines if not line.startswith("hydra")]
    config.hydra.job.override_dirname = ",".join(sorted(config.hydra.overrides.task))
    settings = [o for o in overrides if o not in choices]
    placed = [_placed(config, o) for o in settings]
    ConfigLoaderImpl._apply_overrides_to_config([o for o in placed if o], config)
    unknown = [o.key_or_group for o, where in zip(settings, placed, strict=True) if not where]
    return config, [_no_such_setting(config, key) for key in unknown]


def _complete(config: DictConfig, wrong: Sequence[str]) -> DictConfig:
    """Resolve all interpolations, take Hydra's part away, and check every value."""
    if "resume" in config:  # train alone has a folder
        config.hydra.runtime.output_dir = "${run.dir}"
    with hydra_resolved(config):
        OmegaConf.resolve(config)
    with open_dict(config):
        del config["hydra"]
    for key in PATHS:
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(config, parent) if parent else config
        value = node.get(name) if isinstance(node, DictConfig) else None  # studio's run may be a list
        if isinstance(value, str):
            OmegaConf.update(config, key, expanded(value))
        elif isinstance(value, ListConfig):
            OmegaConf.update(config, key, [expanded(str(path)) for path in value])
    if wrong := [*wrong, *faults(OmegaConf.to_container(config))]:
        raise ConfigError(wrong)
    return config


def _of_trials(fault: str, where: Sequence[str], count: int) -> str:
    """A fault with the trials that have it, where others have not."""
    return fault if len(where) == count else f"{', '.join(where)}: {fault}"


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise ConfigError([re.sub(r"\s+", " ", str(error))]) from error


def _line(override: Override) -> str:
    """The override as it was read."""
    return override.input_line or ""


def _is_choice(override: Override, known: Sequence[str]) -> bool:
    """Whether an override chooses an option; predict's hints=clicks.json, say, does not."""
    group = override.key_or_group
    return group in known or bool(override.package) or (override.is_add() and is_group(group))


def _choice_faults(override: Override) -> list[str]:
    group, value = override.key_or_group, override.value()
    allowed = options(group)
    return [
        f"{group}={name}: no such option{nearest(str(name), allowed)} (choose from {', '.join(allowed)})"
        for name in (value if isinstance(value, list) else [value])
        if name is not None and str(name).removesuffix(".yaml") not in allowed
    ]


def _hydra_faults(override: Override) -> list[str]:
    """What Hydra's own settings would do that this program does not."""
    key = override.key_or_group
    if not key.startswith(("hydra.", "hydra/")) or key in HYDRA:
        return []
    others = {"hydra.run.dir": "run.dir=FOLDER names the folder of a run"}
    return [f"{key}: {others.get(key, 'no effect here; of Hydra there are ' + ', '.join(HYDRA))}"]


def _placed(config: DictConfig, override: Override) -> Override | None:
    """The override as it is to be applied; None where there is no such setting."""
    key = override.key_or_group
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if override.type is not OverrideType.CHANGE or key.startswith("hydra."):
        return override
    if isinstance(node, ListConfig):
        return override if name.isdigit() and int(name) < len(node) else None
    if not isinstance(node, DictConfig):
        return None
    if name in node.keys():  # noqa: SIM118 (`in` denies ??? values)
        return override
    added = replace(override, type=OverrideType.FORCE_ADD)
    if parent == "decoding" or ("_target_" in node and name in signature(node._target_)):
        return added
    names = [str(known) for known in config]
    if not parent and "decoding" in names and not nearest(name, names, cutoff=0.8):
        return replace(added, key_or_group=f"decoding.{name}")
    return None


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
