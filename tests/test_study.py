"""Recorded studies: what is kept of a run, what compare writes beside it, and when it no longer holds."""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from colorization import compare
from colorization.config import ConfigError
from colorization.files import write_text
from colorization.report.reading import read_run
from colorization.report.samples import PERCENTILES, sample_rows
from colorization.run import git as state_of_code
from colorization.run import is_code_of
from colorization.study import BEGIN, END, between_marks, header, outdated, read_results, record_run
from tests.made import scored_run

RECIPE = """# Question: is it better?
# Command:  python -m colorization.train experiment=mine
#           and once more
# Hours:    0.1
# Expected: yes
seed: 0
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of four runs, two methods of two seeds, all recorded."""
    folder = tmp_path / "experiments" / "mine"
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    for loss, gain in (("l1", 0.0), ("mse", 1.0)):
        for seed in range(2):
            run = scored_run(tmp_path / "runs" / f"mine_{loss}_{seed}", gain=gain, seed=seed,
                             config={"objective": {"loss": loss}})  # fmt: skip
            record_run(folder, run, run / "evaluation/made_test")
    monkeypatch.chdir(tmp_path)
    return folder


def compared(monkeypatch, tmp_path, *arguments):
    runs = [str(path) for path in sorted((tmp_path / "runs").iterdir())]
    monkeypatch.setattr(sys, "argv", ["compare", *runs, "format=csv", "resamples=200", *arguments])
    with pytest.raises(SystemExit) as ended:
        compare.main()
    return ended.value.code


def test_a_record_tells_what_made_the_numbers(study, tmp_path):
    results = json.loads((study / "results.json").read_text(encoding="utf-8"))
    assert list(results["runs"]) == ["mine_l1_0", "mine_l1_1", "mine_mse_0", "mine_mse_1"]
    entry = results["runs"]["mine_mse_1"]
    assert entry["run"]["seed"] == 1 and entry["run"]["hardware"]["cpu"] == "made"
    assert entry["run"]["seconds"] == 60 and entry["run"]["git"]["commit"] and "commit" in entry["evaluated"]
    assert entry["scores"]["fingerprint"] == "f" * 16 and entry["scores"]["protocol"] == "v1"
    for metric, (low, high) in entry["scores"]["intervals"].items():
        assert low <= entry["scores"]["metrics"][metric] <= high
    assert entry["scores"]["intervals"].keys() == entry["scores"]["metrics"].keys()


def test_a_record_leaves_out_where_it_was_done(study):
    text = (study / "results.json").read_text(encoding="utf-8")
    assert "PHOTOS" not in text and "run.dir" not in text
    assert read_results(study)["runs"]["mine_l1_1"]["run"]["overrides"] == ["experiment=mine", "seed=1"]


def test_recording_again_replaces_that_run_alone(study, tmp_path):
    before = read_results(study)["runs"]
    run = tmp_path / "runs/mine_l1_0"
    summary = run / "evaluation/made_test/summary.json"
    summary.write_text(
        json.dumps(json.loads(summary.read_text(encoding="utf-8")) | {"pictures": 41}), encoding="utf-8"
    )
    record_run(study, run, run / "evaluation/made_test")
    after = read_results(study)["runs"]
    assert after.pop("mine_l1_0")["scores"]["pictures"] == 41
    assert after == {name: entry for name, entry in before.items() if name != "mine_l1_0"}


def test_a_changed_recipe_makes_results_outdated_and_the_next_record_drops_them(study, tmp_path):
    assert not outdated(study)
    (study / "recipe.yaml").write_text(RECIPE + "budget:\n  epochs: 2\n", encoding="utf-8")
    assert outdated(study)
    run = tmp_path / "runs/mine_l1_0"
    record_run(study, run, run / "evaluation/made_test")
    assert list(read_results(study)["runs"]) == ["mine_l1_0"] and not outdated(study)


def test_scores_without_a_run_are_recorded_too(study, tmp_path):
    table = tmp_path / "runs/mine_l1_0/evaluation/made_test"
    table.rename(tmp_path / "floors")
    record_run(study, None, tmp_path / "floors")
    assert read_results(study)["runs"]["floors"]["run"] is None


def replace(path, old, new):
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda study, run: (study / "recipe.yaml").unlink(), "no recipe.yaml"),
        (lambda study, run: replace(run / "run.json", "experiment=mine", "experiment=my"), "was trained by"),
        (lambda study, run: write_text(study / "results.json", '{"recipe_sha256": "x"}'), "no \"runs\""),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_is_refused(study, tmp_path, spoil, said):
    run = tmp_path / "runs/mine_l1_0"
    spoil(study, run)
    with pytest.raises(ConfigError, match=said):
        record_run(study, run, run / "evaluation/made_test")


def test_compare_writes_a_readme_and_samples(study, tmp_path, monkeypatch, capsys):
    assert compared(monkeypatch, tmp_path, "record=experiments/mine") == 0
    text = (study / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# mine\n") and "- **Question**: is it better?" in text
    assert "`python -m colorization.train experiment=mine`; and once more" in text
    assert (
        "| mine_mse | mine_l1 | psnr | +1.0" in text
        and "grey (ab = 0)" in text
        and "| objective.loss |" in text
    )
    assert "000000000000 |" in text and "1.0 min" in text
    sheet = Image.open(study / "samples.jpg")
    assert sheet.width == 4 * 164 - 4  # grey, one run of each method, truth
    told = read_results(study)["comparison"]
    assert told["seeds"]["mine_mse"] == ["mine_mse_0", "mine_mse_1"]
    assert {d["metric"] for d in told["differences"]} >= {"psnr", "ssim"}


def test_what_is_written_by_hand_stays(study, tmp_path, monkeypatch, capsys):
    (study / "README.md").write_text("# My study\n\nBefore.\n", encoding="utf-8")
    compared(monkeypatch, tmp_path, "record=experiments/mine")
    first = (study / "README.md").read_text(encoding="utf-8")
    (study / "README.md").write_text(first + "\nAfter.\n", encoding="utf-8")
    compared(monkeypatch, tmp_path, "record=experiments/mine")
    again = (study / "README.md").read_text(encoding="utf-8")
    assert again.startswith("# My study\n\nBefore.\n") and again.endswith(f"{END}\n\nAfter.\n")
    assert again.count(BEGIN) == again.count(END) == 1


def test_a_run_that_is_not_recorded_yet_is_by_what_made_its_evaluation(study, tmp_path, monkeypatch, capsys):
    before = read_results(study)["runs"]
    evaluated = {"commit": "e" * 40, "dirty": False, "versions": {}, "hardware": {}}
    summary = scored_run(tmp_path / "runs/mine_new") / "evaluation/made_test/summary.json"
    known = json.loads(summary.read_text(encoding="utf-8"))
    summary.write_text(json.dumps(known | {"evaluated": evaluated}), encoding="utf-8")
    assert compared(monkeypatch, tmp_path, "record=experiments/mine") == 0
    after = read_results(study)["runs"]
    assert after.pop("mine_new")["evaluated"] == evaluated and after == before


def test_a_run_of_another_study_is_not_written_about(study, tmp_path, monkeypatch):
    run = scored_run(tmp_path / "runs/a_new_one")
    replace(run / "run.json", "experiment=mine", "experiment=my")
    assert "a_new_one is not recorded" in compared(monkeypatch, tmp_path, "record=experiments/mine")
    assert not (study / "README.md").exists()


def test_samples_are_chosen_by_their_rule(tmp_path):
    run = read_run(scored_run(tmp_path / "run", pictures=64), "made_test")
    psnr = run.values["psnr"]
    for i, percent in zip(sample_rows([run]), PERCENTILES, strict=True):
        counted = psnr[run.coloured]
        assert abs(np.mean(counted <= psnr[i]) * 100 - percent) < 3 and run.coloured[i]


def test_marks_and_headers():
    assert between_marks("# T\n", "x") == f"# T\n\n{BEGIN}\n\nx\n\n{END}\n"
    assert header("# @package _global_\n" + RECIPE).splitlines()[-1] == "- **Expected**: yes"
    assert yaml.safe_load(RECIPE) == {"seed": 0}


def test_what_recording_writes_is_no_change_of_the_code(tmp_path, monkeypatch):
    def git(*words):
        person = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", tmp_path, *person, *words], check=True)

    for name in ("colorization/run.py", "experiments/mine/recipe.yaml", "experiments/mine/results.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before", encoding="utf-8")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        git(*words)
    monkeypatch.setattr("colorization.run.PACKAGE", tmp_path / "colorization")
    (tmp_path / "experiments/mine/results.json").write_text("after", encoding="utf-8")
    commit = state_of_code()["commit"]
    assert commit and not state_of_code()["dirty"] and is_code_of(commit)
    for name in ("colorization/run.py", "experiments/mine/recipe.yaml", "colorization/new.py"):
        (tmp_path / name).write_text("after", encoding="utf-8")
        assert state_of_code()["dirty"], name
        (tmp_path / name).unlink() if "new" in name else (tmp_path / name).write_text(
            "before", encoding="utf-8"
        )
    (tmp_path / "colorization/run.py").write_text("after", encoding="utf-8")
    git("commit", "-q", "-a", "-m", "other code")
    assert not is_code_of(commit) and is_code_of(state_of_code()["commit"]) and not is_code_of("0" * 40)
