"""A study made by the test is run again by the command, and comes out the same or is caught."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from colorization import config, loader, recipe, reproduce, reproduction
from colorization.reproduction import (
    DIFFERENT,
    INSIDE,
    NO_INTERVAL,
    NOT_MEASURED,
    OUTSIDE,
    SAME,
    deviations,
    verdict,
)
from colorization.study import record_run
from tests.conftest import ROOT

RECIPE = """# Question: does it come out again?
# Command:  python -m colorization.train experiment=tiny
# Hours:    0.001 on 1 CPU core
# Expected: yes
defaults:
  - override /data: scenes
  - override /logger: [csv]
  - override /callback: [health]
  - _self_
data: {pictures: 24, val_pictures: 16, test_pictures: 24, image_size: 32, batch_size: 8}
model: {width: 8, depth: 1}
budget: {epochs: null, steps: 3}
trainer: {accelerator: cpu}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, command):
    """A checkout with a study of one run, trained, scored and recorded; and how to type a command in it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("colorization", "conf"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    study = folder / "experiments/tiny"
    study.mkdir(parents=True)
    (study / "recipe.yaml").write_text(RECIPE, encoding="utf-8")

    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        person = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", folder, *person, *words], check=True)

    def typed(name, *arguments):
        return command(name, *arguments, cwd=folder, PYTHONPATH=str(folder))

    done = typed(
        "train", "experiment=tiny", "seed=3", "data.cache_dir=cache", "data.name=drawn", "run.dir=runs/tiny_3"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = folder / "runs/tiny_3"
    record_run(study, run, run / "evaluation/drawn_test")
    return folder, typed


def test_a_study_comes_out_to_the_digit(checkout):
    folder, typed = checkout
    done = typed("reproduce", "experiments/tiny", "data.cache_dir=cache", "out=again")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny_3: must come to the digit" in done.stdout
    results = json.loads((folder / "experiments/tiny/results.json").read_text(encoding="utf-8"))
    (entry,) = results["runs"].values()
    assert done.stdout.count(SAME) == len(entry["scores"]["metrics"]) + len(entry["scores"]["set_metrics"])
    assert f"{entry['scores']['metrics']['psnr']:.6f}" in done.stdout and "+0.000000" in done.stdout
    again = json.loads((folder / "again/tiny/tiny_3/run.json").read_text(encoding="utf-8"))
    assert again["seed"] == 3 and "experiment=tiny" in again["overrides"]
    assert entry["run"]["overrides"] == ["experiment=tiny", "seed=3"]
    assert (entry["scores"]["data"], entry["scores"]["loader"]) == ("drawn", "scenes")
    assert again["data"]["name"] == entry["run"]["data"]["name"] == "drawn"


@pytest.fixture
def typed_here(checkout, monkeypatch):
    """Type the command in this process, with something else in place of training and scoring."""

    def nothing(name, *arguments):
        pytest.fail(f"{name} was started")

    def run(*arguments, start=nothing):
        folder, _ = checkout
        for module in (config, loader, recipe, reproduction):
            monkeypatch.setattr(module, "EXPERIMENTS", folder / "experiments")
        monkeypatch.setattr(reproduction, "_python", start)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["reproduce", "data.cache_dir=cache", *arguments])
        with pytest.raises(SystemExit) as ended:
            reproduce.main()
        return ended.value.code

    return run


def test_another_result_is_caught(typed_here, checkout, capsys, monkeypatch):
    """A training that gives another PSNR, with the recorded code, machine and versions."""
    monkeypatch.setattr(reproduction, "is_code_of", lambda commit: True)

    def train(name, *arguments):
        target = Path(arguments[-1].removeprefix("run.dir="))
        shutil.copytree(checkout[0] / "runs/tiny_3", target)
        summary = target / "evaluation/drawn_test/summary.json"
        scores = json.loads(summary.read_text(encoding="utf-8"))
        scores["metrics"]["psnr"] += 1e-6
        summary.write_text(json.dumps(scores), encoding="utf-8")

    assert typed_here("experiments/tiny", "out=other", start=train) == 1
    assert capsys.readouterr().out.count(DIFFERENT) == 1


@pytest.mark.parametrize(
    ("setting", "verb"), [("data.pictures=20", "trained"), ("data.test_pictures=20", "scored")]
)
def test_other_pictures_are_found_before_any_training(typed_here, setting, verb):
    assert f"tiny_3: was {verb} on other pictures" in typed_here("experiments/tiny", setting)


def test_mistakes_are_found_before_any_training(typed_here, checkout):
    folder, _ = checkout
    said = typed_here("experiments/tiny", "optimizer.ll=0.1")
    assert "optimizer.ll" in said and "did you mean" in said
    assert "choose from tiny_3" in typed_here("experiments/tiny", "only=[tiny_4]")
    assert "no results.json" in typed_here("experiments")
    assert "give one study" in typed_here()
    (folder / "taken/tiny/tiny_3").mkdir(parents=True)
    assert "exists; choose another place" in typed_here("experiments/tiny", "out=taken")


def test_a_changed_recipe_is_not_run_again(typed_here, checkout):
    recipe = checkout[0] / "experiments/tiny/recipe.yaml"
    recipe.write_text(RECIPE + "watch: ssim\n", encoding="utf-8")
    said = typed_here("experiments/tiny")
    recipe.write_text(RECIPE, encoding="utf-8")
    assert "recipe has changed" in said


@pytest.mark.parametrize(
    ("now", "bounds", "exact", "expected"),
    [
        (24.0, [23.9, 24.1], True, SAME), (24.0000001, [23.9, 24.1], True, DIFFERENT),
        (24.05, [23.9, 24.1], False, INSIDE), (24.2, [23.9, 24.1], False, OUTSIDE),
        (25.0, None, False, NO_INTERVAL), (24.0, None, False, SAME),
        (math.nan, [23.9, 24.1], True, NOT_MEASURED),
    ],
)  # fmt: skip
def test_verdicts(now, bounds, exact, expected):
    assert verdict(24.0, now, bounds, exact) == expected


def entry(**scores):
    run = {"data": {"fingerprint": {"train": "t", "val": "v"}}}
    about = {"fingerprint": "f", "metrics": {"psnr": 24.0}, "set_metrics": {"fid": 50.0}}
    return {"run": run, "scores": about | {"intervals": {"psnr": [23.5, 24.5]}} | scores}


def test_floors_are_scored_on_the_pictures_that_are_recorded(tmp_path, monkeypatch):
    """No run: `data=` takes the loader, tables and the evaluation's folder the name of the pictures."""
    asked = []

    def evaluate(name, *arguments):
        asked.extend(arguments)
        target = tmp_path / "evaluation/drawn_test"
        target.mkdir(parents=True)
        (target / "summary.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr(reproduction, "_python", evaluate)
    scores = {"data": "drawn", "loader": "scenes", "split": "test", "protocol": "v1", "pictures": 8}
    recorded = entry(**scores) | {"run": None}
    reproduction.repeat(tmp_path, recorded, ["data.test_pictures=8"])
    assert {"data=scenes", "data.name=drawn", "data.test_pictures=8"} <= set(asked)


def test_every_number_of_a_run_is_compared():
    summary = {"metrics": {"psnr": 24.2}, "set_metrics": {"fid": 51.0}}
    outcomes = reproduction.compare("mine", entry(), summary, exact=False)
    assert [(o.metric, o.verdict, o.reproduced) for o in outcomes] == [
        ("psnr", INSIDE, True),
        ("fid", NO_INTERVAL, True),
    ]
    curve = {"hints_curve": {"0": 24.0, "10": 25.0}}
    outcomes = reproduction.compare("mine", entry(**curve), summary | curve, exact=True)
    assert [(o.metric, o.verdict) for o in outcomes[2:]] == [("psnr_0_hints", SAME), ("psnr_10_hints", SAME)]


def test_the_same_digits_are_expected_of_the_recorded_code_machine_and_versions_alone(monkeypatch):
    here = {
        "hardware": {"cpu": "x", "cores": 1, "gpu": None},
        "versions": {"torch": "2"},
        "git": {"commit": "c0ffee"},
        "overrides": ["budget.epochs=null", "budget.steps=3"],
    }
    monkeypatch.setattr(reproduction, "provenance", lambda: here)
    monkeypatch.setattr(reproduction, "is_code_of", lambda commit: commit == "c0ffee")
    assert deviations({"run": here}, []) == []
    assert deviations({"run": None, "evaluated": here | {"commit": "c0ffee"}}, []) == []
    assert deviations({"run": here | {"versions": {"torch": "3"}}}, []) == ["other versions"]
    other = "other code; git checkout c0c0a -- colorization conf restores it"
    assert deviations({"run": here | {"git": {"commit": "c0c0a"}}}, []) == [other]
    assert deviations({"run": here | {"overrides": ["budget.time=10m"]}}, []) == ["a budget of time"]


def test_help_tells_what_it_does(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["reproduce", "--help"])
    with pytest.raises(SystemExit) as ended:
        reproduce.main()
    assert not ended.value.code
    said = capsys.readouterr().out
    assert "experiments/NAME" in said and "only:" in said
