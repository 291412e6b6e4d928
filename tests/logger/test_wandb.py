"""Weights & Biases: its axes, its settings, and what a run tells of itself."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import wandb

from colorization.compose import composed
from colorization.config import InputError
from colorization.logger import wandb as ours
from colorization.logger.wandb import STEP, Wandb


class Board:
    """Stands in for a W&B run."""

    id = "abc"

    def __init__(self):
        self.rows, self.axes, self.config, self.summary, self.finished = [], {}, Known(), {}, False

    def log(self, row):
        self.rows.append(row)

    def define_metric(self, name, step_metric=None, **kwargs):
        self.axes[name] = step_metric

    def finish(self):
        self.finished = True


class Known(dict):
    def update(self, more, allow_val_change):
        super().update(more)


def moment():
    return {"step": 7, "epoch": 0.5, "pictures": 56, "seconds": 1.5}


@pytest.fixture
def board(monkeypatch):
    made, about = Board(), {}
    monkeypatch.setattr(ours, "started", lambda mode, **given: (about.update(given), made)[1])
    return SimpleNamespace(run=made, about=about)


def test_every_metric_has_steps_and_pictures_for_axes(board, tmp_path):
    logger = Wandb(tmp_path, moment)
    assert not board.about, "nothing starts before there is something to log"
    logger.log_metrics({"val/psnr": 20.0}, step=6)
    assert board.run.rows == [{"val/psnr": 20.0, STEP: 7, **moment()}]
    assert board.run.axes["*"] == STEP == board.run.axes["val/psnr"] and STEP in board.run.axes
    logger.describe(parameters=10)
    logger.summarize(seconds=3.0)
    logger.close()
    assert board.run.config == {"parameters": 10} and board.run.summary == {"seconds": 3.0}
    assert board.run.finished


def test_settings_reach_the_dashboard(board, tmp_path):
    logger = Wandb(tmp_path / "run", moment, run_id="x", group="g", tags=["a", "b"], notes="n", entity="e")
    _ = logger.experiment
    about = board.about
    assert (about["group"], about["tags"], about["notes"], about["entity"]) == ("g", ["a", "b"], "n", "e")
    assert (about["name"], about["id"], about["dir"]) == ("run", "x", str(tmp_path / "run"))


def test_the_environment_names_project_and_run(monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    monkeypatch.setenv("WANDB_NAME", "tonight")
    logger = composed("train", ["logger=wandb", "logger.tags=[a]"]).logger.wandb
    assert (logger.project, logger.name, list(logger.tags)) == ("mine", "tonight", ["a"])
    assert composed("train", ["logger=wandb", "logger.project=other"]).logger.wandb.project == "other"


def test_a_mode_that_is_none_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "ofline")
    with pytest.raises(InputError, match="WANDB_MODE=ofline: choose auto, online, offline or disabled"):
        Wandb(tmp_path, moment)


def test_an_offline_run_has_its_numbers(trains, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("HOME", str(tmp_path))
    job = trains(
        "budget.steps=2", "logger=wandb", "callback=[]", "run.dir=run", "trainer.log_every_n_steps=1"
    )
    assert (
        job.dashboards[0].run_id
        == json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))["wandb_id"]
    )
    wandb.teardown()  # its own process has written all
    (kept,) = Path("run").rglob("*.wandb")
    content = kept.read_bytes()
    assert b"val/psnr" in content and b"parameters" in content and b"pictures" in content
