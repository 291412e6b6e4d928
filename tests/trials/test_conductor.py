"""Nothing is lost, nothing is run twice, and what fails does not stop the others."""

import json

import pytest

from colorization.trials import conductor as conducting
from colorization.trials.record import trials_of
from tests.trials.made import STOPPED, Made, compose_quickly, conducted, finishes, study, write


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    compose_quickly(monkeypatch)
    monkeypatch.setattr(conducting, "PAUSE", 0.0)
    monkeypatch.setattr(conducting, "LOOK", 0.0)


def states(folder):
    return [trial.state() for trial in trials_of(folder)]


GRID = ("optimizer.lr=1e-3,1e-2", "seed=0,1")


def test_a_grid_is_run_once_and_the_same_command_runs_nothing(tmp_path):
    launcher = Made(finishes(lambda cfg: 20 + cfg.seed))
    done = conducted(tmp_path, launcher, *GRID)
    names = ["0_lr=0.001,seed=0", "1_lr=0.001,seed=1", "2_lr=0.01,seed=0", "3_lr=0.01,seed=1"]
    assert launcher.started == names and done.well and done.count("finished") == 4
    again = Made(finishes(lambda cfg: 0))
    assert conducted(tmp_path, again, *GRID).count("finished") == 4 and again.started == []


def test_a_grid_that_grows_runs_what_is_new(tmp_path):
    conducted(tmp_path, Made(finishes(lambda cfg: 20)), *GRID)
    launcher = Made(finishes(lambda cfg: 20))
    done = conducted(tmp_path, launcher, "optimizer.lr=1e-3,1e-2,3e-2", "seed=0,1")
    assert launcher.started == ["4_lr=0.03,seed=0", "5_lr=0.03,seed=1"] and done.count("finished") == 6


def test_the_identity_is_of_what_is_learnt_not_of_where_it_is_written(tmp_path):
    conducted(tmp_path, Made(finishes(lambda cfg: 20)), "seed=0,1")
    launcher = Made(finishes(lambda cfg: 20))
    conducted(tmp_path, launcher, "seed=0,1", "name=other", "logger=tensorboard")
    assert launcher.started == []
    conducted(tmp_path, launcher, "seed=0,1", "budget.epochs=3")
    assert len(launcher.started) == 2


def test_a_stopped_trial_is_gone_on_with_first_by_the_next_command(tmp_path):
    def act(trial, attempt):
        if trial.config().seed == 1:
            write(trial, "stopped", checkpoint=3)
            raise KeyboardInterrupt
        write(trial, psnr=20.0)
        return 0

    with pytest.raises(KeyboardInterrupt):
        conducted(tmp_path, Made(act), "seed=0,1,2")
    assert states(tmp_path) == ["finished", "stopped"]
    launcher = Made(finishes(lambda cfg: 20))
    conducted(tmp_path, launcher, "seed=0,1,2")
    assert launcher.started == ["1_seed=1", "2_seed=2"]


def test_a_preempted_trial_goes_on_at_once_however_often(tmp_path):
    def act(trial, attempt):
        write(trial, "stopped", checkpoint=attempt)
        if attempt <= 5:
            return STOPPED
        write(trial, psnr=20.0)
        return 0

    done = conducted(tmp_path, Made(act), "seed=0")
    assert done.well and done.launcher.started == ["0"] * 6


def test_a_failing_trial_is_retried_once_told_and_retried_once_by_the_next_command(tmp_path, caplog):
    def act(trial, attempt):
        if trial.config().seed == 1:
            trial.log.write_text("ValueError: loss is nan\n", encoding="utf-8")
            write(trial, "failed")
            return 1
        write(trial, psnr=20.0)
        return 0

    done = conducted(tmp_path, Made(act), "seed=0,1,2")
    assert not done.well and done.ended["1_seed=1"] == "failed" and done.count("finished") == 2
    assert done.launcher.started == ["0_seed=0", "1_seed=1", "1_seed=1", "2_seed=2"]
    assert "1_seed=1 failed: ValueError: loss is nan" in caplog.text
    failures = json.loads((tmp_path / "trials/1_seed=1.json").read_text(encoding="utf-8"))["failures"]
    assert [failure["code"] for failure in failures] == [1, 1]
    assert conducted(tmp_path, Made(act), "seed=0,1,2").launcher.started == ["1_seed=1"]
    mended = conducted(tmp_path, Made(finishes(lambda cfg: 30)), "seed=0,1,2")
    assert mended.well and [trial.name for trial in mended.study.best()] == ["1_seed=1"]


def test_a_trial_that_fails_farther_on_each_time_is_not_given_up(tmp_path):
    """Killed after every checkpoint, as a machine does that is too full."""

    def act(trial, attempt):
        import os

        write(trial, "running", checkpoint=attempt)
        os.utime(trial.folder / "checkpoints/last.ckpt", (attempt, attempt))
        if attempt < 9:
            return -9
        write(trial, psnr=20.0)
        return 0

    assert conducted(tmp_path, Made(act), "seed=0").well


def test_a_trial_that_is_killed_at_its_start_each_time_is_given_up(tmp_path):
    done = conducted(tmp_path, Made(lambda trial, attempt: -9), "seed=0")
    assert not done.well and len(done.launcher.started) == 1 + conducting.KILLS


def test_as_many_at_once_as_there_are_jobs(tmp_path):
    most = []

    def act(trial, attempt):
        write(trial, psnr=20.0)
        return 0, 3

    launcher = Made(act, jobs=2)
    what = study(tmp_path, "seed=0,1,2,3,4")
    done = conducting.Conductor(what, launcher, what.asked.wanted, lambda c: most.append(len(c.running)))
    done.run()
    assert max(most) == 2 and done.count("finished") == 5


SEARCH = ("search=tpe", "optimizer.lr=tag(log,interval(1e-4,1e-1))", "model.width=8,16")


def test_trials_counts_what_is_finished(tmp_path):
    def act(trial, attempt):
        if trial.name.startswith("1_"):
            return 1
        write(trial, psnr=20.0)
        return 0

    done = conducted(tmp_path, Made(act), *SEARCH, "trials=4")
    assert (done.count("finished"), done.count("failed")) == (4, 1)
    more = conducted(tmp_path, Made(finishes(lambda cfg: 21)), *SEARCH, "trials=6")
    assert more.count("finished") >= 6 and more.study.done >= 6


def test_several_at_once_are_not_more_than_asked_for(tmp_path):
    def act(trial, attempt):
        write(trial, psnr=20.0)
        return 0, 2

    launcher = Made(act, jobs=3)
    conducted(tmp_path, launcher, *SEARCH, "trials=5")
    assert len(launcher.started) == 5


def test_a_search_in_which_everything_fails_ends(tmp_path):
    done = conducted(tmp_path, Made(lambda trial, attempt: 1), *SEARCH, "trials=50")
    assert done.count("failed") == conducting.HOPELESS


def test_what_is_proposed_twice_is_run_once(tmp_path):
    launcher = Made(finishes(lambda cfg: cfg.model.width))
    done = conducted(tmp_path, launcher, "search=random", "model.width=8,16", "trials=8")
    assert sorted(launcher.started) == sorted(set(launcher.started)) and len(launcher.started) <= 2
    assert done.study.done == 8


def test_a_trial_far_behind_is_ended_and_recorded_as_pruned(tmp_path):
    def act(trial, attempt):
        bad = trial.config().seed == 9
        curve = [(100 * i, (10 if bad else 20) + i) for i in range(1, 6)]
        write(trial, "running", curve=curve[:3] if bad else curve, psnr=None if bad else 25.0, checkpoint=1)
        return 0, 2

    settings = ("pruner=median", "pruner.n_startup_trials=2", "pruner.n_warmup_steps=0")
    done = conducted(tmp_path, Made(act), "seed=0,1,2,9", *settings)
    assert done.ended["3_seed=9"] == "pruned" and states(tmp_path)[3] == "pruned" and done.well
    assert [trial.state.name for trial in done.study.optuna.trials] == ["COMPLETE"] * 3 + ["PRUNED"]
    assert conducted(tmp_path, Made(act), "seed=0,1,2,9", *settings).launcher.started == []
