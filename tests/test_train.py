"""The main job as a user runs it: what a run leaves behind, how it stops, how it goes on."""

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from torch import nn

from colorization import build, job
from colorization.callback.checkpoint import WholeFiles
from colorization.compose import composed
from colorization.config import ConfigError, InputError
from colorization.job import begun
from colorization.request import read
from tests.conftest import ROOT


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_keeps_everything_in_its_folder(trained):
    config = yaml.safe_load((trained / "config.yaml").read_text(encoding="utf-8"))
    assert config["model"]["width"] == 8 and "data=folder" in yaml.safe_load(
        (trained / "overrides.yaml").read_text(encoding="utf-8")
    )
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert record["status"] == "finished" and record["seed"] == 0 and record["pictures_seen"] > 0
    assert record["git"].keys() == {"commit", "dirty"} and torch.__version__.startswith(
        record["versions"]["torch"]
    )
    assert record["data"]["fingerprint"].keys() == {"train", "val"} and record["hardware"]["cores"] >= 1
    for name in ("train.log", "curves.png", "checkpoints/best.ckpt", "checkpoints/last.ckpt"):
        assert (trained / name).stat().st_size > 0, name
    panels = sorted((trained / "panel").iterdir())
    assert len(panels) == 2 and Image.open(panels[0]).width > 3 * 32


def test_curves_have_every_number(trained):
    table = rows(trained / "metrics.csv")
    columns = set(table[0])
    assert {"step", "epoch", "pictures", "seconds", "train/loss", "train/lr", "train/grad_norm"} <= columns
    assert {
        "val/loss",
        "val/psnr",
        "val/ssim",
        "val/chroma",
        "val/chroma_truth",
        "val/colorfulness",
    } <= columns
    validated = [row for row in table if row["val/psnr"]]
    assert len(validated) == 2
    summary = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))
    assert summary["best"]["val/psnr"] == max(float(row["val/psnr"]) for row in validated)
    assert summary["baselines"]["grey"]["metrics"]["chroma"] < 0.5 < summary["test"]["chroma_truth"]
    assert summary["protocol"] == "v1" and table[-1]["test/v1/psnr"] != ""


def test_a_checkpoint_explains_itself(trained):
    state = torch.load(trained / "checkpoints/best.ckpt", weights_only=True)
    assert state["colorization"]["config"]["model"]["_target_"] == "colorization.model.unet.UNet"
    assert state["colorization"]["units"]["ab_scale"] == 110.0
    assert set(state["colorization"]["git"]) == {"commit", "dirty"}
    assert not [name for name in state["state_dict"] if "_orig_mod" in name]


def test_the_end_is_a_table_with_the_grey_floor(command, small, tmp_path):
    done = command("train", *small, "run.dir=run", "budget.epochs=null", "budget.steps=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "grey (ab = 0)" in done.stdout and "psnr" in done.stdout and "predict" in done.stdout


def test_the_same_seed_gives_the_same_bits(command, small, trained, tmp_path):
    assert command("train", *small, "run.dir=run", cwd=tmp_path).returncode == 0
    first, second = (
        torch.load(p / "checkpoints/last.ckpt", weights_only=True) for p in (trained, tmp_path / "run")
    )
    for name, weight in first["state_dict"].items():
        assert torch.equal(weight, second["state_dict"][name]), name
    one, two = (
        json.loads((p / "metrics.json").read_text(encoding="utf-8")) for p in (trained, tmp_path / "run")
    )
    for part in ("best", "last"):
        del one[part]["seconds"], two[part]["seconds"]
    assert one == two
    scores = "evaluation/folder_test/pictures.csv"
    assert (trained / scores).read_bytes() == (tmp_path / "run" / scores).read_bytes()


def test_deterministic_is_one_setting():
    assert composed("train", ["deterministic=true"]).trainer.deterministic is True
    assert composed("train", []).trainer.deterministic is False


def test_an_unmeasured_watch_is_one_sentence():
    with pytest.raises(ConfigError, match="watch=psrn: not measured in validation; did you mean psnr"):
        build.colorizer(composed("train", ["watch=psrn"]))


def heed_interrupts() -> None:
    """Undo what a shell does to its background jobs, which it makes ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_can_go_on(command, small, tmp_path, number):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    settings = [*small, "budget.epochs=null", "budget.steps=100000", "run.dir=run"]
    words = [sys.executable, "-m", "colorization.train", *settings]
    running = subprocess.Popen(
        words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "run/checkpoints/last.ckpt").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert "Traceback" not in said and running.returncode == 128 + number
    record = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))
    state = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    done_steps = state["callbacks"]["Budget"]["steps"]
    assert record["status"] == "stopped" and done_steps > 0
    done = command("train", "resume=run", f"budget.steps={done_steps + 5}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def asked(*settings):
    return begun(read("train", settings))


def test_a_run_without_a_checkpoint_is_to_be_removed(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").touch()
    with pytest.raises(ConfigError, match="rm -r run") as caught:
        asked(*small, "run.dir=run")
    assert "resume=" not in str(caught.value)


@pytest.mark.parametrize(
    "mistake",
    [
        "data.root=/nowhere", "optimizer.lr=-1", "model.depth=99", "watch=psrn", "protocol=v1",
        "logger=wandb", "trainer.accelerator=gpu", "data.batch_size=1",
    ],
)  # fmt: skip
def test_nothing_is_made_or_removed_by_a_mistake(small, tmp_path, monkeypatch, mistake):
    """Not even in a folder that was there before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "ofline")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    precious = tmp_path / "precious/letter.txt"
    precious.parent.mkdir()
    precious.write_text("to keep", encoding="utf-8")
    more = {
        "data.batch_size=1": ["data.image_size=16", "model.depth=4", "model.norm=batch"],
        "protocol=v1": ["protocol.size=-1"],
    }
    for folder in ("new", "precious"):
        with pytest.raises((InputError, OSError)) as caught:
            asked(*small, mistake, *more.get(mistake, []), f"run.dir={folder}")
        assert "\n\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    assert precious.read_text(encoding="utf-8") == "to keep"


def test_a_folder_with_something_in_it_is_not_taken(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").touch()
    with pytest.raises(ConfigError, match=r"run.dir=mine: is there and not empty"):
        asked(*small, "run.dir=mine")


def test_two_runs_of_the_same_second_have_two_folders(small, tmp_path, monkeypatch):
    """The second one finds its folder free, and has built everything when the first one makes it."""
    monkeypatch.chdir(tmp_path)
    build, folders = job.built, []

    def slow(cfg, **settings):
        done = build(cfg, **settings)
        if not folders:
            folders.append(None)
            folders[0] = asked(*small, "run.dir=run").folder
        return done

    monkeypatch.setattr(job, "built", slow)
    second = asked(*small, "run.dir=run").folder
    assert [folders[0].name, second.name] == ["run", "run_2"]
    for folder in (folders[0], second):
        assert (
            yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))["run"]["dir"] == folder.name
        )


def test_an_optimizer_that_refuses_leaves_nothing_behind(command, small, tmp_path):
    done = command("train", *small, "optimizer.lr=-1", "run.dir=run", cwd=tmp_path)
    assert done.returncode == 1 and "optimizer: Invalid learning rate" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_full_disk_leaves_the_last_whole_checkpoint(tmp_path, monkeypatch):
    def full(path, content):
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "checkpoints/last.ckpt"
    WholeFiles().save_checkpoint({"step": 1}, target)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"last.ckpt cannot be written: No space left"):
        WholeFiles().save_checkpoint({"step": 2}, target)
    assert torch.load(target, weights_only=True) == {"step": 1}
    assert [path.name for path in target.parent.iterdir()] == ["last.ckpt"]


def test_a_run_folder_is_never_overwritten(command, small, trained):
    before = (trained / "run.json").read_bytes()
    done = command("train", *small, f"run.dir={trained}", cwd=trained.parent)
    assert done.returncode == 1 and "resume=" in done.stderr and "Traceback" not in done.stderr
    assert (trained / "run.json").read_bytes() == before


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(command, small, tmp_path):
    done = command("train", *small, "optimizer=sgd", "optimizer.lr=1e30", "trainer.gradient_clip_val=null",
                   "objective.loss=mse", "run.dir=run", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    assert "not finite since step" in done.stderr and "optimizer.lr" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["status"] == "failed"


def test_a_failed_start_leaves_nothing_behind(command, tmp_path):
    done = command("train", "data.root=/nowhere", cwd=tmp_path)
    assert done.returncode == 1 and "data=scenes" in done.stderr and "Traceback" not in done.stderr
    assert not list((tmp_path / "runs").glob("*"))


def test_weights_and_biases_stays_offline_without_a_key(command, small, tmp_path):
    settings = [s for s in small if s != "logger=csv"]
    done = command(
        "train", *settings, "logger=[wandb,tensorboard]", "budget.epochs=1", "run.dir=run", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "wandb sync" in done.stdout + done.stderr
    files = [p.name for p in (tmp_path / "run").rglob("*") if p.is_file()]
    assert any(name.endswith(".wandb") for name in files) and any("tfevents" in name for name in files)
    (kept,) = (tmp_path / "run").rglob("*.wandb")
    content = kept.read_bytes()
    assert b"colorization.model.unet.UNet" in content and b"val/psnr" in content


def test_an_unreachable_server_neither_stops_nor_slows(command, small, tmp_path):
    settings = [s for s in small if s != "logger=csv"]
    done = command("train", *settings, "logger=wandb", "budget.epochs=1", "run.dir=run", cwd=tmp_path,
                   WANDB_API_KEY="a" * 40, WANDB_BASE_URL="http://127.0.0.1:9")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["status"] == "finished"
    assert json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["seconds"] < 90


@pytest.mark.parametrize("setting", ["trainer.precision=bf16-mixed", "trainer.accumulate_grad_batches=2"])
def test_settings_of_speed_train_too(command, small, tmp_path, setting):
    done = command("train", *small, setting, "budget.epochs=1", "run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_compiled_network_trains_and_is_saved_as_any_other(trains, tmp_path, monkeypatch):
    """By a compiler that leaves each graph as it is: PyTorch's own takes minutes."""
    compiled, graphs = nn.Module.compile, []
    monkeypatch.setattr(
        nn.Module, "compile", lambda self: compiled(self, backend=lambda graph, _: graphs.append(1) or graph)
    )
    trains("compile=true", "callback=[]", "budget.steps=3", "run.dir=run")
    assert graphs
    state = torch.load(tmp_path / "run/checkpoints/best.ckpt", weights_only=True)
    assert not [name for name in state["state_dict"] if "_orig_mod" in name]


def test_a_moved_run_still_opens(trained, command, tmp_path):
    shutil.copy(trained / "checkpoints" / "best.ckpt", tmp_path / "alone.ckpt")
    done = command("evaluate", "run=alone.ckpt", "split=val", "metric=[]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "evaluation/folder_val/summary.json").exists()
