"""Processes of this machine, forked from one that has imported everything: a trial starts in a moment.

A trial has a share of the cores, and GPUs of its own where there are any. It ends, with a checkpoint,
when the sweep's process does.
"""

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from colorization.config import ConfigError
from colorization.launcher.base import WORKER, Launcher, Running, Task

PRELOADED = ("colorization.training", WORKER)


class Local(Launcher):
    """Trials as processes of this machine.

    Args:
        jobs: how many at once; each has its share of the cores.
        folder: the sweep's.
        devices: GPUs for each trial; where there are too few, trials share them.
    """

    def __init__(self, jobs: int, folder: Path, devices: int = 1):
        super().__init__(jobs, folder)
        if devices < 1:
            raise ConfigError([f"launcher.devices={devices}: give 1 or more"])
        self.devices = devices
        self.slots: dict[int, BaseProcess] = {}
        kind = "forkserver" if sys.platform == "linux" else "spawn"
        self.context: Any = multiprocessing.get_context(kind)
        if kind == "forkserver":
            self.context.set_forkserver_preload(list(PRELOADED))

    def start(self, tasks: Sequence[Task]) -> list[Running]:
        return [self._start(task) for task in tasks]

    def _start(self, task: Task) -> Running:
        slot = next(i for i in range(self.jobs) if i not in self.slots or not self.slots[i].is_alive())
        share = shares(sorted(available_cores()), self.jobs)[slot]
        visible = gpus()
        chosen = [
            visible[(slot * self.devices + i) % len(visible)] for i in range(self.devices if visible else 0)
        ]
        variables = dict(os.environ) | (
            {"CUDA_VISIBLE_DEVICES": ",".join(dict.fromkeys(chosen))} if chosen else {}
        )
        process = self.context.Process(target=work, args=(task, share, variables))
        process.start()
        self.slots[slot] = process
        return LocalProcess(process)


class LocalProcess(Running):
    """A process of this machine, which leads a group of its own."""

    def __init__(self, process: Any):
        self.process = process

    def ended(self) -> int | None:
        """Its exit code; processes for more devices that a kill has left alone end with it."""
        if self.process.exitcode is not None:
            self._sweep_up()
        return self.process.exitcode

    def stop(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)
        self._sweep_up()

    def _sweep_up(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.process.is_alive() and self.process.pid:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


def shares(cores: Sequence[int], jobs: int) -> list[list[int]]:
    """Cores, shared out as evenly as they go; where there are too few, trials share one."""
    if len(cores) < jobs:
        return [[cores[i % len(cores)]] for i in range(jobs)]
    return [list(cores[i * len(cores) // jobs : (i + 1) * len(cores) // jobs]) for i in range(jobs)]


def available_cores() -> set[int]:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; CUDA is not begun."""
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    return [str(i) for i in range(torch.cuda.device_count())]


def work(task: Task, cores: list[int], variables: dict[str, str]) -> None:
    """In the process: make it what a new interpreter with these variables would be, and do the task."""
    with suppress(OSError):
        os.setsid()
    with task.log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(variables)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    import torch

    torch.set_num_threads(min(len(cores), int(variables.get("OMP_NUM_THREADS") or len(cores))))
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    multiprocessing.set_start_method("fork", force=True)  # of its data workers, as in any other run
    module = importlib.import_module(WORKER)
    sys.modules["__main__"].__spec__ = module.__spec__  # processes for more devices are started by this name
    sys.argv = [str(module.__file__), task.kind, str(task.path.absolute())]
    module.main()


def _end_with(parent: BaseProcess) -> None:
    """Stop as on SIGTERM once the sweep's process has ended; all of the group where it does not train yet."""
    connection.wait([parent.sentinel])
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGTERM)
