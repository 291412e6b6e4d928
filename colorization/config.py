"""Where configurations live, what they may choose from, and the error that a wrong one gives.

YAML files are searched for in the user's own folders first (COLORIZATION_CONF, --config-dir,
hydra.searchpath), then in conf/.
"""

import difflib
import importlib
import importlib.util
import inspect
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).parent
DISTRIBUTION = "colorization-lab"  # the name on the package registry, where "colorization" is another's
FOLDERS = "COLORIZATION_CONF"  # the environment variable that names the user's folders, as PATH names others


class InputError(ValueError):
    """What a user gave cannot be used: the message says why and what to do, so no traceback is shown."""


class ConfigError(InputError):
    """One or more faults of a configuration, all at once, each with what to type instead."""

    def __init__(self, faults: Sequence[str]):
        count = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n  ".join([f"the configuration has {count}:", *faults]))
        self.faults = list(faults)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.faults,)


def command_line(name: str, *arguments: object) -> str:
    """A command as a user types it: `shlex.split` gives every argument back as it is."""
    return shlex.join(["python", "-m", f"colorization.{name}", *map(str, arguments)])


def _folder(name: str) -> Path:
    """conf/ or experiments/: inside the package when installed from a wheel, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


CONF = _folder("conf")
EXPERIMENTS = _folder("experiments")


def own_folders() -> list[Path]:
    """The user's own folders of YAML files.

    Raises:
        ConfigError: when one does not exist.
    """
    names = os.environ.get(FOLDERS, "").split(os.pathsep)
    named = [Path(name).expanduser().absolute() for name in names if name]
    if missing := [path for path in named if not path.is_dir()]:
        setting = f"({FOLDERS}, --config-dir or hydra.searchpath)"
        raise ConfigError([f"{path}: no such folder of YAML files {setting}" for path in missing])
    return named


def add_folder(place: str) -> None:
    """Search a folder first, in this process and in those that it starts.

    Args:
        place: a path, file://PATH or pkg://PACKAGE.
    """
    if place.startswith("pkg://"):
        package = place.removeprefix("pkg://").replace("/", ".")
        try:
            spec = importlib.util.find_spec(package)
        except ModuleNotFoundError:
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError([f"{place}: no such package; is it installed, or its parent in PYTHONPATH?"])
        place = spec.submodule_search_locations[0]
    folder = str(Path(place.removeprefix("file://")).expanduser().absolute())
    known = [name for name in os.environ.get(FOLDERS, "").split(os.pathsep) if name and name != folder]
    os.environ[FOLDERS] = os.pathsep.join([folder, *known])
    own_folders()


def folders() -> list[Path]:
    """Where YAML files are searched for; the first that has one wins."""
    return [*own_folders(), CONF]


def config_file(name: str) -> Path:
    """The file of a command's configuration."""
    found = [path for folder in folders() if (path := folder / f"{name}.yaml").is_file()]
    if not found:
        there = sorted({path.stem for folder in folders() for path in folder.glob("*.yaml")})
        choose = f"{nearest(name, there)} (choose from {', '.join(there)})"
        raise ConfigError([f"--config-name {name}: no such file{choose}"])
    return found[0]


def is_group(name: str) -> bool:
    """Whether there are options for `name=OPTION`."""
    return name == "experiment" or any((folder / name).is_dir() for folder in folders())


def options(group: str) -> list[str]:
    """The names that `group=NAME` may choose from."""
    names = {
        path.relative_to(folder / group).with_suffix("").as_posix()
        for folder in folders()
        for path in (folder / group).rglob("*.yaml")
    }
    if group == "experiment":
        names |= {path.parent.name for path in EXPERIMENTS.glob("*/recipe.yaml")}
    return sorted(names)


def groups(command: str) -> list[str]:
    """The names of the groups of options that COMMAND.yaml composes."""
    composed = yaml.safe_load(config_file(command).read_text(encoding="utf-8")).get("defaults", [])
    entries = [next(iter(entry)) for entry in composed if isinstance(entry, dict)]
    return [entry.split()[-1].partition("@")[0].lstrip("/") for entry in entries]


def named_targets(among: Sequence[Path] | None = None) -> set[str]:
    """Every `_target_` that a YAML file in some folders names; by default in the user's own."""
    folders = own_folders() if among is None else among
    files = [path for folder in folders for path in sorted(folder.rglob("*.yaml"))]
    return {target for path in files for target in _targets(yaml.safe_load(path.read_text(encoding="utf-8")))}


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("_target_"), str):
            yield node["_target_"]
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from _targets(value)


def installation(extra: str) -> str:
    """What to type for the libraries of an extra."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


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
    except ModuleNotFoundError as error:
        remedy = f"is {error.name} installed, or its folder in PYTHONPATH?"
        raise ConfigError([f"_target_: {target}: {error}; {remedy}"]) from error
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError([f"_target_: {target}: {error}"]) from error


def nearest(word: str, words: Sequence[str], cutoff: float = 0.5) -> str:
    """The nearest of `words` as a question to append to a fault, or the empty string."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=cutoff)
    return f"; did you mean {close[0]}?" if close else ""


def describe_target(target: str) -> str:
    """The class of a `_target_` and the file to look in, as in UNet, model/unet.py."""
    module, _, name = target.rpartition(".")
    if module.startswith("colorization.") or target in named_targets():
        return f"{name}, {module.removeprefix('colorization.').replace('.', '/')}.py"
    return target
