"""The page, in Chromium: photos dropped, cut, clicked, compared, coloured, downloaded."""

import os
import signal
import socket
import tempfile
import time
import zipfile
from dataclasses import replace

import pytest

from colorization.darkroom import marked
from colorization.desk import serving
from colorization.hints.clicks import Click, hexadecimal, read_clicks, write_clicks
from colorization.picture.reading import one
from colorization.picture.writing import Writer
from tests.browser import chromium
from tests.desk.conftest import studio_of


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def other():
    return replace(studio_of("model=cnn", "objective=regression"), name="other")


@pytest.fixture
def tab(studio, other, tmp_path, monkeypatch):
    """The page of a small network in a browser, which saves to downloads/."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for name in (*serving.SILENT, "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")  # so that it is given back
    with (
        serving.served([studio, other], Writer(), "127.0.0.1", free_port()) as address,
        chromium(tmp_path / "profile") as opened,
    ):
        opened.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "downloads"))
        opened.call("Page.navigate", url=address)
        opened.until("!!document.querySelector('input[type=file]')", 60)
        yield opened


def upload(tab, *paths, selector="input[type=file]"):
    root = tab.call("DOM.getDocument")["root"]["nodeId"]
    node = tab.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
    tab.call("DOM.setFileInputFiles", files=list(map(str, paths)), nodeId=node)


def place(tab, x, y):
    """Of a share of the photo in the window, after it has come into view."""
    return tab.ask(
        "(() => { const photo = document.querySelector('.photo'); photo.scrollIntoView();"
        "const box = photo.getBoundingClientRect();"
        f"return [box.left + {x} * box.width, box.top + {y} * box.height]; }})()"
    )


def mouse(tab, *events):
    for kind, (x, y) in events:
        tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)


def downloaded(tab, folder, words, name):
    tab.ask(f"[...document.querySelectorAll('button')].find((b) => b.innerText.trim() === '{words}').click()")
    end = time.monotonic() + 60
    while not (folder / name).exists():
        assert time.monotonic() < end, f"{words}: no {name}"
        time.sleep(0.05)
    return folder / name


def made(studio, photo, folder, *clicks):
    """The bytes that predict writes."""
    (coloured,) = replace(studio.painter, clicks=clicks).colour(one(photo))
    Writer().write(folder / "predicted.png", [marked(coloured, studio.name)])
    return (folder / "predicted.png").read_bytes()


def test_photos_are_dropped_cut_clicked_compared_and_downloaded(tab, studio, other, photo, tmp_path):
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as album:
        album.write(photo, "inner/café.png")
        album.writestr("<b>bad.png", "no picture")
    upload(tab, tmp_path / "album.zip")
    tab.until("document.querySelector('.photo .coloured')?.naturalWidth === 90", 60)
    album = downloaded(tab, tmp_path / "downloads", "Download all 2 as a zip", "album_coloured.zip")
    with zipfile.ZipFile(album) as album:
        assert album.namelist() == ["inner/café.png"]
        assert album.read("inner/café.png") == made(studio, photo, tmp_path)
    tab.until("document.body.innerText.includes('left out: <b>bad.png: no picture that Pillow can read')", 60)

    upload(tab, photo)
    tab.until("document.body.innerText.includes('café.png, 90 x 60 pixels')", 60)
    tab.until("document.querySelectorAll('.samples img').length === 3", 60)

    from_, to = place(tab, 0.5, 0.5), place(tab, 0.9, 0.5)
    mouse(tab, ("mousePressed", from_), ("mouseMoved", to), ("mouseReleased", to))
    assert abs(float(tab.ask("document.querySelector('.wipe input').value")) - 90) <= 1
    assert "asked" not in tab.ask("document.querySelector('.marks').innerHTML"), "a drag is no click"

    at = place(tab, 0.25, 0.51)
    mouse(tab, ("mousePressed", at), ("mouseReleased", at))
    tab.until("document.querySelectorAll('.swatches button').length === 6", 60)
    second = "document.querySelectorAll('.swatches button')[1]"
    colour, percent = tab.ask(f"[{second}.dataset.color, {second}.innerText]")
    expected = studio.painter.likely(one(photo), 22, 30, 6)[1]
    assert colour == hexadecimal(expected.rgb) and percent.rstrip(" %") in f"{100 * expected.probability:.0f}"
    tab.ask(f"{second}.click()")
    tab.until("document.querySelectorAll('.marks .point').length === 1", 60)

    (click,) = read_clicks(downloaded(tab, tmp_path / "downloads", "Save clicks.json", "clicks.json"))
    assert click == Click(22, 30, expected.rgb)
    file = downloaded(tab, tmp_path / "downloads", "Download the photo", "café_coloured.png")
    assert file.read_bytes() == made(studio, photo, tmp_path, click)
    file.unlink()

    loaded = (Click(80, 50, (16, 32, 48)), Click(10, 5, (112, 128, 144)))
    write_clicks(tmp_path / "clicks.json", loaded)
    upload(tab, tmp_path / "clicks.json", selector="input[accept*=json]")
    tab.until("document.querySelectorAll('.marks .point').length === 2", 60)
    ends = "['.left', '.right'].map((name) => document.querySelector(`.wipe ${name}`).innerText)"
    assert tab.ask(ends) == ["small", "other"]
    tab.ask("document.querySelectorAll('input[type=radio]')[1].click()")
    tab.until(f"String({ends}) === 'other,small'", 60)
    tab.until("!document.querySelector('.swatches')", 60)
    file = downloaded(tab, tmp_path / "downloads", "Download the photo", "café_coloured.png")
    assert file.read_bytes() == made(other, photo, tmp_path), "it takes no points"

    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    upload(tab, tmp_path / "text.png")
    tab.until("document.body.innerText.includes('no picture that Pillow can read')", 60)

    asked = tab.ask("performance.getEntriesByType('resource').map((entry) => new URL(entry.name).hostname)")
    assert set(asked) <= {"127.0.0.1", ""}, "the page asks nothing of the network"
    kept = [path for path in (tmp_path / "temporary").rglob("*") if path.is_file() and path.stat().st_size]
    finished = {"album_coloured.zip", "clicks.json", "café_coloured.png"}
    assert {path.name for path in kept} == finished, "uploads are gone once read"


def test_nothing_outlasts_the_page(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in (*serving.SILENT, "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")
    with serving.served([studio], Writer(), "127.0.0.1", free_port()):
        (folder,) = tmp_path.glob("colorization_studio_*")
        (folder / "left.png").touch()
    assert not list(tmp_path.glob("colorization_studio_*"))


def test_two_signals_at_once_end_it(monkeypatch):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def both(seconds):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(time, "sleep", both)
    try:
        serving.until_ended()
        os.kill(os.getpid(), signal.SIGTERM)  # while it clears up
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
