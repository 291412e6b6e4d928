"""A local Ray cluster of two workers: tasks run beside each other, end with their codes, can be stopped."""

import signal
import sys
import time

import pytest

from colorization.launcher.base import Task
from colorization.launcher.ray import Ray
from tests.conftest import ROOT

pytest.importorskip("ray")


class Scripted(Task):
    def command(self):
        return [sys.executable, "-c", self.path.read_text(encoding="utf-8")]


def script(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Scripted("run", path, folder / f"{name}.log")


@pytest.fixture
def launcher(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    launcher = Ray(2, tmp_path)
    yield launcher
    launcher.close()


def until(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_two_tasks_beside_each_other_and_one_that_is_stopped(launcher, tmp_path):
    """Each of the first two waits for what the other one writes."""
    wait = "while not pathlib.Path(r'{}').exists(): time.sleep(.05)"
    meet = f"import pathlib, sys, time\npathlib.Path(r'{{}}').touch()\n{wait}\nsys.exit({{}})"
    a, b = tmp_path / "a.met", tmp_path / "b.met"
    running = launcher.start(
        [script(tmp_path, "a", meet.format(a, b, 0)), script(tmp_path, "b", meet.format(b, a, 3))]
    )
    until(lambda: all(task.ended() is not None for task in running))
    assert [task.ended() for task in running] == [0, 3]
    (sleeping,) = launcher.start(
        [script(tmp_path, "c", "print('here', flush=True)\nimport time; time.sleep(100)")]
    )
    until(
        lambda: (tmp_path / "c.log").exists() and "here" in (tmp_path / "c.log").read_text(encoding="utf-8")
    )
    assert sleeping.ended() is None
    sleeping.stop()
    until(lambda: sleeping.ended() is not None)
    assert sleeping.ended() in (-signal.SIGTERM, -signal.SIGKILL)
