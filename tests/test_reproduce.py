"""A study made by the test is run again by the command, and comes out the same or is caught."""

import json
import math
import shutil
import subprocess
import sys

import pytest

from colorization import compose, config, reproduce
from colorization.config import ConfigError
from colorization.reproduce import ABSENT, INSIDE, OTHER, OUTSIDE, SAME, UNJUDGED, judged, loosened, verdict
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
    (folder / "experiments/tiny").mkdir(parents=True)
    (folder / "experiments/tiny/recipe.yaml").write_text(RECIPE)

    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        person = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", folder, *person, *words], check=True)

    def typed(name, *arguments):
        return command(name, *arguments, cwd=folder, PYTHONPATH=str(folder))

    for done in (
        typed("train", "experiment=tiny", "seed=3", "data.cache_dir=cache", "run.dir=runs/tiny_3"),
        typed("evaluate", "run=runs/tiny_3", "metric=[]", "record=experiments/tiny"),
    ):
        assert done.returncode == 0, done.stdout + done.stderr
    return folder, typed


def test_a_study_comes_out_to_the_digit(checkout):
    folder, typed = checkout
    done = typed("reproduce", "experiments/tiny", "data.cache_dir=cache", "out=again")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny_3: must come to the digit" in done.stdout
    results = json.loads((folder / "experiments/tiny/results.json").read_text())
    (entry,) = results["runs"].values()
    assert done.stdout.count(SAME) == len(entry["scores"]["metrics"]) + len(entry["scores"]["set_metrics"])
    assert f"{entry['scores']['metrics']['psnr']:.6f}" in done.stdout and "+0.000000" in done.stdout
    again = json.loads((folder / "again/tiny/tiny_3/run.json").read_text())
    assert again["seed"] == 3 and "experiment=tiny" in again["overrides"]


def test_another_training_is_caught(checkout):
    """A changed learning rate stands for whatever makes a run not come out again."""
    _, typed = checkout
    done = typed("reproduce", "experiments/tiny", "data.cache_dir=cache", "out=other", "optimizer.lr=0.1")
    assert done.returncode == 1 and OTHER in done.stdout, done.stdout + done.stderr


@pytest.fixture
def typed_here(checkout, monkeypatch):
    """Type the command in this process: what it says when it ends before any training."""

    def run(*arguments):
        folder, _ = checkout
        for module in (config, compose):
            monkeypatch.setattr(module, "EXPERIMENTS", folder / "experiments")
        monkeypatch.setattr(reproduce, "_python", lambda *arguments: pytest.fail("something was started"))
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["reproduce", *arguments])
        with pytest.raises(SystemExit) as ended:
            reproduce.main()
        return str(ended.value.code)

    return run


def test_mistakes_are_found_before_any_training(typed_here, checkout):
    folder, _ = checkout
    said = typed_here("experiments/tiny", "optimizer.ll=0.1")
    assert "optimizer.ll" in said and "did you mean" in said
    assert "choose from tiny_3" in typed_here("experiments/tiny", "only=[tiny_4]")
    assert "no results.json" in typed_here("experiments")
    assert "give one study" in typed_here()
    (folder / "taken/tiny/tiny_3").mkdir(parents=True)
    assert "is there already" in typed_here("experiments/tiny", "out=taken")


def test_a_changed_recipe_is_not_run_again(typed_here, checkout):
    recipe = checkout[0] / "experiments/tiny/recipe.yaml"
    recipe.write_text(RECIPE + "watch: ssim\n")
    said = typed_here("experiments/tiny")
    recipe.write_text(RECIPE)
    assert "recipe has changed" in said


@pytest.mark.parametrize(
    ("now", "bounds", "by_digit", "expected"),
    [
        (24.0, [23.9, 24.1], True, SAME), (24.0000001, [23.9, 24.1], True, OTHER),
        (24.05, [23.9, 24.1], False, INSIDE), (24.2, [23.9, 24.1], False, OUTSIDE),
        (25.0, None, False, UNJUDGED), (24.0, None, False, SAME),
        (math.nan, [23.9, 24.1], True, ABSENT),
    ],
)  # fmt: skip
def test_verdicts(now, bounds, by_digit, expected):
    assert verdict(24.0, now, bounds, by_digit) == expected


def entry(**scores):
    run = {"data": {"fingerprint": {"train": "t", "val": "v"}}}
    about = {"fingerprint": "f", "metrics": {"psnr": 24.0}, "set_metrics": {"fid": 50.0}}
    return {"run": run, "scores": about | {"intervals": {"psnr": [23.5, 24.5]}} | scores}


def test_other_pictures_are_not_compared():
    summary = {"fingerprint": "f", "metrics": {"psnr": 24.2}, "set_metrics": {"fid": 51.0}}
    told = judged("mine", entry(), summary, False, entry()["run"])
    assert [(o.metric, o.verdict, o.reproduced) for o in told] == [
        ("psnr", INSIDE, True),
        ("fid", UNJUDGED, True),
    ]
    curve = {"hints_curve": {"0": 24.0, "10": 25.0}}
    told = judged("mine", entry(**curve), summary | curve, True, entry()["run"])
    assert [(o.metric, o.verdict) for o in told[2:]] == [("psnr_0_hints", SAME), ("psnr_10_hints", SAME)]
    with pytest.raises(ConfigError, match="scored on other pictures"):
        judged("mine", entry(), summary | {"fingerprint": "g"}, False, entry()["run"])
    with pytest.raises(ConfigError, match="trained on other pictures"):
        judged("mine", entry(), summary, False, {"data": {"fingerprint": {"train": "u", "val": "v"}}})


def test_digits_are_wanted_of_the_recorded_code_machine_and_versions_alone(monkeypatch):
    here = {
        "hardware": {"cpu": "x", "cores": 1, "gpu": None},
        "versions": {"torch": "2"},
        "git": {"commit": "c0ffee"},
        "overrides": ["budget.epochs=null", "budget.steps=3"],
    }
    monkeypatch.setattr(reproduce, "provenance", lambda: here)
    monkeypatch.setattr(reproduce, "is_code_of", lambda commit: commit == "c0ffee")
    assert loosened({"run": here}, []) == []
    assert loosened({"run": None, "evaluated": here | {"commit": "c0ffee"}}, []) == []
    assert loosened({"run": here | {"versions": {"torch": "3"}}}, []) == ["other versions"]
    other = "other code; git checkout c0c0a -- colorization conf brings it back"
    assert loosened({"run": here | {"git": {"commit": "c0c0a"}}}, []) == [other]
    assert loosened({"run": here | {"overrides": ["budget.time=10m"]}}, []) == ["a budget of time"]


def test_help_tells_what_it_does(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["reproduce", "--help"])
    with pytest.raises(SystemExit, match="None"):
        reproduce.main()
    said = capsys.readouterr().out
    assert "experiments/NAME" in said and "only:" in said
