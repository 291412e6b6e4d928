"""Several processes: one run, one folder, one configuration, however they were started."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch
import yaml

from colorization.callback.budget import Budget
from tests.conftest import ROOT

TWO = ("trainer.devices=2", "trainer.strategy=ddp", "metric=[psnr]", "callback=[]")


@pytest.fixture(scope="module")
def few(small):
    """Settings of a run without callbacks."""
    return [setting for setting in small if not setting.startswith(("callback.", "budget."))]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(**more):
    mine = {
        name: value for name, value in os.environ.items() if not name.startswith(("WANDB", "COLORIZATION"))
    }
    return mine | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | more


def torchrun(*arguments, cwd):
    """Two processes of `python -m colorization.train ARGUMENTS`, as torchrun starts them."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={free_port()}"]
    words = [sys.executable, *launcher, "-m", "colorization.train", *arguments]
    return subprocess.run(
        words, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=600, check=False
    )


def srun(*arguments, cwd):
    """Two processes as srun starts them."""
    about = {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2",
             "SLURM_JOB_NAME": "train", "SLURM_JOB_ID": "7", "SLURM_NNODES": "1",
             "SLURM_NODEID": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}  # fmt: skip
    words = [sys.executable, "-m", "colorization.train", *arguments]
    processes = [
        subprocess.Popen(
            words, cwd=cwd, stderr=subprocess.PIPE, text=True,
            env=environment(**about, SLURM_PROCID=str(rank), SLURM_LOCALID=str(rank)),
        )
        for rank in range(2)
    ]  # fmt: skip
    return [(process.communicate(timeout=600)[1], process.returncode) for process in processes]


def record(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def steps(folder):
    state = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)
    return state["callbacks"]["Budget"]["steps"]


def test_torchrun_makes_one_run_and_goes_on_with_it(few, tmp_path):
    """The default folder is named by the time, which two processes read differently."""
    done = torchrun(*few, *TWO, "budget.epochs=null", "budget.steps=3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert (
        record(run)["pictures_seen"] == 3 * 2 * 8 and record(run)["status"] == "finished" and steps(run) == 3
    )
    done = torchrun(f"resume={run}", "budget.steps=5", "optimizer.lr=1e-5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [run.name]
    assert steps(run) == 5 and record(run)["pictures_seen"] == 5 * 2 * 8 and len(record(run)["parts"]) == 2
    assert yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))["optimizer"]["lr"] == 1e-5


def test_srun_makes_one_run(few, tmp_path):
    for said, code in srun(*few, *TWO, "budget.epochs=null", "budget.steps=2", "run.dir=run", cwd=tmp_path):
        assert code == 0, said
    assert record(tmp_path / "run")["pictures_seen"] == 2 * 2 * 8


@pytest.mark.parametrize("launch", [torchrun, srun])
def test_a_mistake_is_told_once_and_ends_every_process(few, tmp_path, launch):
    done = launch(*few, *TWO, "model.widht=3", "run.dir=run", cwd=tmp_path)
    said = done.stderr if launch is torchrun else "".join(text for text, _ in done)
    codes = [done.returncode] if launch is torchrun else [code for _, code in done]
    assert codes == [1] * len(codes) and said.count("did you mean width?") == 1
    assert not (tmp_path / "run").exists()


def test_a_sweep_is_no_matter_of_torchrun(few, tmp_path):
    done = torchrun("-m", *few, "seed=0,1", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.count("start one process") == 1


def test_lightning_starts_processes_that_read_the_runs_folder(command, few, tmp_path):
    done = command("train", *few, *TWO, "budget.epochs=1", "run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        record(tmp_path / "run")["pictures_seen"]
        == 2 * (record(tmp_path / "run")["data"]["pictures"]["train"] // 16) * 8
    )
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["run"]


def test_the_clock_of_the_first_process_is_everybodys(monkeypatch):
    """A second process, whose own clock stands at 7 s, where the first one's stands at 5 of 10."""

    class Trainer:
        world_size, num_training_batches, should_stop = 2, 10, False

        class strategy:
            root_device = torch.device("cpu")

    class Batch:
        L = [0] * 8

    told = []
    monkeypatch.setattr(
        torch.distributed, "broadcast", lambda clock, src: (told.append(src), clock.fill_(5.0))
    )
    timed, counted = Budget(time="10s"), Budget(steps=10)
    timed.spent["time"] = 7.0
    for budget in (timed, counted):
        budget.on_train_batch_end(Trainer, None, None, Batch, 0)
    assert timed.progress() == 0.5 and counted.progress() == 0.1
    assert told == [0], "nothing is asked of the others without a time limit"
