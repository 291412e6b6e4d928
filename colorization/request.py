"""A command line, read: settings, paths and the flags that Hydra's users know."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml
from omegaconf import DictConfig

from colorization.compose import composed
from colorization.config import ConfigError, add_folder, is_group
from colorization.override import expanded, quoted

INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
REFUSED = {
    "--config-path": "--config-dir DIR adds a folder of your own",
    "-cp": "--config-dir DIR adds a folder of your own",
    "--experimental-rerun": "train resume=RUN goes on with a run",
}


class Flags(argparse.ArgumentParser):
    """Hydra's flags; everything else on a command line is left over."""

    def __init__(self) -> None:
        super().__init__(add_help=False, allow_abbrev=False, usage=argparse.SUPPRESS)
        add = self.add_argument
        add("--help", "-h", action="store_true", help="this text")
        add("--multirun", "-m", action="store_true", help="train: a run for each combination of values")
        add("--run", "-r", action="store_true", help="what happens without a flag")
        add("--cfg", "-c", choices=("job", "hydra", "all"), help="print the configuration, and end")
        add("--resolve", action="store_true", help="with --cfg: interpolations as what they stand for")
        add("--package", "-p", metavar="NAME", help="with --cfg: this part alone, such as model")
        add("--info", "-i", choices=INFO, nargs="?", const="all", help="print how it is composed, and end")
        add("--config-dir", "-cd", metavar="DIR", help="a folder of your own YAML files, searched first")
        add("--config-name", "-cn", metavar="NAME", help="compose NAME.yaml in place of the command's own")
        add("--shell-completion", "-sc", action="store_true", help="with install=bash (zsh, fish)")
        add("--version", action="store_true", help="print the version, and end")
        add("--hydra-help", action="store_true", help="print these flags, and end")

    def error(self, message: str) -> NoReturn:
        raise ConfigError([f"{message}; see --help"])


@dataclass(frozen=True)
class Request:
    """What a command line asks for.

    Attributes:
        command: train, predict ...
        arguments: all of it, as typed.
        overrides: the settings, NAME=VALUE or --NAME=VALUE, and --config-dir as the one that it stands for.
        paths: the arguments without "=", and those with it that are paths of something that exists.
        flags: Hydra's.
    """

    command: str
    arguments: tuple[str, ...]
    overrides: tuple[str, ...]
    paths: tuple[Path, ...]
    flags: argparse.Namespace

    @property
    def multirun(self) -> bool:
        """Whether a sweep is asked for."""
        return bool(self.flags.multirun) or "hydra.mode=MULTIRUN" in self.overrides

    @property
    def verbose(self) -> bool | list[str]:
        """hydra.verbose: whether messages for developers are shown, or the loggers of which they are."""
        given = [line.partition("=")[2] for line in self.overrides if line.startswith("hydra.verbose=")]
        value = yaml.safe_load(given[-1]) if given else False
        return [value] if isinstance(value, str) else value

    def composed(self) -> DictConfig:
        """The complete configuration."""
        return composed(self.command, self.overrides, self.flags.config_name)


def read(command: str, arguments: Sequence[str], positional: bool = False) -> Request:
    """Read a command line; a folder given by --config-dir is searched from now on.

    Args:
        command: its name.
        arguments: what follows it.
        positional: whether the command takes paths.

    Raises:
        ConfigError: a flag that is none, or a path where none is taken.
    """
    before, after = _parted(arguments)
    if wrong := [word for word in before if word in REFUSED]:
        raise ConfigError([f"{wrong[0]}: {REFUSED[wrong[0]]}"])
    known = Flags()
    flags, rest = known.parse_known_args(_plain(before, known, positional))
    overrides, paths = [], list(after)
    if flags.config_dir:
        add_folder(flags.config_dir)
        overrides.append(f"hydra.searchpath=[{quoted(str(Path(expanded(flags.config_dir)).absolute()))}]")
    for argument in rest:
        if positional and Path(argument).exists():
            paths.append(argument)
        elif is_override(argument.removeprefix("--")):  # with --, as W&B's agent writes settings
            overrides.append(argument.removeprefix("--"))
        elif positional and not argument.startswith("-"):
            paths.append(expanded(argument))
        else:
            raise ConfigError([f"{argument}: not a setting; settings are NAME=VALUE, see --help"])
    return Request(command, tuple(arguments), tuple(overrides), tuple(map(Path, paths)), flags)


def is_override(argument: str) -> bool:
    """Whether an argument looks like NAME=VALUE, or like ~NAME, which removes a setting."""
    name, equals, _ = argument.partition("=")
    if not equals:
        return argument.startswith("~") and argument[1:].replace(".", "").isidentifier()
    name = name.lstrip("+~")
    return all(c.isalnum() or c in "._/@" for c in name) and ("/" not in name or is_group(name))


def _parted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before and after a lone --."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:end]), list(arguments[end + 1 :])


def _plain(arguments: Sequence[str], flags: Flags, positional: bool) -> list[str]:
    """Arguments that argparse takes for what they are: paths that begin with -, --info before a setting."""
    plain = []
    for i, argument in enumerate(arguments):
        known = argument.partition("=")[0] in flags._option_string_actions
        if argument in ("--info", "-i") and not (set(arguments[i + 1 : i + 2]) & set(INFO)):
            argument = "--info=all"
        elif positional and argument.startswith("-") and not known and Path(argument).exists():
            argument = f"./{argument}"
        plain.append(argument)
    return plain
