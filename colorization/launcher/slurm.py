"""Jobs of a SLURM cluster, submitted by submitit: trials that start together are one array.

The cluster sends SIGUSR1 before time is up and SIGTERM to whom it preempts: the trial writes a checkpoint at
its next step, puts its job back into the queue, and goes on from there in the same folder and the same W&B
run. The sweep's own process need not live for that.
"""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from colorization.config import ConfigError, installation
from colorization.files import write_json, write_text
from colorization.launcher.base import Launcher, Running, Task
from colorization.launcher.child import TOLD, child

GONE = (
    "",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "TIMEOUT",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "BOOT_FAIL",
    "DEADLINE",
)
UNKNOWN = 1  # the exit code where the cluster has forgotten it
STOPPED = (
    *(128 + number for number in TOLD),
    *(-number for number in TOLD),
)  # exit codes of who was told to end
STOP, CODE = "stop", "code"  # files of a job: it is not to be put back into the queue; its exit code
PATIENCE = 60.0  # seconds until the cluster has ended a job that is put back into the queue


class Slurm(Launcher):
    """Trials as SLURM jobs.

    Args:
        jobs: how many are in the queue or run at once.
        folder: the sweep's; on a file system that all nodes see.
        partition, account, qos: as sbatch's; None: the cluster's default.
        minutes: of time for each job.
        gpus: for each node of a trial; 0: none.
        cpus: cores for each process.
        memory: for each node, such as 32G; None: the cluster's default.
        nodes: for each trial; with more than one, or several processes, srun starts them.
        processes: for each node: one for each GPU, trainer.devices=PROCESSES.
        grace: seconds before the end of the time at which a trial is told.
        more: further parameters of sbatch, NAME: VALUE.
    """

    def __init__(
        self,
        jobs: int,
        folder: Path,
        partition: str | None = None,
        account: str | None = None,
        qos: str | None = None,
        minutes: int = 60,
        gpus: int = 1,
        cpus: int = 4,
        memory: str | None = None,
        nodes: int = 1,
        processes: int = 1,
        grace: int = 120,
        more: dict[str, Any] | None = None,
    ):
        super().__init__(jobs, folder)
        try:
            import submitit
        except ImportError as error:
            raise ConfigError([f"launcher=slurm: {error}; {installation('slurm')}"]) from error
        try:
            self.executor = submitit.SlurmExecutor(str(folder / "slurm" / "%j"), max_num_timeout=0)
        except RuntimeError as error:
            raise ConfigError([f"launcher=slurm: {error}"]) from error
        given = {"partition": partition, "account": account, "qos": qos, "mem": memory}
        self.executor.update_parameters(
            job_name=folder.name,
            time=minutes,
            nodes=nodes,
            ntasks_per_node=processes,
            cpus_per_task=cpus,
            array_parallelism=jobs,
            stderr_to_stdout=True,
            additional_parameters={"requeue": True, "signal": f"USR1@{grace}"} | (more or {}),
            **({"gres": f"gpu:{gpus}"} if gpus else {}),
            **{name: value for name, value in given.items() if value is not None},
        )

    def start(self, tasks: Sequence[Task]) -> list[Running]:
        """Submit what is not in the queue already, by an earlier process of this sweep."""
        there = {task: job for task in tasks if (job := known(task)) and job.ended() is None}
        new = [task for task in tasks if task not in there]
        for task, new_job in zip(new, self.executor.map_array(work, new) if new else [], strict=True):
            there[task] = SlurmJob(new_job.job_id, Path(new_job.paths.folder))
            write_json(_file(task), {"job": new_job.job_id, "folder": str(new_job.paths.folder)})
        return [there[task] for task in tasks]


class SlurmJob(Running):
    """A job, which may wait in the queue.

    Args:
        job: its number.
        folder: where submitit keeps its files.
    """

    def __init__(self, job: str, folder: Path):
        self.job, self.folder = job, folder

    def ended(self) -> int | None:
        code = self.folder / CODE
        if code.exists():
            return int(code.read_text(encoding="utf-8"))
        return UNKNOWN if state(self.job) in GONE else None

    def stop(self) -> None:
        """Tell the trial as a preemption would, but that its job is not put back into the queue."""
        write_text(self.folder / STOP, "")
        command = ["scancel", "--signal=TERM", self.job]
        if state(self.job) == "PENDING":
            command = ["scancel", self.job]
        subprocess.run(command, check=False)

    def kill(self) -> None:
        subprocess.run(["scancel", self.job], check=False)


def known(task: Task) -> SlurmJob | None:
    """The job that was last submitted for a task."""
    if not _file(task).exists():
        return None
    about = json.loads(_file(task).read_text(encoding="utf-8"))
    return SlurmJob(about["job"], Path(about["folder"]))


def work(task: Task) -> int:
    """In the job, by each of its processes: do the task; ask for another turn where the cluster stops it."""
    import submitit

    code = child(task)
    if os.environ.get("SLURM_PROCID", "0") == "0":
        here = submitit.JobEnvironment()
        stopped = code in STOPPED and not (here.paths.folder / STOP).exists()
        if not (stopped and requeued(here.job_id)):
            write_text(here.paths.folder / CODE, str(code))
    return code


def requeued(job: str) -> bool:
    """Put this job back into the queue; the cluster then ends it. Returns False where it refuses."""
    answer = subprocess.run(["scontrol", "requeue", job], check=False)
    if answer.returncode == 0:
        time.sleep(PATIENCE)
    return answer.returncode == 0


def state(job: str) -> str:
    """A job's state as squeue names it: the empty string once it is forgotten, "?" while nobody answers."""
    command = ["squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode and "Invalid job id" not in answer.stderr:
        return "?"
    return answer.stdout.strip().split("\n")[0].strip()


def _file(task: Task) -> Path:
    return task.path.with_suffix(".job")
