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

from colorization import build
from colorization.callback.checkpoint import Checkpoints
from colorization.compose import composed
from colorization.config import ConfigError
from tests.conftest import ROOT


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_run_keeps_everything_in_its_folder(trained):
    config = yaml.safe_load((trained / "config.yaml").read_text())
    assert config["model"]["width"] == 8 and "data=folder" in yaml.safe_load(
        (trained / "overrides.yaml").read_text()
    )
    record = json.loads((trained / "run.json").read_text())
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
    summary = json.loads((trained / "metrics.json").read_text())
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
    one, two = (json.loads((p / "metrics.json").read_text()) for p in (trained, tmp_path / "run"))
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


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(command, small, tmp_path):
    """Killed mid-epoch after 9 of 20 steps and resumed: the same weights as without the stop."""
    settings = [
        *small,
        "budget.epochs=null",
        "schedule=constant",
        "callback=[default,ema]",
        "objective.loss=mse",
    ]
    whole = command("train", *settings, "budget.steps=20", "run.dir=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    assert command("train", *settings, "budget.steps=9", "run.dir=cut", cwd=tmp_path).returncode == 0
    resumed = command("train", "resume=cut", "budget.steps=20", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    states = [torch.load(tmp_path / r / "checkpoints/last.ckpt", weights_only=True) for r in ("whole", "cut")]
    assert states[0]["global_step"] == states[1]["global_step"] == 20
    for name, weight in states[0]["current_model_state"].items():
        assert torch.equal(weight, states[1]["current_model_state"][name]), name
    steps = [int(row["step"]) for row in rows(tmp_path / "cut" / "metrics.csv")]
    assert steps == sorted(set(steps)) and steps[-1] >= 19
    assert json.loads((tmp_path / "cut" / "run.json").read_text())["pictures_seen"] == 160


def heed_interrupts() -> None:
    """Undo what a shell does to its background jobs, which it makes ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_run_that_a_person_stops_can_go_on(command, small, tmp_path):
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
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert "Traceback" not in said
    record = json.loads((tmp_path / "run/run.json").read_text())
    state = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    assert record["status"] == "stopped" and state["global_step"] > 0
    done = command("train", "resume=run", f"budget.steps={state['global_step'] + 5}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_resumed_run_keeps_its_options(command, trained):
    done = command("train", f"resume={trained}", "model=cnn", cwd=trained.parent)
    assert done.returncode == 1 and "keeps its options" in done.stderr


def test_a_resumed_run_keeps_its_network(command, trained):
    kept = {path: path.read_bytes() for path in trained.glob("*.yaml")}
    done = command("train", f"resume={trained}", "model.width=16", "budget.epochs=3", cwd=trained.parent)
    assert done.returncode == 1 and "model.width=16: the run has 8 and keeps it" in done.stderr
    assert {path: path.read_bytes() for path in trained.glob("*.yaml")} == kept


def test_a_spent_budget_trains_no_step_more(command, trained):
    before = (trained / "checkpoints/last.ckpt").read_bytes()
    done = command("train", f"resume={trained}", cwd=trained.parent)
    assert done.returncode == 1 and "budget.epochs=2 is spent" in done.stderr
    assert (trained / "checkpoints/last.ckpt").read_bytes() == before


def test_a_checkpoint_is_no_run_to_resume(command, trained):
    done = command("train", f"resume={trained / 'checkpoints/last.ckpt'}", cwd=trained.parent)
    assert done.returncode == 1 and f"give the run's folder, such as {trained}" in done.stderr


def test_a_run_without_a_checkpoint_is_to_be_removed(command, small, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").touch()
    done = command("train", *small, "run.dir=run", cwd=tmp_path)
    assert done.returncode == 1 and f"rm -r {tmp_path / 'run'}" in done.stderr
    assert "resume=" not in done.stderr


def test_an_optimizer_that_refuses_leaves_nothing_behind(command, small, tmp_path):
    done = command("train", *small, "optimizer.lr=-1", "run.dir=run", cwd=tmp_path)
    assert done.returncode == 1 and "optimizer: Invalid learning rate" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_full_disk_leaves_the_last_whole_checkpoint(tmp_path, monkeypatch):
    def full(path, content):
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "checkpoints/last.ckpt"
    Checkpoints().save_checkpoint({"step": 1}, target)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"last.ckpt cannot be written: No space left"):
        Checkpoints().save_checkpoint({"step": 2}, target)
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
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"


def test_a_failed_start_leaves_nothing_behind(command, tmp_path):
    done = command("train", "data.root=/nowhere", cwd=tmp_path)
    assert done.returncode == 1 and "data=scenes" in done.stderr and "Traceback" not in done.stderr
    assert not list((tmp_path / "runs").glob("*"))


def test_a_missing_gpu_is_one_sentence(command, small, tmp_path):
    if torch.cuda.is_available():
        assert (
            command("train", *small, "trainer.accelerator=cuda", "run.dir=run", cwd=tmp_path).returncode == 0
        )
        return
    done = command("train", *small, "trainer.accelerator=cuda", "run.dir=run", cwd=tmp_path)
    assert done.returncode == 1 and "cuda" in done.stderr.lower() and "Traceback" not in done.stderr


def test_a_sweep_runs_every_trial_and_tells_which_failed(command, small, tmp_path):
    done = command("train", "-m", *small, "budget.epochs=1", "model.width=8,12,16", cwd=tmp_path)
    assert done.returncode == 1 and "trials failed" in done.stderr and "width=12" in done.stdout + done.stderr
    finished = sorted(p.parent.name for p in (tmp_path / "runs").glob("*/*/metrics.json"))
    assert finished == ["0_unet_regression", "2_unet_regression"]


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
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "finished"
    assert json.loads((tmp_path / "run" / "run.json").read_text())["seconds"] < 90


def test_two_processes_train_as_one(command, small, tmp_path):
    done = command("train", *small, "run.dir=run", "trainer.devices=2", "trainer.strategy=ddp", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    counted = record["data"]["pictures"]["train"]
    assert record["pictures_seen"] == 2 * (counted // 16) * 16
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == ["run"]


@pytest.mark.parametrize(
    "setting", ["compile=true", "trainer.precision=bf16-mixed", "trainer.accumulate_grad_batches=2"]
)
def test_settings_of_speed_train_too(command, small, tmp_path, setting):
    done = command("train", *small, setting, "budget.epochs=1", "run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    state = torch.load(tmp_path / "run/checkpoints/best.ckpt", weights_only=True)
    assert not [name for name in state["state_dict"] if "_orig_mod" in name]


def test_a_moved_run_still_opens(trained, command, tmp_path):
    shutil.copy(trained / "checkpoints" / "best.ckpt", tmp_path / "alone.ckpt")
    done = command("evaluate", "run=alone.ckpt", "split=val", "metric=[]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "evaluation/folder_val/summary.json").exists()
