"""Streaming from a loopback object store."""

import json
import subprocess
import sys

import numpy as np
import pytest

import colorization.data
from colorization.data.folder import Folder
from colorization.data.module import SPLITS
from colorization.data.sampler import Sampler
from colorization.data.stream import Stream, StreamFeed
from tests.conftest import ROOT
from tests.data.objectstore import serving

pytest.importorskip("litdata")
shards = pytest.importorskip("colorization.data.shards")

URL = "s3://bucket/pictures"
COUNT = 98  # training pictures of the tree


@pytest.fixture(scope="module")
def packed(tree, tmp_path_factory):
    """The pictures before they were written."""
    return Folder(root=str(tree), image_size=16, cache_dir=str(tmp_path_factory.mktemp("packs")))


@pytest.fixture
def store(packed, monkeypatch):
    """An object store that holds them in shards of about ten."""
    with serving() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("colorization.data.stream.SAMPLE", 8)
        shards.write(packed, URL, size=10_000)
        yield made


@pytest.fixture
def stream(store, tmp_path):
    return lambda **settings: Stream(**{"root": URL, "image_size": 16, "cache_dir": str(tmp_path)} | settings)


@pytest.fixture
def feed(stream, monkeypatch):
    """The loader of one rank among several, as if each were a process."""

    def made(rank, world, batch_size=4, epoch=0, state=None):
        monkeypatch.setenv("GLOBAL_RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", str(world))
        sampler = Sampler(COUNT, batch_size, 0, rank, world, epoch=epoch)
        loader = StreamFeed(stream()._shards("train"), sampler)
        if state:
            loader.load_state_dict(state)
        return loader

    return made


def positions(loader):
    return [i for batch in loader for i in batch["index"].tolist()]


def test_it_holds_what_was_packed(stream, packed):
    for split in SPLITS:
        there, here = stream().pack(split), packed.pack(split)
        assert there.names == here.names
        assert there.fingerprint == here.fingerprint
        assert len(there) == len(here)
        assert np.array_equal(there.pictures, here.pictures[:8] if split == "train" else here.pictures)


def test_what_is_there_is_not_written_again(store, packed, caplog):
    before = dict(store.objects)
    store.objects["/bucket/pictures/train/chunk-0-0.bin"] = b"not touched"
    with caplog.at_level("INFO"):
        shards.write(packed, URL)
    assert "holds these pictures already" in caplog.text
    assert store.objects == before | {"/bucket/pictures/train/chunk-0-0.bin": b"not touched"}


def test_batches_are_the_pictures_of_their_positions(stream, packed):
    pictures = packed.pack("train").pictures
    data = stream(batch_size=8)
    loader = data.train_dataloader()
    seen = []
    for batch in loader:
        assert np.array_equal(batch["picture"], pictures[batch["index"]])
        assert batch["crop"].shape == (8, 3) and batch["crop"][:, :2].max() <= 2
        assert data.on_after_batch_transfer(batch, 0).L.shape == (8, 1, 16, 16)
        seen += batch["index"].tolist()
    assert len(loader) == COUNT // 8
    assert len(seen) == len(set(seen)) == COUNT // 8 * 8
    assert all(set(batch) == {"index", "picture"} for batch in data.val_dataloader())


def test_the_order_is_of_seed_and_epoch_alone(stream, tmp_path):
    def order(epoch, **settings):
        loader = stream(**settings).train_dataloader()
        loader.sampler.set_epoch(epoch)
        return positions(loader)

    first = order(0)
    assert order(0, cache_dir=str(tmp_path / "elsewhere")) == first
    assert order(1) != first and order(0, seed=1) != first
    assert first != sorted(first)


def test_a_subset_is_the_first_pictures(stream, packed):
    data = stream(subset=40, batch_size=8)
    assert data.pack("train").names == packed.pack("train").names[:40]
    assert sorted(positions(data.train_dataloader())) == list(range(40))


@pytest.mark.parametrize("world", [2, 3])
def test_the_ranks_share_an_epoch(feed, world):
    parts = [positions(feed(rank, world)) for rank in range(world)]
    whole = [i for part in parts for i in part]
    assert {len(part) for part in parts} == {COUNT // (4 * world) * 4}
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize(("world", "batch_size"), [(3, 4), (2, 4), (1, 8), (4, 2)])
def test_an_epoch_begun_by_three_goes_on_with_another_number(feed, world, batch_size):
    seen, state = [], None
    for rank in range(3):
        loader = feed(rank, 3, epoch=1)
        batches = iter(loader)
        seen += [i for _ in range(2) for i in next(batches)["index"].tolist()]
        state = loader.state_dict()
        batches.close()
    rest = [i for rank in range(world) for i in positions(feed(rank, world, batch_size, 1, state))]
    assert len(rest) >= COUNT - len(seen) - world * batch_size
    assert len(set(seen + rest)) == len(seen) + len(rest)


def test_two_processes_go_on_within_an_epoch_at_the_same_picture(store, tmp_path):
    arguments = [sys.executable, "-m", "tests.data.streaming", URL, tmp_path / "cache", tmp_path]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    ranks = [json.loads((tmp_path / f"{rank}.json").read_text(encoding="utf-8")) for rank in range(2)]
    for whole, rest in ranks:
        assert rest == whole[10:]
    for epoch in range(3):
        shared = [i for whole, _ in ranks for when, index, _ in whole if when == epoch for i in index]
        assert len(shared) == len(set(shared)) == COUNT // 16 * 16


def test_prepare_writes_and_train_streams(command, small, photos, cache, tmp_path):
    with serving() as store:
        data = [f"data.cache_dir={tmp_path}/cache", "data.image_size=32"]
        source = ["data=folder", f"data.root={photos}", *data]
        written = command("prepare", *source, f"stream={URL}", cwd=tmp_path, **store.environment)
        assert written.returncode == 0, written.stderr
        assert f"python -m colorization.train data=stream data.root={URL}" in written.stderr
        settings = [s for s in small if not s.startswith("data")]
        streamed = ["data=stream", f"data.root={URL}", *data, "data.batch_size=8", "run.dir=run"]
        done = command("train", *streamed, *settings, cwd=tmp_path, **store.environment)
        assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    local = Folder(root=str(photos), cache_dir=f"{tmp_path}/cache", image_size=32)
    assert record["data"]["fingerprint"]["train"] == local.fingerprint("train")
    assert record["data"]["pictures"]["train"] == len(local.pack("train"))
    assert (tmp_path / "run" / "metrics.json").exists()


def test_a_damaged_shard_is_one_error_that_names_it(store, stream, capfd, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    name = "/bucket/pictures/train/chunk-0-4.bin"
    good = store.objects[name]
    for bad in (good[:-1], good[:50] + bytes([good[50] ^ 1]) + good[51:]):
        store.objects[name] = bad
        loader = stream().train_dataloader()
        with pytest.raises(OSError, match=r"train/chunk-0-4.bin is damaged: \d+ bytes .* came"):
            list(loader)
    assert "Traceback" not in capfd.readouterr().err


def test_what_is_missing_is_named(store, stream):
    del store.objects["/bucket/pictures/train/chunk-0-4.bin"]
    with pytest.raises(FileNotFoundError, match=r"train/chunk-0-4.bin is not there"):
        list(stream().train_dataloader())
    with pytest.raises(FileNotFoundError, match=r"s3://bucket/other: no stream.json there; .*prepare"):
        stream(root="s3://bucket/other").pack("train")
    with pytest.raises(FileNotFoundError, match=r"data.root is not given"):
        stream(root=None).pack("train")
    store.objects["/bucket/pictures/stream.json"] = b"<html>"
    with pytest.raises(ValueError, match=r"stream.json is none of this program's"):
        stream().pack("val")


def test_other_pictures_than_asked_for_are_refused(stream, store, tree, tmp_path):
    with pytest.raises(ValueError, match=r"data.image_size=18: the val pictures at .* have 16 pixels a side"):
        stream(image_size=18, load_size=18).pack("val")
    with pytest.raises(ValueError, match=r"data.load_size=16: .*pass data.load_size=18"):
        stream(load_size=16).pack("train")
    with pytest.raises(ValueError, match=r"data.fit=stretch"):
        stream(fit="stretch").pack("train")
    with pytest.raises(ValueError, match=r"data.resident=true"):
        stream(resident=True)
    other = Folder(root=str(tree), image_size=8, cache_dir=str(tmp_path))
    with pytest.raises(ValueError, match=r"other pictures lie there"):
        shards.write(other, URL)


def test_without_the_extra_it_says_what_to_install(stream, monkeypatch):
    monkeypatch.setitem(sys.modules, "litdata", None)
    for name in ("shards", "litdata"):
        monkeypatch.delitem(sys.modules, f"colorization.data.{name}", raising=False)
        monkeypatch.delattr(colorization.data, name, raising=False)
    with pytest.raises(ValueError, match=r"pip install '[a-z-]+\[stream\]'"):
        stream().pack("train")
