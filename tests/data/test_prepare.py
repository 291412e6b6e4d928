"""The list of packs, and which runs used them."""

import json

import pytest

from colorization.config import ConfigError
from colorization.data.folder import Folder
from colorization.data.pack import read_index
from colorization.prepare import clear, packs, table, used, users


@pytest.fixture
def data(tree, tmp_path):
    return lambda **settings: Folder(
        root=str(tree), image_size=16, cache_dir=str(tmp_path / "cache"), **settings
    )


def ran(folder, data, scored="test"):
    """What a run on these pictures leaves."""
    trained = {split: data.pack(split) for split in ("train", "val")}
    record = {
        "fingerprint": {split: pack.fingerprint for split, pack in trained.items()},
        "pictures": {split: len(pack) for split, pack in trained.items()},
    }
    summary = {"pictures": len(data.pack(scored)), "fingerprint": data.pack(scored).fingerprint}
    (folder / "evaluation" / "folder_test").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"data": record}))
    (folder / "evaluation" / "folder_test" / "summary.json").write_text(json.dumps(summary))


def test_a_pack_knows_the_runs_on_its_pictures(data, tmp_path):
    runs, cache = tmp_path / "runs", tmp_path / "cache"
    ran(runs / "part", data(subset=30))
    ran(runs / "sweep" / "0", data())
    (runs / "other").mkdir()
    record = {"fingerprint": {"train": "0" * 16}, "pictures": {"train": 30}}
    (runs / "other" / "run.json").write_text(json.dumps({"data": record}))
    found = {
        folder.name.split("_")[1]: users(folder, read_index(folder), used(runs)) for folder in packs(cache)
    }
    assert found == {split: ["part", "sweep/0"] for split in ("train", "val", "test")}
    (runs / "part" / "run.json").unlink()
    assert users(packs(cache)[0], read_index(packs(cache)[0]), used(runs)) == ["sweep/0"]


def test_the_table_names_packs_and_runs(data, tmp_path):
    ran(tmp_path / "runs" / "mine", data())
    shown = table(tmp_path / "cache", used(tmp_path / "runs"))
    assert shown.row_count == 3
    assert list(shown.columns[-1].cells) == ["1"] * 3
    assert all(f"{folder.name}: mine" in str(shown.caption) for folder in packs(tmp_path / "cache"))
    assert table(tmp_path / "nowhere", {}).row_count == 0


def test_clear_removes_one_pack_or_all(data, tmp_path):
    cache = tmp_path / "cache"
    data().prepare_data()
    with pytest.raises(ConfigError, match=r"clear=nothing: no such pack in .*; there are: folder_test"):
        clear(cache, "nothing")
    clear(cache, packs(cache)[0].name)
    assert len(packs(cache)) == 2
    clear(cache, "all")
    assert packs(cache) == []
