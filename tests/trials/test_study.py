"""The space of a sweep, what a search makes of it, and that a kill costs neither."""

import json

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorization.config import ConfigError
from colorization.trials.question import divided, question
from colorization.trials.record import trials_of
from colorization.trials.space import Interval, space_of
from colorization.trials.study import mend, rungs
from tests.trials.made import Made, compose_quickly, conducted, finishes, study

SEARCH = ("search=tpe", "optimizer.lr=tag(log,interval(1e-4,1e-1))", "model.width=8,16")


def test_a_space_of_every_kind():
    space = space_of(
        ["model=cnn,unet", "seed=range(1,4)", "a=interval(1,2)", "b=int(interval(1,9))",
         "c=tag(log,int(interval(1,8)))",
         "d=choice(x,y)", "e=3", "optimizer=glob(adam*)", "loss=[l1],[gradient]"]
    )  # fmt: skip
    kinds = {d.name: d.described() for d in space.dimensions}
    assert kinds["seed"] == [1, 2, 3] and kinds["model"] == ["cnn", "unet"] and kinds["d"] == ["x", "y"]
    assert kinds["optimizer"] == ["adam", "adamw"] and kinds["loss"] == ["[l1]", "[gradient]"]
    assert kinds["a"] == {"low": 1, "high": 2, "log": False, "whole": False}
    assert kinds["b"]["whole"] and kinds["c"] == {"low": 1, "high": 8, "log": True, "whole": True}
    assert space.fixed == ("e=3",)


def test_the_last_word_on_a_setting_counts():
    assert space_of(["a=interval(1,2)", "a=3,4"]).dimensions[0].described() == [3, 4]
    assert isinstance(space_of(["a=3,4", "a=interval(1,2)"]).dimensions[0], Interval)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["seed=interval(1,2)"], r"an interval has no list.*seed=range.*search=tpe"),
        (["search=tpe", "seed=0,1"], "give trials=N"),
        (["search=tpe", "trials=3", "seed=0"], "nothing to search"),
        (["seed=0,1", "trials=3"], "a grid has as many as its lists make"),
        (["search=tpe", "trials=3", "optimizer.lr=tag(log,interval(0,1))"], "both above 0"),
        (["search=tpe", "trials=3", "optimizer.lr=interval(1,1)"], "from a smaller number to a larger"),
        (["seed=0,1", "jobs=0"], "give 1 or more"),
        (["seed=0,1", "search=tpo"], "did you mean tpe"),
        (["seed=0,1", "watch=[psnr,ssim]", "pruner=median"], "one watched metric"),
        (["seed=0,1", "run.dir=x"], r"hydra.sweep.dir=FOLDER is a sweep's"),
        (["search=tpe", "trials=3", "model.width=interval(8,16)"], "a whole number"),
    ],
)
def test_a_sweep_that_cannot_be_is_told(overrides, said):
    with pytest.raises(ConfigError, match=said):
        question(overrides).examples  # noqa: B018


def test_what_is_the_sweeps_and_what_is_its_trials():
    own, rest = divided(
        ["search=tpe", "search.seed=3", "trials=5", "launcher.devices=2", "trainer.devices=1", "jobs=2"]
    )
    assert own == ["search=tpe", "search.seed=3", "trials=5", "launcher.devices=2", "jobs=2"]
    assert rest == ["trainer.devices=1"]


def test_the_same_question_has_the_same_folder_whatever_it_may_cost():
    first = question(["model=cnn,unet", "data=scenes"])
    assert question(["data=scenes", "model=cnn,unet", "jobs=4"]).folder == first.folder
    assert question(["model=cnn,unet", "data=folder"]).folder != first.folder
    few, more = (question([*SEARCH, f"trials={n}"]).folder for n in (3, 9))
    assert few == more


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("colorization.trials.conductor.PAUSE", 0.0)
    compose_quickly(monkeypatch)


def test_the_runs_of_a_sweep_are_one_group_on_the_dashboard():
    what = question(["data=scenes", "search=random", "trials=2", "optimizer.lr=interval(0.1,0.2)"])
    trial = what.trial(7, {"optimizer.lr": 0.15})
    for cfg in (what.examples[0].cfg, trial.cfg):
        assert cfg.logger.group == what.folder.name and cfg.logger.wandb.group == what.folder.name
    given = question(["data=scenes", "seed=0,1", "logger.group=mine"]).examples[0].cfg
    assert given.logger.wandb.group == "mine"


def score(cfg):
    """The best at lr = 0.01, width 16."""
    return 30 - (np.log10(cfg.optimizer.lr) + 2) ** 2 + cfg.model.width / 100


def proposals(folder):
    return [trial.about()["params"] for trial in trials_of(folder)]


def test_a_search_that_is_interrupted_proposes_what_it_would_have(tmp_path, quick):
    """As long as it hears the same: after a kill the numbers go on where they were."""
    conducted(tmp_path / "whole", Made(finishes(score)), *SEARCH, "trials=14")
    for trials in (1, 4, 9, 12, 14):
        conducted(tmp_path / "parts", Made(finishes(score)), *SEARCH, f"trials={trials}")
    assert proposals(tmp_path / "parts") == proposals(tmp_path / "whole")


def test_a_search_learns(tmp_path, quick):
    done = conducted(tmp_path, Made(finishes(score)), *SEARCH, "trials=25")
    (best,) = done.study.best()
    assert abs(np.log10(best.config().optimizer.lr) + 2) < 0.2 and best.config().model.width == 16
    late = [abs(np.log10(p["optimizer.lr"]) + 2) for p in proposals(tmp_path)[12:]]
    early = [abs(np.log10(p["optimizer.lr"]) + 2) for p in proposals(tmp_path)[:10]]
    assert np.median(late) < np.median(early)


@pytest.mark.parametrize("search", ["random", "cmaes"])
def test_every_search_runs(tmp_path, search, quick):
    done = conducted(tmp_path, Made(finishes(score)), f"search={search}", *SEARCH[1:], "trials=4")
    assert done.count("finished") == 4


def test_a_proposal_that_a_kill_cut_short_is_completed(tmp_path, quick):
    """Between Optuna's trial and our file, and between two of its parameters."""
    first = study(tmp_path, *SEARCH, "trials=3")
    asked = first.optuna.ask()
    asked.suggest_categorical("model.width", [8, 16])
    again = study(tmp_path, *SEARCH, "trials=3")
    assert len(again.trials) == 1 and [t.name for t in again.asked_for()] == list(again.trials)
    done = conducted(tmp_path, Made(finishes(score)), *SEARCH, "trials=3")
    assert done.count("finished") == 3 and len(done.study.optuna.trials) == 3


def test_a_finished_trial_that_was_not_told_is_told(tmp_path, quick):
    what = study(tmp_path, *SEARCH, "trials=1")
    trial = what.ask()
    finishes(score)(trial, 1)
    done = conducted(tmp_path, Made(finishes(score)), *SEARCH, "trials=1")
    assert done.launcher.started == [] and done.study.optuna.best_value == pytest.approx(
        score(trial.config())
    )


def test_a_half_written_line_of_the_journal_is_cut(tmp_path, quick):
    conducted(tmp_path, Made(finishes(score)), *SEARCH, "trials=2")
    journal = tmp_path / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')
    (tmp_path / "journal.log.lock").symlink_to("journal.log")
    done = conducted(tmp_path, Made(finishes(score)), *SEARCH, "trials=3")
    assert done.count("finished") == 3
    for line in journal.read_text(encoding="utf-8").splitlines():
        json.loads(line)
    mend(journal)
    assert journal.read_bytes().startswith(whole)


def test_several_objectives_give_the_pareto_set(tmp_path, quick):
    """psnr up and ciede2000 down go together in what is made; ssim goes against them."""
    one = conducted(tmp_path / "a", Made(finishes(lambda cfg: 20.0 + cfg.seed)), "seed=0,1,2",
                    "watch=[psnr,ciede2000]", better=("higher", "lower"))  # fmt: skip
    assert [trial.name for trial in one.study.best()] == ["2_seed=2"]
    all_ = conducted(tmp_path / "b", Made(finishes(lambda cfg: 20.0 + cfg.seed)), "seed=0,1,2",
                     "watch=[psnr,ssim]", better=("higher", "higher"))  # fmt: skip
    assert len(all_.study.best()) == 3


def test_a_trial_without_the_number_counts_as_failed_to_the_search(tmp_path, quick):
    done = conducted(tmp_path, Made(finishes(lambda cfg: float("nan") if cfg.seed else 20.0)), "seed=0,1")
    assert [trial.state.name for trial in done.study.optuna.trials] == ["COMPLETE", "FAIL"]


def test_optunas_dashboard_reads_the_journal(tmp_path, quick):
    conducted(tmp_path, Made(finishes(score)), *SEARCH, "trials=2")
    from optuna.storages.journal import JournalFileBackend

    stored = optuna.storages.JournalStorage(JournalFileBackend(str(tmp_path / "journal.log")))
    (summary,) = optuna.get_all_study_summaries(stored)
    assert summary.n_trials == 2 and summary.best_trial.params.keys() == {"optimizer.lr", "model.width"}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.floats(5, 60))
def test_rungs_compare_at_equal_pictures(steps, unit):
    """A curve that is a straight line has its own value at every rung, whatever its batches."""
    pictures = np.cumsum(np.array(steps) * 8.0)
    curve = [(p, 3 * p + 1) for p in pictures]
    found = rungs(curve, unit)
    for step, value in found:
        assert value == pytest.approx(3 * np.clip(step * unit, pictures[0], pictures[-1]) + 1, rel=1e-9)
    assert [step for step, _ in found] == sorted({step for step, _ in found})
    assert all(step * unit <= pictures[-1] * 1.01 for step, _ in found)
