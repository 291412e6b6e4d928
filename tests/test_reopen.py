"""A checkpoint opened again: from the command line, from Python, with Lightning's own Trainer."""

import os
from dataclasses import replace

import pytest
import pytorch_lightning as pl
import torch

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.scenes.dataset import Scenes
from colorization.module import Colorizer
from colorization.released import save
from colorization.reopen import newest_run, open_run
from colorization.scoring.fitting import fitted


@pytest.fixture
def colorizer():
    cfg = composed("train", ["model=cnn", "objective=regression", "data=scenes", "logger=csv"])
    return cfg, Colorizer(*build.parts(cfg)).eval()


@pytest.fixture
def run(colorizer, tmp_path):
    """A run folder with a best checkpoint."""
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    save(*colorizer, tmp_path / "run/checkpoints/best.ckpt")
    return tmp_path / "run"


@pytest.fixture
def trainer(tmp_path):
    return pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_run_is_a_module_that_colours(run, colorizer, kind):
    path = run if kind == "folder" else run / "checkpoints/best.ckpt"
    reopened = Colorizer.load_from_checkpoint(path)
    assert not reopened.training
    L = torch.rand(2, 1, 24, 37, generator=torch.Generator().manual_seed(0)) * 100
    with torch.no_grad():
        ab = reopened(L)
        torch.testing.assert_close(ab, colorizer[1](L))
    assert ab.shape == (2, 2, 24, 37) and ab.std() > 0
    assert open_run(path).name == "run"


def test_lightnings_trainer_scores_and_colours(run, trainer, tmp_path):
    settings = {"pictures": 8, "val_pictures": 4, "test_pictures": 4, "image_size": 32, "batch_size": 2}
    data = Scenes(**settings, cache_dir=str(tmp_path / "cache"))
    reopened = Colorizer.load_from_checkpoint(run)
    (scores,) = trainer.test(reopened, data, verbose=False)
    assert 5 < scores["test/v1/psnr"] < 60
    coloured = trainer.predict(reopened, data)
    assert [(batch.dtype, *batch.shape) for batch in coloured] == [(torch.uint8, 2, 3, 32, 32)] * 2


def test_another_version_is_told_in_one_line(run):
    path = run / "checkpoints/best.ckpt"
    state = torch.load(path, weights_only=True)
    del state["colorization"]["layout"]
    state["colorization"]["git"] = {"commit": "0123456789", "dirty": False}
    torch.save(state, path)
    with pytest.raises(
        ConfigError, match=r"best.ckpt: was written by another version.*git checkout 01234567"
    ):
        open_run(run)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_what_is_no_checkpoint_is_named(tmp_path, content):
    if content is None:
        torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    else:
        (tmp_path / "other.ckpt").write_bytes(content)
    with pytest.raises(ConfigError, match=r"other\.ckpt: not a checkpoint of this project"):
        open_run(tmp_path / "other.ckpt")


def test_the_newest_run_is_the_one_written_last(tmp_path, monkeypatch):
    """Runs of a sweep lie deeper; one that ended before its first validation has a last checkpoint alone."""
    monkeypatch.chdir(tmp_path)
    assert newest_run() is None
    with pytest.raises(ConfigError, match="train one first"):
        open_run("nowhere")
    for age, name in enumerate(
        ["runs/new/checkpoints/last", "runs/sweep/0/checkpoints/best", "runs/old/checkpoints/best"]
    ):
        file = tmp_path / f"{name}.ckpt"
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (1000 - age, 1000 - age))
    assert str(newest_run()) == "runs/new"
    with pytest.raises(ConfigError, match=r"run=nowhere: no run .*newest run here is runs/new"):
        open_run("nowhere")


def test_how_vivid_the_truth_is_belongs_to_the_checkpoint(trained, tmp_path):
    """Fitted in validation; a checkpoint without it still opens, and is given what evaluate finds."""
    run = open_run(trained)
    found = run.colorizer().objective.vividness
    assert found.gain > 1 and found.strength > 0
    old = tmp_path / "old.ckpt"
    state = torch.load(run.checkpoint, weights_only=True)
    del state["colorization"]["vividness"]
    torch.save(state, old)
    colorizer = open_run(old).colorizer()
    assert colorizer.objective.vividness is None
    data, protocol = run.data(colorizer.scorer.protocol), colorizer.scorer.protocol
    again = fitted(colorizer, data, protocol, None, batch_size=8)
    assert again == pytest.approx(found, rel=1e-2)
    open_run(old).keep(again)
    kept = open_run(old).colorizer().objective
    kept.decode(vivid=1)
    assert kept.vividness == again
    gone = replace(data, root=str(tmp_path / "nowhere"))
    assert "needs the run's validation photos" in fitted(colorizer, gone, protocol, None, 8)
