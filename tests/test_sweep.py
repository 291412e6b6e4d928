"""A sweep: every trial runs, whatever becomes of another, and what failed is told."""

import json

import pytest
import torch
import yaml

from colorization import sweep as sweeping
from colorization.config import ConfigError
from colorization.request import read


@pytest.fixture
def sweep(small, trains, tmp_path):
    """`train -m` in this process; `trains` has moved it to tmp_path."""
    settings = [setting for setting in small if not setting.startswith(("callback.", "budget."))]
    more = ("callback=[]", "metric=[psnr]", "budget.epochs=null", "budget.steps=1")
    return lambda *overrides: sweeping.sweep(read("train", ["-m", *settings, *more, *overrides]))


def folders(tmp_path):
    return sorted(path.parent for path in (tmp_path / "runs").glob("*/*/run.json"))


def statuses(tmp_path):
    return [json.loads((f / "run.json").read_text(encoding="utf-8"))["status"] for f in folders(tmp_path)]


@pytest.mark.parametrize("error", [RuntimeError, torch.OutOfMemoryError, ValueError])
def test_what_ends_a_trial_is_told_and_the_others_run(sweep, tmp_path, monkeypatch, caplog, error):
    train = sweeping.train

    def fails(job):
        if job.cfg.seed == 1:
            monkeypatch.setattr(job.data, "prepare_data", lambda: raised(error))
        return train(job)

    monkeypatch.setattr(sweeping, "train", fails)
    assert sweep("seed=0,1,2") == 1
    assert statuses(tmp_path) == ["finished", "failed", "finished"]
    assert "1 of 3 trials failed" in caplog.text and "seed=1" in caplog.text.rpartition("trials failed")[2]
    kept = (folders(tmp_path)[1] / "train.log").read_text(encoding="utf-8")
    assert "Traceback" in kept and "the device is full" in kept
    listed = yaml.safe_load((folders(tmp_path)[0].parent / "multirun.yaml").read_text(encoding="utf-8"))
    assert [trial[-1] for trial in listed["trials"].values()] == ["seed=0", "seed=1", "seed=2"]


def raised(error):
    raise error("the device is full")


def test_a_sweep_that_ends_well_says_so_by_its_code(sweep, tmp_path):
    assert sweep("seed=0,1", "schedule=constant") == 0
    assert statuses(tmp_path) == ["finished", "finished"]


def test_a_mistake_in_one_trial_is_told_before_any_starts(sweep, tmp_path):
    with pytest.raises(ConfigError, match="norm"):
        sweep("model.norm=batch,bach")
    assert not (tmp_path / "runs").exists()


def test_a_trial_that_cannot_be_built_leaves_no_folder(sweep, tmp_path):
    assert sweep("model.width=8,12") == 1
    assert len(folders(tmp_path)) == 1


def test_a_person_who_stops_a_trial_stops_the_sweep(sweep, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "train", lambda job: (_ for _ in ()).throw(SystemExit(130)))
    with pytest.raises(SystemExit):
        sweep("seed=0,1")
    assert len(folders(tmp_path)) == 1


def test_trials_of_two_processes_each(command, small, tmp_path):
    some = [setting for setting in small if not setting.startswith(("callback.", "budget."))]
    two = ("trainer.devices=2", "trainer.strategy=ddp", "callback=[]", "metric=[psnr]", "test.pictures=4")
    more = ("budget.epochs=null", "budget.steps=1", "seed=0,1")
    done = command("train", "-m", *some, *two, *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert statuses(tmp_path) == ["finished", "finished"]
    records = [json.loads((f / "run.json").read_text(encoding="utf-8")) for f in folders(tmp_path)]
    assert [record["pictures_seen"] for record in records] == [16, 16]
