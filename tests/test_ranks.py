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


def torchrun(*arguments, cwd, **more):
    """Two processes of `python -m colorization.train ARGUMENTS`, as torchrun starts them."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={free_port()}"]
    words = [sys.executable, *launcher, "-m", "colorization.train", *arguments]
    return subprocess.run(
        words, cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=600, check=False
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


def test_two_processes_take_the_same_turns_and_keep_the_same_critic(few, tmp_path):
    """By a threshold, on which both have to agree, with the parameters left out whose turn it is not."""
    (tmp_path / "both.py").write_text(BOTH, encoding="utf-8")
    game = (
        "objective=adversarial", "objective.critic.width=8", "objective.turns.threshold=0.69",
        "objective.penalty.r1=0.1", "objective.penalty.every=2", "objective.optimizer.lr=1e-3",
    )  # fmt: skip
    watch = "+callback.both={_target_:both.Both}"
    two = [setting for setting in TWO if not setting.startswith("callback")]
    done = torchrun(*few, *two, *game, watch, "budget.epochs=null", "budget.steps=12", "run.dir=run",
                    cwd=tmp_path, PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text(encoding="utf-8")) for rank in range(2))
    assert first == second and {"critic", "network"} == {turn for turns in first["turns"] for turn in turns}


# What each process has seen, as a callback that a user might have.
BOTH = """
import json
from pathlib import Path

import pytorch_lightning as pl


class Both(pl.Callback):
    def __init__(self):
        self.turns = []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.turns.append(outputs["turns"])

    def on_train_end(self, trainer, module):
        sums = {name: p.double().sum().item() for name, p in module.named_parameters()}
        seen = {"turns": self.turns, "parameters": sums}
        Path(f"{trainer.global_rank}.json").write_text(json.dumps(seen), encoding="utf-8")
"""
