"""Tasks of a Ray cluster: one that is there, by its address, or one of this machine's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from colorization.config import ConfigError, installation
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
        self.child = ray.remote(max_retries=0, num_cpus=cpus, num_gpus=gpus)(child)

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
        return [RayTask(self.ray, self.child.remote(task)) for task in tasks]

    def close(self) -> None:
        self.ray.shutdown()


class RayTask(Running):
    """A task, which may wait for a free machine."""

    def __init__(self, ray: Any, task: Any):
        self.ray, self.task = ray, task

    def ended(self) -> int | None:
        done, _ = self.ray.wait([self.task], timeout=0)
        if not done:
            return None
        try:
            return int(self.ray.get(self.task))
        except self.ray.exceptions.RayError:
            return LOST

    def stop(self) -> None:
        self.ray.cancel(self.task)

    def kill(self) -> None:
        self.ray.cancel(self.task, force=True)
