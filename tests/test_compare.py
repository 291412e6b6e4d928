"""Runs side by side: what the command prints, writes and refuses."""

import csv
import io
import json
import re
import shutil
import sys

import numpy as np
import pytest

from colorization import compare
from colorization.report.comparison import CEILINGS, FLOORS
from tests.made import scored_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run, one that is 1 dB worse on every picture and has another width, and one just like the first."""
    folder = tmp_path_factory.mktemp("runs")
    scored_run(folder / "one", gain=0.0)
    scored_run(folder / "worse", gain=-1.0, config={"model": {"width": 16}}, extra={"bits": np.full(40, 5.0)})
    scored_run(folder / "alike", gain=0.0, seed=0, config={"compile": True})
    return folder


@pytest.fixture
def typed(monkeypatch, capsys, runs):
    """Type `python -m colorization.compare ARGUMENTS...` in the runs' folder: exit code or error, output."""

    def run(*arguments, columns=200):
        monkeypatch.chdir(runs)
        monkeypatch.setattr(sys, "argv", ["compare", "resamples=1000", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as ended:
            compare.main()
        return ended.value.code, capsys.readouterr().out

    return run


def table_of(text):
    return {(row["kind"], row["run"], row["metric"]): row for row in csv.DictReader(io.StringIO(text))}


def test_the_terminal_says_what_is_real(typed):
    code, said = typed("one", "worse", "alike")
    assert code == 0
    assert "differences to one" in said
    _, worse, alike = re.split(r"\n +(?:worse|alike) *\n", said)
    assert re.search(r"psnr +-1\.0\d+ .* worse", worse) and re.search(r"psnr .* n\.s\.", alike)
    assert re.search(r"ciede2000 +\+1\.0\d+ .* worse", worse) and "n.s.: not distinguishable" in said
    assert re.search(r"worse +│ +None +│ +16", said) and "The truth's chroma is" in said


@pytest.mark.parametrize("form", ["page", "markdown", "latex", "csv"])
def test_floors_and_ceilings_stand_in_every_table(typed, form, runs):
    code, said = typed("one", f"format={form}", "out=out")
    assert code == 0
    text = said if form == "page" else (runs / "out").read_text(encoding="utf-8")
    names = [*FLOORS.values(), "one", *CEILINGS.values()]
    assert [text.find(name) for name in names] == sorted(text.find(name) for name in names)
    assert all(name in text for name in names)
    if form == "page":
        assert all(f'"{name}"' in (runs / "out").read_text(encoding="utf-8") for name in names)


def test_the_terminal_cuts_no_number_at_80_columns(typed):
    _, said = typed("one", "worse", columns=80)
    _, numbers = typed("one", "worse", "format=markdown")
    rows = [line for line in numbers.splitlines() if line.startswith("| worse | one |")]
    assert len(rows) >= 4 and max(map(len, said.splitlines())) <= 80
    for row in rows:
        *_, metric, difference, interval, p, wins, _, _ = (cell.strip() for cell in row.split("|"))
        assert re.search(rf"{metric} +{re.escape(difference)} +{re.escape(interval)} +{p} +{wins} ", said)


def test_csv_has_the_numbers_to_the_last_digit(typed, runs):
    """Means and differences are those of the tables, over the pictures that have colour."""
    _, text = typed("one", "worse", "format=csv")
    rows = table_of(text)
    psnr = {}
    for name in ("one", "worse"):
        with (runs / name / "evaluation/made_test/pictures.csv").open(encoding="utf-8") as file:
            psnr[name] = np.array([float(r["psnr"]) for r in csv.DictReader(file) if r["grey"] == "0"])
        assert float(rows["run", name, "psnr"]["mean"]) == pytest.approx(psnr[name].mean(), abs=1e-12)
    gap = psnr["worse"] - psnr["one"]
    told = rows["difference", "worse", "psnr"]
    assert float(told["mean"]) == pytest.approx(gap.mean()) and float(told["wins"]) == (gap > 0).mean()
    assert float(told["low"]) < gap.mean() < float(told["high"]) and float(told["p_holm"]) < 0.01
    assert rows["run", "one", "fid"]["mean"] == "50.0" and rows["run", "one", "fid"]["low"] == ""
    assert ("run", "one", "bits") not in rows and rows["run", "worse", "bits"]["mean"] == "5.0"


def test_latex_escapes_what_latex_reads(typed):
    _, text = typed("one", "worse", "format=latex", "metrics=[psnr,ciede2000]")
    assert r"\toprule" in text and r"psnr (dB) $\uparrow$" in text and "ssim" not in text
    assert all("&" in line for line in text.splitlines() if line.endswith(r"\\"))
    assert not re.search(r"(?<!\\)[_#]", re.sub(r"^% .*", "", text, flags=re.M))


def test_markdown_is_a_table(typed):
    _, text = typed("one", "worse", "format=markdown")
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 2
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1 and set(lines[1]) <= set("|- ")


def test_tables_to_read_have_what_the_protocol_reports(typed, runs, tmp_path):
    shutil.copytree(runs / "one", tmp_path / "brief")
    file = tmp_path / "brief/evaluation/made_test/summary.json"
    reported = {"reported": {"psnr": "psnr", "difference": "ciede2000", "colour": "chroma"}}
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | reported), encoding="utf-8")
    _, text = typed(tmp_path / "brief", "format=markdown")
    assert text.splitlines()[0] == "|  | psnr (dB) ↑ | ciede2000 (dE00) ↓ | chroma (CIE) |"
    assert "The truth's chroma is" in text
    assert "ssim" in typed(tmp_path / "brief", "format=csv")[1]
    assert "ssim" in typed(tmp_path / "brief", "format=latex", "metrics=[ssim]")[1]


def test_runs_of_several_seeds_are_told_apart_as_methods(typed, tmp_path):
    for loss, gain in (("l1", 0.0), ("mse", 1.0)):
        for seed in range(3):
            folder = tmp_path / f"ablation_{loss}_{seed}"
            config = {"objective": {"loss": loss}, "data": {"seed": seed}}
            scored_run(folder, gain=gain, seed=seed, noise=0.3, config=config)
    _, text = typed(*sorted(tmp_path.iterdir()), "format=csv")
    rows = table_of(text)
    assert {name for kind, name, _ in rows if kind == "method"} == {"ablation_l1", "ablation_mse"}
    told = rows["difference", "ablation_mse", "psnr"]
    assert told["against"] == "ablation_l1" and float(told["p_holm"]) < 0.05
    assert float(told["low"]) < 1.0 < float(told["high"])
    _, text = typed(*sorted(tmp_path.iterdir()), "format=markdown")
    assert "ablation_mse, 3 seeds" in text and "| ablation_mse | ablation_l1 | psnr |" in text
    assert "| ablation_mse_1 | ablation_l1_0 |" not in text


def test_the_same_run_twice_is_no_second_seed(typed):
    _, text = typed("one", "one", "format=csv")
    rows = table_of(text)
    assert not any(kind == "method" for kind, _, _ in rows)
    told = rows["difference", "one (2)", "psnr"]
    assert (float(told["mean"]), float(told["p_holm"]), float(told["wins"])) == (0.0, 1.0, 0.5)


def rewritten(source, target, change):
    """A copy of a folder of tables with all its rows changed."""
    shutil.copytree(source, target)
    for path in [target / "pictures.csv", *target.glob("baselines/*.csv")]:
        with path.open(encoding="utf-8") as file:
            rows = change(list(csv.DictReader(file)))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return target


def test_a_table_of_any_tool_is_matched_by_name(typed, runs, tmp_path):
    table = runs / "one/evaluation/made_test"
    shuffled = rewritten(table, tmp_path / "shuffled", lambda rows: rows[::-1])
    code, text = typed("one", shuffled, "format=csv")
    told = table_of(text)["difference", "shuffled", "psnr"]
    assert code == 0 and (float(told["mean"]), float(told["p_holm"])) == (0.0, 1.0)


def test_a_metric_that_is_not_defined_everywhere(typed, runs, tmp_path):
    """It is averaged, and compared, over the pictures where it is."""
    holes = [float("nan"), 1.0] * 20
    scored_run(tmp_path / "holed", gain=0.5, extra={"hue": np.array(holes)})
    scored_run(tmp_path / "whole", gain=0.0, extra={"hue": np.full(40, 3.0)})
    _, text = typed(tmp_path / "whole", tmp_path / "holed", "format=csv")
    rows = table_of(text)
    assert float(rows["run", "holed", "hue"]["mean"]) == 1.0
    assert float(rows["difference", "holed", "hue"]["mean"]) == -2.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[1:], "do not list the same pictures"),
        (lambda rows: [row | {"psnr": "inf"} for row in rows], "infinite"),
        (lambda rows: [row | {"psnr": "nan"} for row in rows], "psnr is nan"),
        (lambda rows: [row | {"psnr": ""} for row in rows], "not a number"),
        (lambda rows: [{k: v for k, v in row.items() if k != "grey"} for row in rows], "columns name, grey"),
    ],
)
def test_a_table_that_cannot_be_compared_is_named(typed, runs, tmp_path, change, said):
    odd = rewritten(runs / "one/evaluation/made_test", tmp_path / "odd", change)
    code, _ = typed("one", odd)
    assert said in str(code) and "odd" in str(code)


@pytest.mark.parametrize(("key", "value"), [("fingerprint", "0" * 16), ("protocol", "v0")])
def test_what_does_not_compare_is_refused(typed, runs, tmp_path, key, value):
    shutil.copytree(runs / "worse", tmp_path / "alien")
    file = tmp_path / "alien/evaluation/made_test/summary.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {key: value}), encoding="utf-8")
    code, _ = typed("one", tmp_path / "alien")
    assert key in code and "alien" in code and "do not compare" in code


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("md", "|  |"), ("tex", r"\begin{tabular}"), ("csv", "kind,run"), ("html", "<!doctype")],
)
def test_a_file_holds_what_its_name_ends_in(typed, runs, ending, begins):
    typed("one", f"out=table.{ending}")
    assert (runs / f"table.{ending}").read_text(encoding="utf-8").startswith(begins)


def test_an_evaluation_without_floors_is_to_be_made_again(typed, runs, tmp_path):
    shutil.copytree(runs / "one", tmp_path / "old")
    shutil.rmtree(tmp_path / "old/evaluation/made_test/baselines")
    code, _ = typed(tmp_path / "old")
    assert "evaluate run=" in code and "grey.csv" in code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no run given"), (["none"], "no such run"), (["empty"], "empty: not a run"),
        (["."], "a folder of runs"),
        (["one", "evaluation=foo"], "choose made_test"),
        (["one", "metrics=[psrn]"], "choose from psnr"), (["one", "format=pdf"], "'markdown' or 'latex'"),
        (["one", "wandb:me/run"], "wandb:ENTITY/PROJECT/ID"),
    ],
)  # fmt: skip
def test_mistakes_are_sentences(typed, runs, arguments, said):
    (runs / "empty").mkdir(exist_ok=True)
    code, _ = typed(*arguments)
    assert said in code


def test_a_run_as_training_leaves_it(trained, command):
    done = command("compare", trained, cwd=trained.parent)
    assert done.returncode == 0, done.stderr
    assert "grey (ab = 0)" in done.stdout and (trained.parent / "compare.html").exists()
