"""The contract of a launcher: tasks in, processes out, each with an end that can be asked for."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

WORKER = "colorization.trials.worker"


class Task(NamedTuple):
    """What a process has to do: `python -m colorization.trials.worker KIND PATH`.

    Attributes:
        kind: "run" a trial or "check" its configuration.
        path: the file that says what it is.
        log: where its output is appended.
    """

    kind: Literal["run", "check"]
    path: Path
    log: Path

    def command(self) -> list[str]:
        """The command line of a process of its own."""
        return [sys.executable, "-m", WORKER, self.kind, str(self.path.absolute())]


class Running(ABC):
    """A task that has been started."""

    @abstractmethod
    def ended(self) -> int | None:
        """Its exit code, negative for a signal that killed it; None while it runs."""

    @abstractmethod
    def stop(self) -> None:
        """Ask it to write a checkpoint and end; it is asked once."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once."""


class Launcher(ABC):
    """Where trials run.

    Args:
        jobs: how many at once.
        folder: the sweep's.
    """

    def __init__(self, jobs: int, folder: Path):
        self.jobs, self.folder = jobs, folder

    @abstractmethod
    def start(self, tasks: Sequence[Task]) -> list[Running]:
        """Start tasks, no more than are free."""

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Give back what was taken."""
