import errno
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from colorization.data import pack as packing
from colorization.data.decode import UnreadablePicture, open_square
from colorization.data.pack import pack
from colorization.data.source import Tree


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(packing, "BLOCK", 8)


def packed(root, cache, **settings):
    return pack(Tree(root), 16, cache, "set", **settings)


def test_a_pack_holds_the_pictures_in_order(tree, tmp_path):
    made = packed(tree, tmp_path, workers=2)
    assert made.names == Tree(tree).names
    assert made.pictures.shape == (120, 16, 16, 3)
    for i in range(0, 120, 13):
        assert np.array_equal(made.pictures[i], open_square(tree / made.names[i], 16)[0])


def test_workers_and_blocks_do_not_matter(tree, tmp_path, small_blocks):
    one, two = (packed(tree, tmp_path / str(n), workers=n) for n in (1, 3))
    assert np.array_equal(one.pictures, two.pictures)
    assert one.fingerprint == two.fingerprint


def test_without_fork_or_a_choice_of_cores_it_is_the_same_pack(tree, tmp_path, monkeypatch):
    here = packed(tree, tmp_path / "here")
    monkeypatch.setattr("sys.platform", "darwin")  # which starts workers afresh
    monkeypatch.delattr("os.sched_getaffinity")
    there = packed(tree, tmp_path / "there")
    assert there.fingerprint == here.fingerprint
    assert np.array_equal(there.pictures, here.pictures)


def test_a_larger_subset_extends(tree, tmp_path, monkeypatch):
    first = packed(tree, tmp_path, count=30)
    before = first.pictures.copy()
    decoded = []
    original = packing.Decoding.blocks
    monkeypatch.setattr(
        packing.Decoding, "blocks", lambda self, names, n: decoded.extend(names) or original(self, names, n)
    )
    second = packed(tree, tmp_path, count=100)
    assert decoded == Tree(tree).names[30:100]
    assert second.folder == first.folder
    assert np.array_equal(second.pictures[:30], before)
    assert packed(tree, tmp_path, count=30).fingerprint == first.fingerprint != second.fingerprint
    assert len(packed(tree, tmp_path, count=1000)) == 120


def test_the_fingerprint_does_not_know_the_place(tree, tmp_path):
    copy = shutil.copytree(tree, tmp_path / "copy")
    assert packed(tree, tmp_path / "a").fingerprint == packed(copy, tmp_path / "b").fingerprint
    shutil.copy(copy / "001.jpg", copy / "002.jpg")
    assert packed(tree, tmp_path / "a").fingerprint != packed(copy, tmp_path / "b").fingerprint


def test_unreadable_pictures_are_skipped_and_named(tree, tmp_path, caplog):
    root = shutil.copytree(tree, tmp_path / "set")
    (root / "001.jpg").write_bytes(b"no")
    (root / "005.jpg").write_bytes((root / "005.jpg").read_bytes()[:300])
    made = packed(root, tmp_path / "cache")
    assert len(made) == 118
    assert [name for name, _ in made.skipped] == ["001.jpg", "005.jpg"]
    assert "skipped 001.jpg: no picture that Pillow can read" in caplog.text
    assert made.names == [name for name in Tree(root).names if name not in ("001.jpg", "005.jpg")]
    assert packed(root, tmp_path / "cache", count=2).skipped == made.skipped[:1]
    for cache in (tmp_path / "cache", tmp_path / "fresh"):
        with pytest.raises(UnreadablePicture, match=r"001.jpg"):
            packed(root, cache, on_error="raise")


def test_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"none of 1 pictures could be read; the first: a.jpg"):
        packed(tmp_path, tmp_path / "cache")


class Deadly(Tree):
    """A folder one of whose pictures crashes its decoder."""

    def read(self, name):
        if name == "011.jpg" and multiprocessing.parent_process():
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().read(name)


def test_a_crashing_decoder_costs_one_picture(tree, tmp_path):
    made = pack(Deadly(tree), 16, tmp_path, "set", workers=2)
    assert made.skipped == [("011.jpg", "its decoder crashed or ran out of memory")]
    assert len(made) == 119


def test_too_little_space_is_foreseen(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 1000))
    with pytest.raises(OSError, match=r"no space left .* GB are needed"):
        packed(tree, tmp_path)


def test_a_full_disk_is_survived(tree, tmp_path, monkeypatch, small_blocks):
    expected = packed(tree, tmp_path / "other")
    original, writes = os.fsync, []

    def full(descriptor):
        writes.append(descriptor)
        if len(writes) == 13:  # three for each block
            raise OSError(errno.ENOSPC, "No space left on device")
        original(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"no space left .* 32 pictures are packed and stay"):
            packed(tree, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    assert (folder / "pictures.bin").stat().st_size == 32 * 16 * 16 * 3
    assert np.array_equal(packed(tree, tmp_path / "cache").pictures, expected.pictures)


SLOW = """
import sys, time
from pathlib import Path
from colorization.data import pack as packing
from colorization.data.source import Tree
packing.BLOCK = 8
class Slow(Tree):
    def read(self, name):
        time.sleep(0.002)
        return super().read(name)
print("begun", flush=True)
print(packing.pack(Slow(Path(sys.argv[1])), 16, Path(sys.argv[2]), "set", workers=2).fingerprint)
"""


def started(tree, cache):
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, tree, cache], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_killed_at_any_moment_it_goes_on(tree, tmp_path):
    expected = packed(tree, tmp_path / "whole")
    moments = np.random.default_rng(0).uniform(0.0, 0.2, 8)
    for moment in moments:
        process = started(tree, tmp_path / "cache")
        process.stdout.readline()
        time.sleep(moment)
        process.kill()
        process.wait()
        for folder in (tmp_path / "cache").glob("*"):
            index = packing.read_index(folder)
            assert index is None or (folder / "pictures.bin").stat().st_size >= index.pictures * 768
    made = packed(tree, tmp_path / "cache")
    assert np.array_equal(made.pictures, expected.pictures)
    assert (made.folder / "rows.jsonl").read_bytes() == (expected.folder / "rows.jsonl").read_bytes()
    assert made.fingerprint == expected.fingerprint


def test_two_at_once_make_one_pack(tree, tmp_path):
    both = [started(tree, tmp_path / "cache") for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    expected = packed(tree, tmp_path / "other")
    assert outputs == [f"begun\n{expected.fingerprint}\n".encode()] * 2
    assert np.array_equal(packed(tree, tmp_path / "cache").pictures, expected.pictures)


def test_a_damaged_pack_says_how_to_remove_it(tree, tmp_path):
    folder = packed(tree, tmp_path).folder
    os.truncate(folder / "pictures.bin", 1000)
    with pytest.raises(ValueError, match=f"is damaged .* clear={folder.name}"):
        packed(tree, tmp_path)


def test_the_index_tells_what_the_pack_is(tree, tmp_path):
    made = packed(tree, tmp_path)
    index = json.loads((made.folder / "index.json").read_text(encoding="utf-8"))
    assert index["pictures"] == index["taken"] == index["total"] == 120
    assert set(index["libraries"]) == {"pillow", "numpy"}
    first = json.loads((made.folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first == ["001.jpg", 60, 40, (tree / "001.jpg").stat().st_size]
