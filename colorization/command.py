"""What the commands share: help that a newcomer understands, and errors without tracebacks."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from omegaconf import DictConfig

from colorization.compose import composed, quoted
from colorization.config import CONF, ConfigError, InputError, groups, options

Main = Callable[[DictConfig], int | None]


def command(
    name: str, help: str | None, positional: str | None = None
) -> Callable[[Main], Callable[[], None]]:
    """Turn a function of a configuration into a command.

    Args:
        name: conf/NAME.yaml is its configuration, `python -m colorization.NAME` its command line.
        help: what --help begins with.
        positional: the setting (a list) that arguments without "=" go to.
    """

    def wrap(main: Main) -> Callable[[], None]:
        def entry() -> None:
            arguments = sys.argv[1:]
            if {"-h", "--help"} & set(arguments):
                print(help_text(name, help or ""))
                return
            with errors_in_words():
                cfg = composed(name, gathered(arguments, positional))
                if positional and isinstance(cfg[positional], str):
                    cfg[positional] = [cfg[positional]]
                logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
                sys.exit(main(cfg) or 0)

        return entry

    return wrap


def gathered(arguments: Sequence[str], positional: str | None) -> list[str]:
    """Command-line arguments as overrides: those without "=" become the positional setting's list."""
    overrides = [argument for argument in arguments if _is_override(argument)]
    rest = [argument for argument in arguments if argument not in overrides]
    flags = [argument for argument in rest if argument.startswith("-")]
    if wrong := flags or (rest if positional is None else []):
        raise ConfigError([f"{wrong[0]}: not a setting; settings are NAME=VALUE, see --help"])
    return [*overrides, f"{positional}=[{','.join(map(quoted, rest))}]"] if rest else overrides


def help_text(name: str, docstring: str) -> str:
    """The module's docstring, its commented settings and the options of every group it composes."""
    settings = (CONF / f"{name}.yaml").read_text()
    text = f"{docstring.strip()}\n\nSettings (NAME=VALUE) and their defaults, conf/{name}.yaml:\n\n"
    text += _indented(settings)
    if used := groups(name):
        rows = "\n".join(f"  {group}={' | '.join(options(group))}" for group in used)
        text += "\n\nOptions (GROUP=NAME); each is a file conf/GROUP/NAME.yaml with settings of its own:\n\n"
        text += rows
    return text


@contextmanager
def errors_in_words() -> Iterator[None]:
    """A user's mistake ends a command with its sentence and exit code 1; only a bug shows a traceback.

    COLORIZATION_TRACEBACK=1 in the environment shows it always.
    """
    try:
        yield
    except (InputError, OSError) as error:
        if os.environ.get("COLORIZATION_TRACEBACK"):
            raise
        sys.exit(in_words(error))
    except KeyboardInterrupt:
        sys.exit(130)


def in_words(error: BaseException) -> str:
    """An error as a user reads it."""
    return f"{type(error).__name__}: {error}"


def _is_override(argument: str) -> bool:
    name = argument.lstrip("+~").partition("=")[0]
    return "=" in argument and all(c.isalnum() or c in "._/@" for c in name) and "/" not in name


def _indented(text: str) -> str:
    return "\n".join("  " + line if line else "" for line in text.strip().splitlines())


def device(name: str) -> str:
    """auto, cpu or cuda -> a device that is there."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(["device=cuda: no CUDA device is there; device=cpu works everywhere"])
    return "cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu")
