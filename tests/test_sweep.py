"""A sweep as a user runs it: real processes, checked before the first starts, killed, and gone on with."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from colorization.trials.record import trials_of
from tests.conftest import ROOT


@pytest.fixture
def settings(small):
    """Of a trial of one step."""
    few = [setting for setting in small if not setting.startswith(("callback.", "budget."))]
    return [*few, "callback=[]", "metric=[psnr]", "budget.epochs=null", "budget.steps=2",
            "test.pictures=4", "hydra.sweep.dir=sweep"]  # fmt: skip


def record(trial):
    return json.loads((trial.folder / "run.json").read_text(encoding="utf-8"))


def test_a_sweep_and_the_same_command_again(command, settings, tmp_path):
    """One trial in two processes of its own group; one that diverges, and stops nobody."""
    ddp = ("trainer.devices=2", "trainer.strategy=ddp")
    health = ("callback=[health]", "callback.finite.every=1")
    sweep = ("train", "-m", *settings, *ddp, *health, "optimizer.lr=1e-3,1e30", "budget.steps=4")
    done = command(*sweep, cwd=tmp_path, timeout=900)
    assert done.returncode == 1, done.stderr
    good, bad = trials_of(tmp_path / "sweep")
    assert (good.state(), bad.state()) == ("finished", "failed"), done.stderr
    assert record(good)["pictures_seen"] == 4 * 2 * 8
    assert "1 of 2 trials failed" in done.stderr and "not finite" in done.stderr
    assert "best: 0_lr=0.001: psnr" in done.stdout
    about = yaml.safe_load((tmp_path / "sweep/sweep.yaml").read_text(encoding="utf-8"))
    assert about["space"] == {"optimizer.lr": [1e-3, 1e30]} and about["watch"] == {"psnr": "higher"}
    before = (good.folder / "metrics.json").stat().st_mtime_ns
    assert len(bad.notes()["failures"]) == 2
    assert command(*sweep, cwd=tmp_path, timeout=900).returncode == 1
    assert (good.folder / "metrics.json").stat().st_mtime_ns == before and len(bad.notes()["failures"]) == 3


def test_all_faults_are_told_before_any_trial_starts(command, settings, tmp_path):
    """What composes and cannot be built, for more than one reason."""
    done = command(
        "train", "-m", *settings, "model.width=8,12", "data.batch_size=8,100000", cwd=tmp_path, timeout=900
    )
    assert done.returncode == 1 and not trials_of(tmp_path / "sweep")
    assert "width" in done.stderr and "batch_size" in done.stderr and "Traceback" not in done.stderr
    assert "0_width=8,batch_size=8:" not in done.stderr
    done = command("train", "-m", *settings, "model.norm=batch,bach", cwd=tmp_path, timeout=900)
    assert done.returncode == 1 and "'batch' or" in done.stderr


def started(settings, tmp_path, *more):
    words = [sys.executable, "-m", "colorization.train", "-m", *settings, *more]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    return subprocess.Popen(words, cwd=tmp_path, env=surroundings, stderr=subprocess.PIPE, text=True)


def until(condition, seconds=900):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_killed_sweep_goes_on_where_it_was(settings, tmp_path):
    """kill -9 of the sweep: its trial writes a checkpoint and ends; the next command goes on with it."""
    long = ("seed=0,1", "budget.steps=400", "trainer.check_val_every_n_epoch=1000")
    sweep = started(settings, tmp_path, *long)
    (tmp_path / "sweep").mkdir(exist_ok=True)

    def trains():
        trials = trials_of(tmp_path / "sweep")
        return trials and "training pictures" in (
            trials[0].log.read_text(encoding="utf-8") if trials[0].log.exists() else ""
        )

    until(trains)
    time.sleep(1)
    os.kill(sweep.pid, signal.SIGKILL)
    first = trials_of(tmp_path / "sweep")[0]
    until(lambda: record(first)["status"] != "running")
    assert record(first)["status"] in ("stopped", "finished")
    done = started(settings, tmp_path, *long)
    assert done.wait(900) == 0, done.stderr.read()
    assert [trial.state() for trial in trials_of(tmp_path / "sweep")] == ["finished", "finished"]
    assert record(first)["pictures_seen"] == 400 * 8
    assert len(record(first)["parts"]) <= 2
