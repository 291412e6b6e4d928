"""The commands of colorization.

    python -m colorization               lists them
    python -m colorization NAME --help   says what one of them takes

`colorization NAME ...`, `colorization-NAME ...` and `python -m colorization.NAME ...` are the same.
"""

import runpy
import sys
from importlib import import_module

from colorization.command import errors_in_words
from colorization.config import ConfigError, nearest

COMMANDS = (
    *("train", "sweep", "evaluate", "predict", "studio", "graft", "compare", "status"),
    *("prepare", "reproduce", "convert", "export"),
)


def main() -> None:
    """List the commands, or run one as `python -m colorization.NAME` does.

    Processes that it starts for more devices, too, find that module's name and its arguments.
    """
    name = sys.argv[1] if sys.argv[1:] else "--help"
    if name in ("-h", "--help"):
        print(listing())
        return
    with errors_in_words():
        if name not in COMMANDS:
            choose = f"{nearest(name, COMMANDS)} (choose from {', '.join(COMMANDS)})"
            raise ConfigError([f"{name}: no such command{choose}"])
    del sys.argv[1]
    runpy.run_module(f"colorization.{name}", run_name="__main__", alter_sys=True)


def listing() -> str:
    """The commands, a line each."""
    rows = "\n".join(f"  {name:10} {summary(name)}" for name in COMMANDS)
    return f"{__doc__.strip()}\n\n{rows}\n"


def summary(name: str) -> str:
    """The first line of a command's help."""
    return (import_module(f"colorization.{name}").__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    main()
