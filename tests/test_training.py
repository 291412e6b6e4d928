"""What training does step by step: the demo's loss curve, every schedule, where it ends and why."""

import csv
import json

import pytest
import pytorch_lightning as pl
import torch

from colorization import build, run
from colorization.callback.checkpoint import BestAndLast
from colorization.compose import composed
from colorization.config import ConfigError, options
from colorization.job import begun
from colorization.request import read
from colorization.trainer import precision

# train/loss of the demo's first twenty steps, as the program before its rebuilding printed it.
GOLDEN = (
    0.0797276877, 0.0812266096, 0.0889778286, 0.1830565185, 0.0949075967, 0.0551472269, 0.0457837284,
    0.0411968976, 0.0428374521, 0.0389450416, 0.0412740186, 0.0359841958, 0.0264175236, 0.0311209019,
    0.0362921953, 0.0317590423, 0.0314994454, 0.0255340375, 0.0327208490, 0.0346015729,
)  # fmt: skip


def rows(folder):
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def record(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


class Rates(pl.Callback):
    """The learning rate of every batch."""

    def __init__(self):
        self.seen = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen.append(trainer.optimizers[0].param_groups[0]["lr"])


def test_the_demo_learns_as_it_always_has(trains, cache, tmp_path):
    words = ("experiment=demo", f"data.cache_dir={cache}", "trainer.accelerator=cpu", "callback=[]")
    more = (
        "budget.time=null",
        "budget.steps=20",
        "trainer.log_every_n_steps=1",
        "trainer.limit_val_batches=0",
    )
    trains(*words, *more, "run.dir=run")
    losses = [float(row["train/loss"]) for row in rows(tmp_path / "run")]
    assert losses == pytest.approx(GOLDEN, rel=1e-5)


@pytest.mark.parametrize("schedule", options("schedule"))
def test_the_learning_rate_follows_its_schedule(trains, schedule):
    """Batch by batch: a batch trains at the rate that the one before its predecessor left."""
    rates = Rates()
    job = trains("budget.steps=12", f"schedule={schedule}", "callback=[]", "run.dir=run", callbacks=[rates])
    assert len(rates.seen) == 12
    if schedule == "plateau":
        assert set(rates.seen) == {1e-3}
        return
    shape = build.make(job.cfg.schedule)
    expected = [1e-3 * shape(max(step - 1, 0) / 12) for step in range(12)]
    assert rates.seen == pytest.approx(expected)
    if schedule != "constant":
        assert max(rates.seen) > 1.9 * min(rates.seen), "a constant rate would not pass"
    if schedule == "step":
        assert rates.seen[-1] == pytest.approx(1e-5)


def test_a_plateau_lowers_the_rate_when_the_watched_metric_no_longer_rises(trains):
    """Gradients that are cut to nothing: no weight moves, and no validation is better than the first."""
    rates = Rates()
    still = (
        "trainer.gradient_clip_val=1e-30",
        "optimizer=sgd",
        "optimizer.weight_decay=0.0",
        "model.norm=group",
    )
    trains(
        "budget.steps=9", "schedule=plateau", "schedule.patience=0", *still, "callback=[]",
        "trainer.val_check_interval=3", "run.dir=run", callbacks=[rates],
    )  # fmt: skip
    assert rates.seen == pytest.approx([0.1] * 6 + [0.05] * 3)


@pytest.mark.parametrize(
    ("watch", "numbers", "best"), [("psnr", (20, 24, 22), 8), ("ciede2000", (20, 16, 18), 8)]
)
def test_the_best_checkpoint_is_that_of_the_best_validation(
    trains, tmp_path, monkeypatch, watch, numbers, best
):
    left = list(map(torch.tensor, numbers))
    monkeypatch.setattr(BestAndLast, "score", lambda self, trainer: left.pop(0))
    more = ("trainer.val_check_interval=4", f"watch={watch}", f"metric=[{watch}]", "callback=[]")
    trains("budget.steps=12", "run.dir=run", *more)
    state = torch.load(tmp_path / "run/checkpoints/best.ckpt", weights_only=True)
    assert state["callbacks"]["Budget"]["steps"] == best


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        ("trainer.fast_dev_run=true", set()),
        ("trainer.limit_val_batches=0", {"last.ckpt"}),
        ("trainer.check_val_every_n_epoch=100", {"best.ckpt", "last.ckpt"}),
        ("trainer.val_check_interval=1000", {"best.ckpt", "last.ckpt"}),  # more than an epoch has batches
        ("trainer.enable_model_summary=true", {"best.ckpt", "last.ckpt"}),
        ("trainer.num_sanity_val_steps=1", {"best.ckpt", "last.ckpt"}),
        ("trainer.enable_progress_bar=false", {"best.ckpt", "last.ckpt"}),
        ("trainer.profiler=simple", {"best.ckpt", "last.ckpt"}),
    ],
)  # fmt: skip
def test_settings_that_leave_something_out_end_well(trains, tmp_path, setting, kept):
    trains("budget.steps=2", "callback=[health]", "run.dir=run", setting)
    assert {path.name for path in (tmp_path / "run/checkpoints").iterdir()} == kept
    assert record(tmp_path / "run")["status"] == "finished" and record(tmp_path / "run")["reason"]


def test_a_run_without_validation_is_scored_by_its_last_checkpoint(command, small, tmp_path):
    some = [setting for setting in small if not setting.startswith(("callback.", "budget."))]
    more = ("budget.epochs=null", "budget.steps=2", "callback=[]", "test.pictures=4", "run.dir=run")
    for setting, said in (("trainer.limit_val_batches=0", "scored: last.ckpt, of step 2 of 2"),
                          ("trainer.fast_dev_run=true", "the first batches went through")):  # fmt: skip
        done = command("train", *some, *more[:-1], setting, f"run.dir={said[:6]}", cwd=tmp_path)
        assert done.returncode == 0 and said in done.stdout, done.stderr


def test_early_stopping_is_an_end_with_its_reason(trains, tmp_path, monkeypatch):
    monkeypatch.setattr("pytorch_lightning.callbacks.EarlyStopping._evaluate_stopping_criteria",
                        lambda self, current: (True, "val/psnr did not improve"))  # fmt: skip
    more = ("callback=[early_stopping]", "trainer.val_check_interval=4", "run.dir=run")
    job = trains("budget.steps=40", *more)
    assert job.budget.spent["steps"] == 4
    assert record(tmp_path / "run")["status"] == "finished"
    assert record(tmp_path / "run")["reason"] == "val/psnr did not improve"


def refused(*settings):
    with pytest.raises(ConfigError) as caught:
        begun(read("train", ["data=scenes", "model.width=8", "model.depth=1", "logger=csv", *settings]))
    return str(caught.value)


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        ("trainer.max_epochs=5", "budget.epochs=N"),
        ("trainer.max_steps=2", "budget.steps=N"),
        ("trainer.max_time=1h", "budget.time=10m"),
        ("trainer.enable_checkpointing=false", "always keeps"),
        ("trainer.logger=false", "logger=csv"),
        ("trainer.default_root_dir=x", "run.dir=FOLDER"),
        ("trainer.precision=16-true", "choose 32-true, bf16-mixed or 16-mixed"),
        ("trainer.precision=64-true", "choose 32-true, bf16-mixed or 16-mixed"),
        ("trainer.accelerator=gpu", "type trainer.accelerator=cpu"),
        ("trainer.limit_train_batches=0", "nothing would be trained"),
        ("trainer.strategy=dpp", "ddp"),
        ("logger=false", "choose from"),
    ],
)
def test_what_the_trainer_cannot_be_told_says_what_to_type(setting, remedy, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    said = refused(setting, "run.dir=run")
    assert remedy in said and "\n\n" not in said and not (tmp_path / "run").exists()


@pytest.mark.parametrize(("given", "meant"), [(16, "16-mixed"), ("bf16", "bf16-mixed"), (32, "32-true")])
def test_short_names_of_precisions(given, meant):
    assert precision(composed("train", [f"trainer.precision={given}"])) == meant


@pytest.mark.parametrize("kind", ["LearningRateFinder", "BatchSizeFinder", "StochasticWeightAveraging"])
def test_callbacks_that_do_not_work_here_name_what_does(kind, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rates = ",swa_lrs:0.1" if kind == "StochasticWeightAveraging" else ""
    said = refused(f"+callback.mine={{_target_:pytorch_lightning.callbacks.{kind}{rates}}}", "run.dir=run")
    assert f"callback.mine: {kind} does not work here; " in said


def test_early_stopping_the_wrong_way_is_refused(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    said = refused("callback=[early_stopping]", "watch=ciede2000", "run.dir=run")
    assert "callback.early_stopping.mode=max: lower is better; type min" in said


def test_without_git_the_commit_is_not_known(monkeypatch):
    def missing(*args, **kwargs):
        raise FileNotFoundError("git")

    monkeypatch.setattr(run, "PACKAGE", run.PACKAGE)
    monkeypatch.setattr("subprocess.run", missing)
    assert run.git() == {"commit": None, "dirty": None}


def test_where_git_fails_nothing_is_said_of_changes(monkeypatch):
    monkeypatch.setattr(run, "_git", lambda *words: None)
    assert run.git() == {"commit": None, "dirty": None}
