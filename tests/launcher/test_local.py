"""Cores and devices are shared out; processes end with what they were told."""

import os
import time

from hypothesis import given
from hypothesis import strategies as st

from colorization.launcher.base import Task
from colorization.launcher.child import child
from colorization.launcher.local import gpus, shares


@given(st.integers(1, 64), st.integers(1, 16))
def test_every_core_has_one_owner_where_there_are_enough(cores, jobs):
    shared = shares(range(cores), jobs)
    assert len(shared) == jobs and all(shared)
    everybody = [core for share in shared for core in share]
    assert set(everybody) <= set(range(cores))
    if cores >= jobs:
        assert sorted(everybody) == list(range(cores))
        assert max(map(len, shared)) - min(map(len, shared)) <= 1


def test_gpus_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert gpus() == ["3", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus() == []


class Sleeping(Task):
    def command(self):
        script = "import time, sys; print('here', flush=True); time.sleep(30)"
        return [os.sys.executable, "-c", script]


def test_what_a_cluster_says_reaches_the_task(tmp_path):
    import signal
    import threading

    log = tmp_path / "log"

    def tell():
        while not (log.exists() and "here" in log.read_text(encoding="utf-8")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    threading.Thread(target=tell, daemon=True).start()
    before = signal.getsignal(signal.SIGUSR1)
    assert child(Sleeping("run", tmp_path / "x", log)) == -signal.SIGUSR1
    assert signal.getsignal(signal.SIGUSR1) == before
