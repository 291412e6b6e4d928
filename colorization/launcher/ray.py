"""Tasks of a Ray cluster: one that is there, by its address, or one of this machine's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from colorization.config import ConfigError, installation
from colorization.files import write_text
from colorization.launcher.base import Launcher, Running, Task
from colorization.launcher.child import child

TRIES = 4  # to start a cluster of this machine, which gives up after half a minute where it is busy
LOST = -9  # the exit code of a task whose machine is gone


class Ray(Launcher):
    """Trials as Ray tasks.

    Args:
        jobs: how many at once.
        folder: the sweep's; on a file system that all machines see.
        address: of the cluster, such as ray://HOST:10001 or auto; None: a cluster of this machine alone.
        cpus: cores for each trial.
        gpus: for each trial.
    """

    def __init__(self, jobs: int, folder: Path, address: str | None = None, cpus: float = 1, gpus: float = 0):
        super().__init__(jobs, folder)
        try:
            import ray
        except ImportError as error:
            raise ConfigError([f"launcher=ray: {error}; {installation('ray')}"]) from error
        self.ray: Any = ray
        local: dict[str, Any] = (
            {} if address else {"num_cpus": max(int(cpus * jobs), 1), "include_dashboard": False}
        )
        self._begin(address, local)
        self.work = ray.remote(max_retries=0, num_cpus=cpus, num_gpus=gpus)(work)

    def _begin(self, address: str | None, local: dict[str, Any]) -> None:
        for left in reversed(range(TRIES)):
            try:
                self.ray.init(address=address, log_to_driver=False, ignore_reinit_error=True, **local)
                return
            except (ConnectionError, ValueError) as error:
                raise ConfigError([f"launcher.address={address}: {error}"]) from error
            except Exception as error:  # Ray's own is of no class of its own
                self.ray.shutdown()
                if "timed out during startup" not in str(error) or not left:
                    raise

    def start(self, tasks: Sequence[Task]) -> list[Running]:
        for task in tasks:
            stop_file(task).unlink(missing_ok=True)
        return [RayTask(self.ray, self.work.remote(task), task) for task in tasks]

    def close(self) -> None:
        self.ray.shutdown()


class RayTask(Running):
    """A task, which may wait for a free machine."""

    def __init__(self, ray: Any, work: Any, task: Task):
        self.ray, self.work, self.task = ray, work, task

    def ended(self) -> int | None:
        done, _ = self.ray.wait([self.work], timeout=0)
        if not done:
            return None
        try:
            return int(self.ray.get(self.work))
        except self.ray.exceptions.RayError:
            return LOST

    def stop(self) -> None:
        """By a file, which the task looks for: Ray's own word may be lost but for who waits in its queue."""
        write_text(stop_file(self.task), "")
        self.ray.cancel(self.work)

    def kill(self) -> None:
        self.ray.cancel(self.work, force=True)


def work(task: Task) -> int:
    """Do the task, on any machine, until it is to stop."""
    return child(task, stop_file(task).exists)


def stop_file(task: Task) -> Path:
    """What stands beside a task that is to end."""
    return task.path.with_suffix(".stop")
