"""A run that goes on: as if it had not stopped, with what may change, and nothing else."""

import csv
import json
import os
import shutil
import signal

import pytest
import pytorch_lightning as pl
import torch
import yaml

from colorization.callback.checkpoint import BestAndLast
from colorization.config import ConfigError
from colorization.job import begun
from colorization.journal import saved
from colorization.request import read
from colorization.resume import resumed
from tests.conftest import trains_in

# Sixteen batches an epoch; a row for each, a validation after every fourth.
OFTEN = ("schedule=constant", "callback=[ema]", "trainer.log_every_n_steps=1", "trainer.val_check_interval=4")


@pytest.fixture(scope="module")
def four(small, tmp_path_factory):
    """A run of four batches."""
    folder = tmp_path_factory.mktemp("four")
    with pytest.MonkeyPatch.context() as monkeypatch:
        trains_in(folder, small, monkeypatch)("budget.steps=4", "run.dir=run", *OFTEN)
    return folder / "run"


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """A run of twenty batches that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as monkeypatch:
        trains_in(folder, small, monkeypatch)("budget.steps=20", "run.dir=run", *OFTEN)
    return folder / "run"


@pytest.fixture
def run(four, tmp_path):
    """A copy of the run of four batches."""
    return shutil.copytree(four, tmp_path / "run")


class Signal(pl.Callback):
    """Sends this process a signal in one training batch, or in one validation batch."""

    def __init__(self, number, batch=None, validation=None):
        self.number, self.batch, self.validation = number, batch, validation

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.fit_loop.total_batch_idx + 1 == self.batch:
            os.kill(os.getpid(), self.number)

    def on_validation_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        if batch_idx == self.validation:
            os.kill(os.getpid(), self.number)


class Seen(pl.Callback):
    """What was trained on, and how."""

    def __init__(self):
        self.batches, self.groups = [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.batches.append(batch.index.tolist())
        group = trainer.optimizers[0].param_groups[0]
        self.groups.append({name: value for name, value in group.items() if name != "params"})


def checkpoint(folder, name="last"):
    return torch.load(folder / f"checkpoints/{name}.ckpt", weights_only=True)


def steps(folder, name="last"):
    return checkpoint(folder, name)["callbacks"]["Budget"]["steps"]


def rows(folder):
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def record(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def scores(monkeypatch, *numbers):
    """Give the next validations these scores."""
    left = list(numbers)
    monkeypatch.setattr(BestAndLast, "score", lambda self, trainer: torch.tensor(left.pop(0)))


def test_the_last_checkpoint_is_that_of_the_last_validation(trains, tmp_path, monkeypatch):
    scores(monkeypatch, 24.0, 20.0)
    trains("budget.steps=8", "run.dir=run", *OFTEN)
    assert steps(tmp_path / "run", "best") == 4 and steps(tmp_path / "run") == 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_saves_that_step_and_says_how_to_go_on(trains, tmp_path, caplog, number):
    caplog.set_level("INFO")
    with pytest.raises(SystemExit) as stopped:
        trains("budget.steps=30", "run.dir=my run", callbacks=[Signal(number, batch=6)])
    assert stopped.value.code == 128 + number
    assert steps(tmp_path / "my run") == 6 and record(tmp_path / "my run")["status"] == "stopped"
    assert "python -m colorization.train 'resume=my run'" in caplog.text


@pytest.mark.parametrize(
    "stop", [{"batch": 6}, {"batch": 8}, {"batch": 16}, {"batch": 17}, {"validation": 0}], ids=str
)
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(trains, whole, tmp_path, stop):
    """Stopped within an epoch, where a validation is due, at an epoch's end, and within a validation."""
    with pytest.raises(SystemExit):
        trains("budget.steps=20", "run.dir=cut", *OFTEN, callbacks=[Signal(signal.SIGTERM, **stop)])
    cut = tmp_path / "cut"
    assert steps(cut) < 20
    trains("resume=cut")
    one, other = checkpoint(whole), checkpoint(cut)
    for kind in ("state_dict", "current_model_state"):
        assert one[kind].keys() == other[kind].keys()
        assert all(torch.equal(weight, other[kind][name]) for name, weight in one[kind].items())
    validations = [
        [(row["step"], row["val/psnr"]) for row in rows(f) if row["val/psnr"]] for f in (whole, cut)
    ]
    assert validations[0] == validations[1] and len(validations[0]) == 5
    assert record(cut)["pictures_seen"] == 160 and record(cut)["status"] == "finished"


def test_rows_after_the_checkpoint_are_dropped_and_those_before_kept_to_the_letter(trains, run):
    before = rows(run)
    assert [row["step"] for row in before] == ["1", "2", "3", "4"]
    with (run / "metrics.csv").open("a", encoding="utf-8") as file:
        file.write("5,9,9,9\n")
    trains("resume=run", "budget.steps=6")
    after = rows(run)
    assert [row["step"] for row in after] == ["1", "2", "3", "4", "5", "6"] and after[4]["pictures"] == "40"
    assert [{name: row[name] for name in before[0]} for row in after[:4]] == before


@pytest.mark.parametrize("how", ["moved", "copied", "linked"])
def test_a_worse_one_does_not_replace_the_best_of_a_run_elsewhere(trains, run, tmp_path, monkeypatch, how):
    there = tmp_path / "there"
    scores(monkeypatch, 24.656)
    trains("resume=run", "budget.steps=8")
    ways = {"moved": shutil.move, "copied": shutil.copytree, "linked": lambda old, new: new.symlink_to(old)}
    ways[how](run, there)
    scores(monkeypatch, 24.423)
    trains("resume=there", "budget.steps=12")
    assert steps(there, "best") == 8 and steps(there) == 12
    scores(monkeypatch, 25.0)
    trains("resume=there", "budget.steps=16")
    assert steps(there, "best") == 16


@pytest.mark.parametrize(
    "setting", ["optimizer.lr=1e-06", "optimizer.weight_decay=0.5", "schedule=step", "data.batch_size=4"]
)
def test_what_may_change_is_used(trains, run, setting):
    seen, (name, _, value) = Seen(), setting.partition("=")
    trains("resume=run", "budget.steps=16", setting, callbacks=[seen])
    if name == "data.batch_size":
        assert {len(batch) for batch in seen.batches} == {4}
    elif name == "schedule":
        assert seen.groups[0]["lr"] == 1e-3 and seen.groups[-1]["lr"] == pytest.approx(1e-5)
    else:
        assert {group[name.partition(".")[2]] for group in seen.groups} == {float(value)}
    first, second = record(run)["parts"]
    assert "changed" not in first and any(changed.startswith(name) for changed in second["changed"])
    for part in (first, second):
        assert {"git", "versions", "hardware", "started", "finished", "seconds", "command"} <= part.keys()
    earlier = yaml.safe_load((run / "config.1.yaml").read_text(encoding="utf-8"))
    assert earlier["budget"]["steps"] == 4 and saved(run).budget.steps == 16


def test_another_batch_size_leaves_out_no_picture_of_an_epoch(trains, run):
    """Four batches of 8, the rest of the epoch in batches of 4."""
    seen = Seen()
    job = trains("resume=run", "budget.steps=null", "budget.epochs=1", "data.batch_size=4", callbacks=[seen])
    rest = [index for batch in seen.batches for index in batch]
    assert len(set(rest)) == len(rest) and len(job.data.pack("train")) - 32 - len(rest) in range(4)


@pytest.mark.parametrize(
    "setting",
    ["model.width=16", "model=cnn", "hints=points", "seed=1", "optimizer=sgd", "data.image_size=64"],
)
def test_what_cannot_change_is_refused_by_its_name(run, monkeypatch, setting):
    monkeypatch.chdir(run.parent)
    kept = content(run)
    with pytest.raises(ConfigError, match=f"{setting.partition('=')[0]}.*: the run has .* and keeps it"):
        begun(read("train", ["resume=run", "budget.steps=8", setting]))
    assert content(run) == kept


def test_a_default_that_the_program_has_changed_since_is_none_of_the_runs(run):
    text = (run / "config.yaml").read_text(encoding="utf-8")
    (run / "config.yaml").write_text(text.replace("image_size: 32", "image_size: 40"), encoding="utf-8")
    cfg, changed = resumed(run, ["budget.steps=8"])
    assert cfg.data.image_size == 40 and changed == {"budget.steps": 8}


@pytest.mark.parametrize("file", ["config.yaml", "overrides.yaml"])
def test_somebody_elses_run_runs_nothing_of_theirs(run, tmp_path, monkeypatch, file):
    """Not even their module is imported, whatever is asked."""
    (tmp_path / "evil.py").write_text("open('acted', 'w')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    content = yaml.safe_load((run / file).read_text(encoding="utf-8"))
    if file == "config.yaml":
        content["callback"]["mine"] = {"_target_": "evil.Callback"}
    else:
        content.append("+callback.mine={_target_: evil.Callback}")
    (run / file).write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"would build evil\.Callback.*COLORIZATION_TRUST=evil"):
        resumed(run, ["budget.steps=8"])
    assert not (tmp_path / "acted").exists()


def test_a_checkpoint_is_read_once(trains, run, monkeypatch):
    read, load = [], torch.load
    monkeypatch.setattr(torch, "load", lambda path, *args, **kw: read.append(path) or load(path, *args, **kw))
    trains("resume=run", "budget.steps=5")
    assert len(read) == 1


def test_a_spent_budget_trains_no_step_more(run, monkeypatch):
    monkeypatch.chdir(run.parent)
    kept = content(run)
    with pytest.raises(ConfigError, match=r"budget.steps=4 is spent.*colorization.evaluate run=run"):
        begun(read("train", ["resume=run"]))
    assert content(run) == kept


def test_a_checkpoint_is_no_run_to_resume(run):
    with pytest.raises(ConfigError, match=f"give the run's folder, such as {run}"):
        begun(read("train", [f"resume={run}/checkpoints/last.ckpt"]))
