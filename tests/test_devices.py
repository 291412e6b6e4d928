"""One run over several processes: what it learns is what one process learns from the same batches."""

import json

import pytest

from colorization.files import read_csv

TOLERANCE = 5e-3  # dB: sums in another order, which the first steps of Adam make larger


@pytest.fixture(scope="module")
def settings(small):
    few = [
        setting for setting in small if not setting.startswith(("callback.", "budget.", "data.batch_size"))
    ]
    return [*few, "callback=[]", "metric=[psnr]", "budget.epochs=null", "trainer.val_check_interval=2",
            "model.norm=group", "schedule=constant", "data.flip=false", "test.pictures=4"]  # fmt: skip


def curve(folder):
    rows = read_csv(folder / "metrics.csv")
    return {int(row["step"]): float(row["val/psnr"]) for row in rows if row.get("val/psnr")}


def ran(command, folder, *overrides):
    done = command("train", *overrides, cwd=folder, timeout=900)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def alone(command, settings, tmp_path_factory):
    """One process, six steps of 16 pictures."""
    folder = tmp_path_factory.mktemp("alone")
    ran(command, folder, *settings, "data.batch_size=16", "budget.steps=6", "run.dir=run")
    return curve(folder / "run")


@pytest.mark.parametrize("strategy", ["ddp", "sharded"])
def test_two_processes_learn_what_one_does_and_the_run_goes_on(command, settings, alone, tmp_path, strategy):
    two = ("trainer.devices=2", f"trainer.strategy={strategy}", "data.batch_size=8")
    ran(command, tmp_path, *settings, *two, "budget.steps=4", "run.dir=run")
    assert json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))["pictures_seen"] == 4 * 16
    both = curve(tmp_path / "run")
    assert both == pytest.approx({step: alone[step] for step in both}, abs=TOLERANCE) and len(both) == 2
    one = ("trainer.devices=1", "trainer.strategy=auto", "data.batch_size=16", "budget.steps=6")
    if strategy == "sharded":
        done = command("train", "resume=run", *one, cwd=tmp_path)
        assert done.returncode == 1 and "its optimizer's state is that of sharded" in done.stderr
        one = ("budget.steps=6",)
    ran(command, tmp_path, "resume=run", *one)
    assert curve(tmp_path / "run") == pytest.approx(alone, abs=TOLERANCE)
