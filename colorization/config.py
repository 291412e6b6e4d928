"""Where configurations live, what they may choose from, and the error that a wrong one gives."""

import difflib
import importlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).parent


class InputError(ValueError):
    """What a user gave cannot be used: the message says why and what to do, so no traceback is shown."""


class ConfigError(InputError):
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


def groups(command: str) -> list[str]:
    """The names of the groups of options that conf/COMMAND.yaml composes."""
    composed = yaml.safe_load((CONF / f"{command}.yaml").read_text()).get("defaults", [])
    return [next(iter(entry)) for entry in composed if isinstance(entry, dict)]


def signature(target: str) -> dict[str, inspect.Parameter]:
    """What a `_target_` takes, by name."""
    parameters = inspect.signature(locate(target)).parameters
    return {
        k: p for k, p in parameters.items() if k != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }


def locate(target: str) -> Any:
    """The class or function that a dotted `_target_` names."""
    module, _, name = target.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError([f"_target_: {target}: {error}"]) from error


def nearest(word: str, words: Sequence[str]) -> str:
    """The nearest of `words` as a question to append to a fault, or the empty string."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def describe_target(target: str) -> str:
    """The class of a `_target_` and the file to look in, as in UNet, model/unet.py."""
    module, _, name = target.rpartition(".")
    if module.startswith("colorization."):
        return f"{name}, {module.removeprefix('colorization.').replace('.', '/')}.py"
    return target
