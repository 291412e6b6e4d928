"""A task as a process below another one, which passes on what a cluster tells it."""

import signal
import subprocess
from collections.abc import Callable
from types import FrameType

from colorization.launcher.base import Task

TOLD = (signal.SIGTERM, signal.SIGUSR1)
LOOK = 0.5  # seconds


def child(task: Task, unwanted: Callable[[], bool] = bool) -> int:
    """Run a task's command, its output appended to its log. What asks it to end, it is told.

    Args:
        task: what is to be done.
        unwanted: asked now and then; once it says so, the command is told to end.

    Returns:
        Its exit code, negative for a signal that killed it.
    """
    with task.log.open("ab") as log:
        process = subprocess.Popen(task.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def tell(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    try:
        before = {number: signal.signal(number, tell) for number in TOLD}
    except ValueError:  # not the main thread: nobody sends signals here
        before = {}
    try:
        return _ended(process, unwanted)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ended(process: subprocess.Popen, unwanted: Callable[[], bool]) -> int:
    """Its exit code, when it has ended. Ray's word to stop comes through between two looks alone."""
    told = False
    while True:
        try:
            return process.wait(timeout=LOOK)
        except subprocess.TimeoutExpired:
            stop = not told and unwanted()
        except KeyboardInterrupt:
            stop = not told
        if stop:
            process.send_signal(signal.SIGTERM)
            told = True
