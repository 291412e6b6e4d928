"""Every name of litdata that the adapter takes, so that another version of it fails here and not in a run."""

import inspect
import tomllib
from importlib.metadata import version
from itertools import chain

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

pytest.importorskip("litdata")
from litdata import StreamingDataset
from litdata.streaming import reader
from litdata.streaming.downloader import Downloader, get_downloader
from litdata.streaming.writer import BinaryWriter

from colorization.data import litdata
from tests.conftest import ROOT

ARGUMENTS = {
    "input_dir",
    "shuffle",
    "seed",
    "max_cache_size",
    "item_shuffle_window",
    "batch_decode",
    "storage_options",
}


@pytest.fixture
def stream(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    files = [path.name for path in litdata.shards(pictures, tmp_path, 1000)]
    assert files[-1] == "index.json" and len(files) > 3
    return StreamingDataset(str(tmp_path), shuffle=True, batch_decode=0, item_shuffle_window=0)


def test_only_versions_below_the_next_minor_are_installed():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    pins = [r.specifier for r in map(Requirement, chain(*extras.values())) if r.name == "litdata"]
    major, minor = Version(version("litdata")).release[:2]
    assert len(pins) == 2
    assert all(version("litdata") in pin and f"{major}.{minor + 1}" not in pin for pin in pins)


def test_its_constructors_take_what_they_are_given():
    assert set(inspect.signature(StreamingDataset).parameters) >= ARGUMENTS
    assert "chunk_bytes" in inspect.signature(BinaryWriter).parameters


def test_posix_fast_is_read_where_it_is_set(stream):
    assert hasattr(stream, "posix_fast")
    assert "self.posix_fast is not None" in inspect.getsource(StreamingDataset)


def test_its_state_has_what_another_number_of_ranks_changes(stream):
    stream.set_epoch(2)
    state = stream.state_dict(4, 1, 1)
    assert state["num_samples_yielded"] == state["sample_in_epoch"] == 4
    assert state["world_size"] == state["initial_world_size"] == 1 and state["current_epoch"] == 2
    stream.load_state_dict(state)
    stream.reset_state_dict()
    assert (stream.distributed_env.global_rank, stream.distributed_env.world_size) == (0, 1)
    assert len(stream.subset(slice(0, 5))) == 5


def test_its_downloader_has_the_options_and_tells_of_a_file(tmp_path):
    downloader = get_downloader(f"{litdata.SCHEME}s3://bucket", str(tmp_path), [], {"stamps": {"a": (1, 2)}})
    assert isinstance(downloader, litdata.Checked)
    assert downloader._storage_options["stamps"] == {"a": (1, 2)}
    assert callable(Downloader._notify_published)


def test_a_crash_of_its_thread_goes_through_the_name_that_is_replaced():
    assert reader.PrepareChunksThread._report_crash is litdata._log_crash
    assert "self._report_crash(exc)" in inspect.getsource(reader.PrepareChunksThread.run)
