"""How runs stand, from their folders alone."""

import json
import os
import socket
import subprocess

import pytest

from colorization.report.status import runs_below, span, standing

NOW = 1_000_000.0


def made(folder, status="running", beat=None, age=0.0, rows="", scored=False):
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"status": status}), encoding="utf-8")
    (folder / "metrics.csv").write_text("seconds,val/psnr\n" + rows, encoding="utf-8")
    if beat is not None:
        about = {
            "host": "elsewhere",
            "process": 1,
            "progress": 0.25,
            "pictures": 800,
            "watch": "psnr",
            "best": 21.5,
        }
        (folder / "heartbeat.json").write_text(json.dumps(about | beat), encoding="utf-8")
    if scored:
        (folder / "metrics.json").write_text("{}", encoding="utf-8")
    for path in folder.iterdir():
        os.utime(path, (NOW - age, NOW - age))
    return folder


def gone():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("state", "how"),
    [
        ("running", {"beat": {}}),
        ("starting", {}),
        ("stuck", {"beat": {}, "age": 121.0}),
        ("stuck", {"age": 121.0}),
        ("killed", {"beat": {"host": socket.gethostname(), "process": "gone"}}),
        ("running", {"beat": {"host": socket.gethostname(), "process": os.getpid()}}),
        ("stopped", {"status": "stopped", "beat": {}, "age": 1e5}),
        ("failed", {"status": "failed", "beat": {}}),
        ("scoring", {"status": "finished", "beat": {}}),
        ("stuck", {"status": "finished", "beat": {}, "age": 121.0}),
        ("finished", {"status": "finished", "beat": {}, "age": 1e5, "scored": True}),
    ],
)
def test_every_state(tmp_path, state, how):
    if how.get("beat", {}).get("process") == "gone":
        how = how | {"beat": how["beat"] | {"process": gone()}}
    assert standing(made(tmp_path / "run", **how), 120.0, NOW).state == state


def test_what_a_running_one_tells(tmp_path):
    run = standing(made(tmp_path / "run", beat={}, age=30.0, rows="50.0,21.5\n100.0,21.0\n"), 120.0, NOW)
    assert (run.age, run.pictures, run.progress, run.best) == (30.0, 800, 0.25, "psnr 21.5")
    assert run.left == pytest.approx(300.0)  # a quarter took 100 s


def test_runs_are_found_however_deep_and_no_run_is_searched(tmp_path):
    for name in ("a", "sweep/0_x", "sweep/1_y", "a/evaluation/run"):
        made(tmp_path / name)
    assert [str(path.relative_to(tmp_path)) for path in runs_below([tmp_path])] == [
        "a",
        "sweep/0_x",
        "sweep/1_y",
    ]


def test_spans():
    assert [span(s) for s in (0, 59, 60, 3700, 90000)] == ["0 s", "59 s", "1 min", "1 h", "1 d"]


def test_the_command_looks_below_runs(command, trained, tmp_path):
    done = command("status", trained.parent, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout and done.stdout.strip().endswith("1 finished")
    done = command("status", tmp_path / "nowhere", cwd=tmp_path)
    assert done.returncode == 1 and "no such folder" in done.stderr
