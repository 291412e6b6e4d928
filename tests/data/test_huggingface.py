"""Data sets that the test writes: saved, as Parquet, and as a folder of pictures."""

import pickle
import shutil

import numpy as np
import pytest

from colorization.data.decode import open_square
from colorization.data.huggingface import HubPictures, HuggingFace
from tests.data.conftest import encoded

datasets = pytest.importorskip("datasets")

PICTURES = [encoded(i) for i in range(60)]


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """The same pictures in each form that `datasets` loads."""
    folder = tmp_path_factory.mktemp("huggingface")

    def split(pictures):
        rows = {
            "image": [{"bytes": data, "path": None} for data in pictures],
            "label": list(range(len(pictures))),
        }
        return datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())

    train, test = split(PICTURES[:50]), split(PICTURES[50:])
    datasets.DatasetDict(train=train, test=test).save_to_disk(str(folder / "saved"))
    (folder / "parquet").mkdir()
    train.to_parquet(folder / "parquet" / "train-00000.parquet")
    test.to_parquet(folder / "parquet" / "test-00000.parquet")
    for name, pictures in (("train", PICTURES[:50]), ("test", PICTURES[50:])):
        (folder / "pictures" / name).mkdir(parents=True)
        for i, data in enumerate(pictures):
            (folder / "pictures" / name / f"{i:03}.jpg").write_bytes(data)
    return folder


def data(root, tmp_path, **settings):
    return HuggingFace(root=str(root), image_size=16, cache_dir=str(tmp_path), **settings)


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("kind", ["saved", "parquet", "pictures"])
def test_every_form_gives_the_same_pictures(roots, tmp_path, kind):
    made = data(roots / kind, tmp_path, load_size=16)
    pack = made.pack("test")
    assert pack.names == [f"{i:08}" for i in range(10)]
    for picture, encoded_picture in zip(pack.pictures, PICTURES[50:], strict=True):
        assert np.array_equal(picture, open_square(encoded_picture, 16)[0])
    train, val = made.pack("train"), made.pack("val")
    assert len(train) == 45 and len(val) == 5
    assert sorted(train.names + val.names) == [f"{i:08}" for i in range(50)]
    for name, picture in zip(train.names, train.pictures, strict=True):
        assert np.array_equal(picture, open_square(PICTURES[int(name)], 16)[0])


def test_the_form_does_not_decide_the_fingerprint(roots, tmp_path):
    fingerprints = {
        data(roots / kind, tmp_path).fingerprint("test") for kind in ("saved", "parquet", "pictures")
    }
    assert len(fingerprints) == 1


def test_without_a_split_to_score_on_a_tenth_is_held_out(roots, tmp_path):
    datasets.load_from_disk(str(roots / "saved"))["train"].save_to_disk(str(tmp_path / "lone"))
    made = data(tmp_path / "lone", tmp_path)
    names = [made.pack(split).names for split in ("train", "val", "test")]
    assert [len(part) for part in names] == [41, 4, 5]
    assert len(set().union(*names)) == 50


def test_listing_opens_no_picture_and_sources_travel_to_workers(roots, tmp_path):
    rows = data(roots / "saved", tmp_path).sources()["test"]
    again = pickle.loads(pickle.dumps(rows))
    assert again.names == rows.names and again.describe() == rows.describe()
    assert again.read("00000003") == PICTURES[53]


def test_an_unreadable_cell_is_skipped_by_name(tmp_path):
    cells = [{"bytes": data, "path": None} for data in PICTURES[:30]]
    cells[4], cells[7] = {"bytes": PICTURES[4][:200], "path": None}, None
    made = datasets.Dataset.from_dict({"image": cells}).cast_column("image", datasets.Image())
    datasets.DatasetDict(train=made, test=made).save_to_disk(str(tmp_path / "damaged"))
    pack = data(tmp_path / "damaged", tmp_path).pack("test")
    assert len(pack) == 28
    assert [name for name, _ in pack.skipped] == ["00000004", "00000007"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"column": "label"}, "data.column=label: not a column of pictures; there are image, label"),
        ({"test": "dev"}, "data.test=dev: no such split; there are train, test"),
        ({"val_size": 0}, "data.val_size=0"),
    ],
)
def test_a_wrong_setting_says_what_there_is(roots, tmp_path, settings, said):
    with pytest.raises(ValueError, match=said):
        data(roots / "saved", tmp_path, **settings).sources()


def test_a_split_without_rows_is_named():
    features = datasets.Features({"image": datasets.Image()})
    with pytest.raises(ValueError, match="mine test image: a split without rows"):
        HubPictures(datasets.Dataset.from_dict({"image": []}, features=features), "image", ["mine", "test"])


def test_what_cannot_be_loaded_is_one_sentence(roots, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data.root is not given"):
        HuggingFace().sources()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="datasets cannot load it"):
        data(tmp_path / "empty", tmp_path).sources()
    shutil.copytree(roots / "saved", tmp_path / "two")
    two = datasets.load_from_disk(str(tmp_path / "two"))
    two.map(lambda row: {"other": row["image"]}).cast_column("other", datasets.Image()).save_to_disk(
        str(tmp_path / "three")
    )
    with pytest.raises(ValueError, match=r"2 columns of pictures.*data.column=NAME"):
        data(tmp_path / "three", tmp_path).sources()
