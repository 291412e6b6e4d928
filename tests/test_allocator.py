"""What a process does with memory that it has freed, counted by its page faults."""

import os
import subprocess
import sys

from tests.conftest import ROOT

TOUCH = """
import ctypes, resource
from colorization.allocator import keep_memory

def faults(count):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        bytearray(2**26)  # 64 MiB, every page of which is written
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

apart = faults(4)
taken = keep_memory()
faults(1)
print(taken, apart, faults(4))
"""


def run(**environment):
    plain = {
        name: value for name, value in os.environ.items() if "MALLOC" not in name and "GLIBC" not in name
    }
    command = [sys.executable, "-c", TOUCH]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=plain | environment
    )
    taken, *counts = done.stdout.split()
    return taken == "True", *map(int, counts)


def test_freed_memory_is_found_again_without_a_fault():
    taken, before, after = run()
    assert taken and before >= 64 and after < before / 10  # 64: pages of 4 MiB, at most


def test_settings_of_the_environment_stay():
    assert run(MALLOC_ARENA_MAX="1")[0] is False


def test_another_c_library_is_left_alone(monkeypatch):
    from colorization import allocator

    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    assert allocator.keep_memory() is False


def test_training_asks_for_it(trains, monkeypatch):
    asked = []
    monkeypatch.setattr("colorization.training.keep_memory", lambda: asked.append(True))
    trains("budget.steps=1")
    assert asked == [True]
