"""Runs side by side: the tables, the refusals, and the page in a real browser."""

import csv
import json
import re
import shutil
import subprocess

import pytest
import yaml
from PIL import Image


@pytest.fixture(scope="module")
def two(trained, tmp_path_factory):
    """A trained run and a copy of it that is worse on every picture and has another width."""
    folder = tmp_path_factory.mktemp("two")
    for name in ("one", "other"):
        shutil.copytree(trained, folder / name)
    config = yaml.safe_load((folder / "other/config.yaml").read_text())
    config["model"]["width"] = 16
    (folder / "other/config.yaml").write_text(yaml.safe_dump(config))
    table = folder / "other/evaluation/folder_test/pictures.csv"
    with table.open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["psnr"] = str(float(row["psnr"]) - 1)
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_the_terminal_says_what_is_real(two, command):
    done = command("compare", "one", "other", cwd=two)
    assert done.returncode == 0, done.stderr
    assert "-1.000" in done.stdout and "not distinguishable" in done.stdout and "wins 0%" in done.stdout
    assert re.search(r"model\.width.*8.*16", done.stdout) and "grey (ab = 0)" in done.stdout


@pytest.mark.parametrize(
    ("form", "mark"), [("markdown", "| other |"), ("latex", r"\toprule"), ("csv", "other,psnr,dB")]
)
def test_formats(two, command, form, mark):
    done = command("compare", "one", "other", f"format={form}", "out=table.txt", cwd=two)
    assert done.returncode == 0, done.stderr
    assert mark in done.stdout and (two / "table.txt").read_text() == done.stdout


def test_a_table_folder_of_any_tool_counts_as_a_run(two, command):
    done = command("compare", "one/evaluation/folder_test", "other", cwd=two)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("key", "value"), [("fingerprint", "0" * 16), ("protocol", "v0")])
def test_what_does_not_compare_is_refused(two, command, tmp_path, key, value):
    shutil.copytree(two / "other", tmp_path / "alien")
    file = tmp_path / "alien/evaluation/folder_test/summary.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    done = command("compare", two / "one", "alien", cwd=tmp_path)
    assert (
        done.returncode == 1
        and key in done.stderr
        and "alien" in done.stderr
        and "Traceback" not in done.stderr
    )


def rewritten(source, target, change):
    """A copy of a folder of tables with its rows changed."""
    shutil.copytree(source, target)
    for name in ("pictures.csv", "grey.csv"):
        with (target / name).open() as file:
            rows = list(csv.DictReader(file))
        rows = change(rows)
        with (target / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return target


def test_rows_are_matched_by_name(two, command, tmp_path):
    tables = two / "one/evaluation/folder_test"
    rewritten(tables, tmp_path / "shuffled", lambda rows: rows[::-1])
    done = command("compare", tables, "shuffled", "format=csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("shuffled,psnr")]
    difference, p, wins = (float(line.split(",")[i]) for i in (6, 9, 10))
    assert (difference, p, wins) == (0.0, 1.0, 0.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[1:], "do not list the same pictures"),
        (lambda rows: [row | {"psnr": "inf"} for row in rows], "not finite"),
        (lambda rows: [row | {"psnr": ""} for row in rows], "not a number"),
        (lambda rows: [{k: v for k, v in row.items() if k != "grey"} for row in rows], "columns name, grey"),
    ],
)
def test_a_table_that_cannot_be_compared_is_named(two, command, tmp_path, change, said):
    tables = two / "one/evaluation/folder_test"
    rewritten(tables, tmp_path / "odd", change)
    done = command("compare", tables, "odd", cwd=tmp_path)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "no run given"), (["none"], "no such run"), (["empty"], "evaluate run=empty")],
)
def test_mistakes_are_sentences(two, command, arguments, said):
    (two / "empty").mkdir(exist_ok=True)
    done = command("compare", *arguments, cwd=two)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr


def test_the_page_needs_nothing_but_itself(two, command):
    assert command("compare", "one", "other", cwd=two).returncode == 0
    text = (two / "compare.html").read_text()
    outside = set(re.findall(r"https?://[^\"'\s]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not outside and len(text) < 2_000_000


def test_the_page_in_a_browser(two, command, tmp_path):
    """Chromium runs the page's scripts, on a desktop's and on a phone's screen."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "this test opens the page in Chromium: apt-get install chromium"
    assert command("compare", "one", "other", cwd=two).returncode == 0
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync",
               f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=4000"]  # fmt: skip
    address = (two / "compare.html").as_uri()
    dumped = subprocess.run(
        [chromium, *options, "--dump-dom", address], capture_output=True, text=True, timeout=120, check=True
    )
    dom = dumped.stdout
    assert (
        dom.count('class="row"') == len(list((two / "one/evaluation/folder_test/truth").iterdir()))
        and "not distinguishable" in dom
    )
    assert dom.count("<circle") > 4 and "<polyline" in dom and dom.count("<canvas") == 3
    for name, size in (("desktop", "1280,2400"), ("phone", "390,2400")):
        shot = tmp_path / f"{name}.png"
        subprocess.run([chromium, *options, f"--window-size={size}", f"--screenshot={shot}", address],
                       capture_output=True, timeout=120, check=True)  # fmt: skip
        assert len(Image.open(shot).convert("L").getcolors(100_000)) > 20
