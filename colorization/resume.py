"""Going on with a run: its own configuration, but for what is changed now."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from colorization import trust
from colorization.check import faults
from colorization.compose import composed
from colorization.config import ConfigError, groups
from colorization.journal import saved, saved_overrides

# What a run may change while it goes on: how long, how fast, on what machine, and what it tells of itself.
FREE = (
    "budget", "optimizer", "schedule", "trainer", "callback", "logger", "metric", "validate", "test",
    "channels_last", "compile", "deterministic", "name",
    "data.name", "data.batch_size", "data.workers", "data.resident", "data.cache_dir", "data.root",
    "data.max_cache",
)  # fmt: skip
OURS = ("run", "resume")  # which resumption itself sets
KEPT = ("_target_",)  # of an optimizer: another's state would not fit

Change = tuple[str, Any, Any]


def resumed(folder: Path, overrides: Sequence[str]) -> tuple[DictConfig, dict[str, Any]]:
    """The configuration to go on with, and what differs from the run's own by its name.

    Only what the new overrides change is taken from them: a default that the program has changed since is
    none of the run's.

    Raises:
        ConfigError: for what a run keeps, what this version of the program does not know, or what is not
            trusted, for the folder may be somebody else's.
    """
    choices = [o for o in overrides if o.partition("=")[0] in groups("train")]
    if wrong := [o for o in choices if not _is_free(o.partition("=")[0])]:
        raise ConfigError(
            [f"{o}: the run has its own and keeps it; start a new run for another" for o in wrong]
        )
    cfg = saved(folder)
    before = [o for o in saved_overrides(folder) if not o.startswith(("resume=", "run.dir="))]
    trust.check_run(cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True)), before, folder)
    changes = (
        list(_changes(_plain("train", before), _plain("train", [*before, *overrides]))) if overrides else []
    )
    changes = [(name, old, new) for name, old, new in changes if name.partition(".")[0] not in OURS]
    if wrong := [_refusal(*change) for change in changes if not _is_free(change[0])]:
        raise ConfigError(wrong)
    for name, old, new in changes:
        if name == "trainer.strategy" and "sharded" in (old, new):
            raise ConfigError(
                [f"trainer.strategy={new}: its optimizer's state is that of {old}; leave it out"]
            )
    for name, _, new in changes:
        if new is MISSING:
            _delete(cfg, name)
        else:
            OmegaConf.update(cfg, name, new, merge=False, force_add=True)
    if wrong := list(faults(OmegaConf.to_container(cfg, resolve=True))):
        raise ConfigError(wrong)
    return cfg, {name: None if new is MISSING else new for name, _, new in changes}


MISSING = object()


def _plain(command: str, overrides: Sequence[str]) -> Any:
    return OmegaConf.to_container(composed(command, overrides), resolve=True)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> Iterator[Change]:
    """(name, old, new) of each setting that differs."""
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key, MISSING), after.get(key, MISSING)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _changes(old, new, f"{at}{key}.")
        elif old != new or type(old) is not type(new):
            yield f"{at}{key}", old, new


def _is_free(name: str) -> bool:
    if name.startswith("optimizer.") and name.rpartition(".")[2] in KEPT:
        return False
    return any(name == free or name.startswith(f"{free}.") for free in FREE)


def _refusal(name: str, old: Any, new: Any) -> str:
    own = "none" if old is MISSING else old
    setting = f"{name}={'null' if new is MISSING else new}"
    return f"{setting}: the run has {own} and keeps it; start a new run for another"


def _delete(cfg: DictConfig, name: str) -> None:
    parent, _, key = name.rpartition(".")
    node = OmegaConf.select(cfg, parent) if parent else cfg
    node.pop(key, None)
