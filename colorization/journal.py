"""The folder of a run that trains: made by one process alone, and what is written into it.

config.yaml       the complete configuration; config.N.yaml the one that part N of a resumed run had
overrides.yaml    what was asked for
run.json          what the run is, and each of its parts: command, code, machine, times
train.log         what it said
"""

import json
import logging
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from colorization.config import ConfigError
from colorization.files import TEXT, write_json, write_text
from colorization.reopen import literal

CHECKPOINTS = "checkpoints"


def refuse_taken(folder: Path) -> None:
    """Raise a ConfigError where there is something already."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    place = shlex.quote(str(folder))
    if (folder / CHECKPOINTS / "last.ckpt").exists():
        raise ConfigError(
            [f"run.dir={place}: holds a run; go on with it by resume={place}, or choose another"]
        )
    if (folder / "config.yaml").exists():
        remedy = f"it came to no checkpoint: remove it by rm -r {place}, or choose another"
        raise ConfigError([f"run.dir={place}: holds a run; {remedy}"])
    raise ConfigError([f"run.dir={place}: is there and not empty; choose another"])


def claimed(place: Path) -> Path:
    """Make the folder, or NAME_2, NAME_3 ... where another process has made it meanwhile."""
    folder, number = place, 1
    while not _claim(folder):
        number += 1
        folder = place.with_name(f"{place.name}_{number}")
    return folder


def _claim(folder: Path) -> bool:
    """Whether this process has made the folder's first content, which one alone can."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / CHECKPOINTS).mkdir()
    except FileExistsError:
        return False
    return True


def start(folder: Path, cfg: DictConfig, overrides: Sequence[str], record: dict[str, Any]) -> None:
    """Write what a run is, before it does anything."""
    write_yaml(folder / "config.yaml", OmegaConf.to_container(cfg, resolve=True))
    write_yaml(folder / "overrides.yaml", list(overrides))
    write_json(folder / "run.json", record)


def keep_part(folder: Path, number: int) -> None:
    """Keep the configuration of an earlier part of a resumed run beside the new one."""
    write_text(folder / f"config.{number}.yaml", (folder / "config.yaml").read_text(**TEXT))


def saved(folder: Path) -> DictConfig:
    """The complete configuration of a run."""
    return OmegaConf.create(literal(yaml.safe_load((folder / "config.yaml").read_text(**TEXT))))


def saved_overrides(folder: Path) -> list[str]:
    """What a run was asked for."""
    return list(yaml.safe_load((folder / "overrides.yaml").read_text(**TEXT)))


def record(folder: Path) -> dict[str, Any]:
    """What run.json says."""
    return json.loads((folder / "run.json").read_text(**TEXT))


def note(folder: Path, part: dict[str, Any] | None = None, **about: Any) -> None:
    """Add to run.json: to the last part, and of the whole run."""
    known = record(folder) | about
    known["parts"][-1] |= part or {}
    write_json(folder / "run.json", known)


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Write the log into train.log, too; what ends the run with its traceback."""
    handler = logging.FileHandler(folder / "train.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    except Exception as error:
        said = logging.LogRecord("colorization", logging.ERROR, __file__, 0, "%s", (error,), None)
        said.exc_info = (type(error), error, error.__traceback__)
        handler.emit(said)
        with suppress(TypeError):
            error.add_note(f"the log is {folder / 'train.log'}")
        raise
    finally:
        root.removeHandler(handler)
        handler.close()


def write_yaml(path: Path, content: Any) -> None:
    """Write YAML whole or not at all, in the order given."""
    write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
