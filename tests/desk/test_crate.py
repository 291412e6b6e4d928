"""Photos dropped together: what is taken, what is refused, and the zip that becomes of them."""

import shutil
import struct
import zipfile
from threading import Thread
from time import sleep

import gradio as gr
import pytest
from PIL import Image

from colorization.config import InputError
from colorization.darkroom import marked
from colorization.desk import crate as crates
from colorization.desk.answers import Answers
from colorization.desk.crate import Crate
from colorization.desk.table import Table
from colorization.picture.reading import one
from colorization.picture.writing import Writer


def packed(path, members):
    """A zip of these; a member's content is a file or bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, bytes) else content.read_bytes())
    return path


@pytest.fixture
def place(tmp_path):
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def test_names_and_folders_are_kept_and_the_photos_are_those_of_predict(studio, photo, place, tmp_path):
    Image.new("L", (20, 30), 90).save(tmp_path / "small.gif")
    members = {"a/one.png": photo, "a\\b/two.gif": tmp_path / "small.gif", "a/bad.jpg": b"no picture",
               "notes.txt": b"", "__MACOSX/a/._one.png": b""}  # fmt: skip
    loose = shutil.copy(photo, tmp_path / "loose.png")
    dropped = [packed(tmp_path / "album.zip", members), loose]
    crate = Crate(dropped, place, Writer(), largest=1)
    assert crate.name == "photos" and crate.faults == ["notes.txt: no picture"]
    assert not any(path.exists() for path in dropped), "what was dropped is moved"
    sitting = crate.open(studio)
    sitting.vivid, sitting.chroma = 0.5, 1.2
    outcomes = list(crate.coloured(sitting, tmp_path / "made.zip"))
    faults = [crate.named(outcome.fault) for outcome in outcomes if outcome.fault]
    assert faults == ["a/bad.jpg: no picture that Pillow can read"]

    with studio.painter.colorizer.objective.decoded(vivid=0.5, chroma=1.2):
        (expected,) = studio.painter.colour(one(photo))
    Writer().write(tmp_path / "predicted.png", [marked(expected, "small")])
    with zipfile.ZipFile(tmp_path / "made.zip") as made:
        assert sorted(made.namelist()) == ["a/b/two.png", "a/one.png", "loose.png"]
        assert made.testzip() is None
        for name in ("a/one.png", "loose.png"):
            assert made.read(name) == (tmp_path / "predicted.png").read_bytes()
    assert len(list(place.iterdir())) == 1
    del crate
    assert not list(place.iterdir()), "nothing outlasts the crate"


def test_what_leads_out_of_the_folder_is_too_large_or_lies_is_left_out(studio, photo, place, tmp_path):
    bomb = bytes(3_000_000)
    out = ["../up.png", "/top.png", "..\\back.png", "C:\\drive.png"]
    members = dict.fromkeys(["fine.png", "fine.png/inner.png", *out], photo)
    members |= {"large.png": bomb, "lies.png": bomb}
    path = packed(tmp_path / "album.zip", members)
    whole = path.read_bytes()
    said, says = struct.pack("<L", len(bomb)), struct.pack("<L", 100)
    entry = whole.rindex(b"lies.png")  # in the directory, which declares 24 bytes before the name
    path.write_bytes(whole[: entry - 46] + whole[entry - 46 : entry].replace(said, says) + whole[entry:])
    before = {each for each in tmp_path.rglob("*") if place not in each.parents}
    crate = Crate([path], place, Writer(), largest=2)
    assert [each.source.name for each in crate.photos] == ["fine.png"] and crate.name == "album"
    left = dict(fault.split(": ", 1) for fault in crate.faults)
    outside = {name for name, why in left.items() if why == "its name leads out of the folder"}
    assert outside == set(out)
    assert "more than largest=2 megabytes" in left["large.png"] and "damaged" in left["lies.png"]
    assert left["fine.png/inner.png"]
    assert {each for each in tmp_path.rglob("*") if place not in each.parents} == before - {path}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PHOTOS": 1}, "2 photos of .* megabytes, unpacked; at most 1 and"),
        ({"ROOM": 0}, "2 photos of .*predict FOLDER"),
    ],
)
def test_more_than_is_taken_at_a_time_is_refused_whole(photo, place, tmp_path, monkeypatch, change, words):
    for name, value in change.items():
        monkeypatch.setattr(crates, name, value)
    path = packed(tmp_path / "album.zip", {"a.png": photo, "b.png": photo})
    with pytest.raises(InputError, match=words):
        Crate([path], place, Writer(), largest=1)
    assert not list(place.iterdir())


def test_where_there_is_no_photo_each_file_is_named(studio, place, tmp_path):
    (tmp_path / "torn.zip").write_bytes(b"PK no zip")
    packed(tmp_path / "letters.zip", {"a.txt": b"", "__MACOSX/b.png": b""})
    with pytest.raises(InputError, match=r"^torn.zip: a damaged .*; letters.zip: no photos"):
        Crate([tmp_path / "torn.zip", tmp_path / "letters.zip"], place, Writer(), largest=1)
    bad = packed(tmp_path / "bad.zip", {f"{n:02}.png": b"none" for n in range(12)})
    with pytest.raises(InputError, match=r"^00.png: no picture that .*; 09.png: [^;]*; and 2 more$"):
        Crate([bad], place, Writer(), largest=1).open(studio)
    assert not list(place.iterdir())


def test_a_crate_under_way_ends_with_the_page(studio, photo, place, tmp_path):
    crate = Crate([packed(tmp_path / "album.zip", {"a.png": photo, "b.png": photo})], place, Writer(), 1)
    answers = Answers([studio], Writer(), place, largest=1)
    steps = answers.all(Table([studio], crate.open(studio), crate))
    assert [next(steps)[1]["done"] for _ in range(2)] == [0, 1]
    ending = Thread(target=answers.shift.end)
    ending.start()
    while not answers.shift.over:
        sleep(0.01)
    assert ending.is_alive(), "it waits for what is under way"
    with pytest.raises(gr.Error, match="the studio has ended"):
        next(steps)
    ending.join(10)
    assert not ending.is_alive()
    with pytest.raises(gr.Error, match="the studio has ended"):
        answers.saved(None)
    assert not list(place.rglob("*.zip*"))
