"""A SLURM cluster of this machine alone, for the time that a benchmark takes: munged, slurmctld and slurmd.

They come from Debian: apt-get install slurm-wlm munge. They want to be started by root.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
CONF = """
ClusterName=alone
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={slurmd}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=2,batch_sched_delay=1,requeue_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=30
MinJobAge=600
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=low Nodes={host} Default=YES MaxTime=60 PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
PartitionName=high Nodes={host} MaxTime=60 PriorityTier=10 PreemptMode=OFF
"""


@contextmanager
def cluster(folder: Path, cpus: int = 2) -> Iterator[dict[str, str]]:
    """A cluster that keeps its files in a folder; gives the variables by which SLURM's commands find it."""
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        raise SystemExit(f"{', '.join(missing)}: not here; apt-get install slurm-wlm munge")
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    host = socket.gethostname().partition(".")[0]
    conf = folder / "slurm.conf"
    ports = {"port": free_port(), "slurmd": free_port()}
    conf.write_text(CONF.format(host=host, folder=folder, cpus=cpus, **ports), encoding="utf-8")
    variables = {"SLURM_CONF": str(conf)}
    files = {"key-file": key, "socket": folder / "munge.socket", "pid-file": folder / "munged.pid"}
    files |= {"log-file": folder / "munged.log", "seed-file": folder / "seed"}
    munge = ["munged", "--foreground", "--force", *(f"--{name}={path}" for name, path in files.items())]
    started = [run(munge, folder)]
    until(lambda: (folder / "munge.socket").exists(), folder)
    try:
        started.append(run(["slurmctld", "-D", "-f", str(conf)], folder, **variables))
        started.append(run(["slurmd", "-D", "-f", str(conf), "-N", host], folder, **variables))
        until(lambda: "idle" in said(["sinfo", "--noheader", "--format=%T"], **variables), folder)
        yield variables
    finally:
        said(["scancel", "--state=RUNNING"], **variables)
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def run(command: list[str], folder: Path, **variables: str) -> subprocess.Popen:
    with (folder / f"{command[0]}.out").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | variables)


def said(command: list[str], **variables: str) -> str:
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(condition, folder: Path, seconds: float = 60) -> None:
    """Wait; what the daemons said is told where it takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            logs = [
                path.read_text(errors="replace", encoding="utf-8")[-1500:] for path in folder.glob("*.log")
            ]
            raise SystemExit("the cluster did not start:\n" + "\n".join(logs))
        time.sleep(0.2)
