"""The list of packs, and which runs used them."""

import json

import pytest

from colorization.config import ConfigError
from colorization.data.folder import Folder
from colorization.data.pack import read_index
from colorization.packs import clear, packs, table, usage, users


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
    (folder / "run.json").write_text(json.dumps({"data": record}), encoding="utf-8")
    (folder / "evaluation" / "folder_test" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")


def test_a_pack_knows_the_runs_on_its_pictures(data, tmp_path):
    runs, cache = tmp_path / "runs", tmp_path / "cache"
    ran(runs / "part", data(subset=30))
    ran(runs / "sweep" / "0", data())
    (runs / "other").mkdir()
    record = {"fingerprint": {"train": "0" * 16}, "pictures": {"train": 30}}
    (runs / "other" / "run.json").write_text(json.dumps({"data": record}), encoding="utf-8")
    found = {
        folder.name.split("_")[1]: users(folder, read_index(folder), usage(runs)) for folder in packs(cache)
    }
    assert found == {split: ["part", "sweep/0"] for split in ("train", "val", "test")}
    (runs / "part" / "run.json").unlink()
    assert users(packs(cache)[0], read_index(packs(cache)[0]), usage(runs)) == ["sweep/0"]


def test_the_table_names_packs_and_runs(data, tmp_path):
    ran(tmp_path / "runs" / "mine", data())
    shown = table(tmp_path / "cache", usage(tmp_path / "runs"))
    assert shown.row_count == 3
    assert list(shown.columns[-1].cells) == ["1"] * 3
    assert all(f"{folder.name}: mine" in str(shown.caption) for folder in packs(tmp_path / "cache"))
    assert table(tmp_path / "nowhere", {}).row_count == 0


def test_what_is_unfinished_or_damaged_can_be_cleared(data, tmp_path, caplog):
    cache = tmp_path / "cache"
    data().prepare_data()
    test, train, _ = packs(cache)
    (test / "index.json").unlink()  # as a kill within the first block leaves it
    (train / "index.json").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=f"damaged .*; .*prepare clear={train.name}"):
        read_index(train)
    shown = table(cache, {})
    assert "unfinished" in list(shown.columns[1].cells) and shown.row_count == 2
    assert f"clear={train.name}" in caplog.text
    for folder in (test, train):
        clear(cache, folder.name)
    assert len(packs(cache)) == 1


def test_a_run_without_a_record_is_passed_over(data, tmp_path):
    for name, content in (("cut", '{"da'), ("other", "{}")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "run.json").write_text(content, encoding="utf-8")
    assert usage(tmp_path / "runs") == {}


def test_clear_removes_one_pack_or_all(data, tmp_path):
    cache = tmp_path / "cache"
    data().prepare_data()
    with pytest.raises(ConfigError, match=r"clear=nothing: no such pack in .*; there are: folder_test"):
        clear(cache, "nothing")
    clear(cache, packs(cache)[0].name)
    assert len(packs(cache)) == 2
    clear(cache, "all")
    assert packs(cache) == []
