"""What the commands share: reading a command line, help that a newcomer understands, errors in words.

A command's module is a docstring and a `main` that imports what it needs when it runs: --help,
--cfg and a mistake on the command line do not wait for torch.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from colorization import __version__, inspection
from colorization.config import DISTRIBUTION, ConfigError, InputError, config_file, groups, options
from colorization.recipe import questions
from colorization.request import Flags, Request, read


def command(
    name: str, help: str | None, positional: str | None = None
) -> Callable[[Callable[[Any], int | None]], Callable[[], None]]:
    """Turn a function of a complete configuration into a command.

    Args:
        name: conf/NAME.yaml is its configuration, `python -m colorization.NAME` its command line.
        help: what --help begins with.
        positional: the setting (a list of paths) that arguments without "=" go to.
    """

    def wrap(main: Callable[[Any], int | None]) -> Callable[[], None]:
        def entry() -> None:
            with errors_in_words():
                asked = command_request(name, help, positional)
                if asked.multirun:
                    raise ConfigError(["-m: only train runs sweeps"])
                cfg = asked.composed()
                if positional:
                    given = cfg[positional]
                    cfg[positional] = [*([given] if isinstance(given, str) else given), *asked.paths]
                log_to_terminal(asked)
                sys.exit(main(cfg) or 0)

        return entry

    return wrap


def command_request(name: str, help: str | None, positional: str | None = None) -> Request:
    """What this process's command line asks of a command.

    Flags that only ask for information (--help, --cfg, --info ...) are answered here, and end the process.

    Raises:
        ConfigError: the command line is not understood.
    """
    asked = read(name, sys.argv[1:], positional is not None)
    if answered(asked, help or ""):
        sys.exit()
    if asked.flags.resolve or asked.flags.package:
        raise ConfigError(["--resolve and --package say how --cfg job prints; give it, too"])
    return asked


def answered(asked: Request, help: str) -> bool:
    """Whether information alone was asked for, which is printed."""
    flags = asked.flags
    if flags.help:
        print(help_text(asked.command, help))
    elif flags.version:
        print(f"{DISTRIBUTION} {__version__}")
    elif flags.hydra_help:
        print(flags_text())
    elif flags.shell_completion:
        inspection.completion(asked)
    elif flags.cfg:
        print(inspection.configuration(asked), end="")
    elif flags.info:
        inspection.composition(asked)
    else:
        return False
    return True


def help_text(name: str, docstring: str) -> str:
    """The module's docstring, its commented settings, the options of every group it composes, the flags."""
    file = config_file(name)
    text = f"{docstring.strip()}\n\nSettings (NAME=VALUE) and their defaults, conf/{file.name}:\n\n"
    text += _indented(file.read_text(encoding="utf-8"))
    if used := groups(name):
        rows = "\n".join(f"  {group}={' | '.join(options(group))}" for group in used)
        text += "\n\nOptions (GROUP=NAME); each is a file conf/GROUP/NAME.yaml with settings of its own:\n\n"
        text += rows
    if "experiment" in used:
        asked = questions()
        rows = "\n".join(
            f"  {name.ljust(max(map(len, asked)))}  {question}" for name, question in asked.items()
        )
        text += f"\n\nExperiments (experiment=NAME) and what they ask:\n\n{rows}"
    return f"{text}\n\n{flags_text()}"


def flags_text() -> str:
    """Hydra's flags, a line each."""
    text = Flags().format_help().strip().removeprefix("options:")
    return f"Flags, as every Hydra program has them:\n\n{text.strip(chr(10))}"


def log_to_terminal(asked: Request) -> None:
    """Messages as they are; hydra.verbose=true, or =LOGGER, adds those for developers."""
    verbose = asked.verbose
    level = logging.DEBUG if verbose is True else logging.INFO
    logging.basicConfig(level=level, format="%(message)s", force=True)
    for name in [] if isinstance(verbose, bool) else verbose:
        logging.getLogger(name).setLevel(logging.DEBUG)


@contextmanager
def errors_in_words() -> Iterator[None]:
    """A user's mistake ends a command with its sentence and exit code 1; anything else shows its traceback.

    A traceback is followed by the place of the log, where there is one. COLORIZATION_TRACEBACK=1 in the
    environment shows it always.
    """
    try:
        yield
    except (InputError, OSError) as error:
        if os.environ.get("COLORIZATION_TRACEBACK"):
            raise
        sys.exit(in_words(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.FileHandler):
                error.add_note(f"log: {handler.baseFilename}")
        raise


def in_words(error: BaseException) -> str:
    """An error as a user reads it."""
    return f"{type(error).__name__}: {error}"


def device(name: str) -> str:
    """auto, cpu or cuda -> a device that is there."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(["device=cuda: no CUDA device is there; device=cpu works everywhere"])
    return "cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu")


def _indented(text: str) -> str:
    return "\n".join("  " + line if line else "" for line in text.strip().splitlines())
