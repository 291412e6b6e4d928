"""The page, in Chromium: a photo dropped, cut, clicked, coloured, downloaded."""

import os
import signal
import socket
import tempfile
import time
from dataclasses import replace

import pytest

from colorization.darkroom import marked
from colorization.desk import serving
from colorization.hints.clicks import Click, hexadecimal, read_clicks
from colorization.picture.reading import one
from colorization.picture.writing import Writer
from tests.browser import chromium


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def tab(studio, tmp_path, monkeypatch):
    """The page of a small network in a browser, which saves to downloads/."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for name in (*serving.SILENT, "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")  # so that it is given back
    with (
        serving.served(studio, Writer(), "127.0.0.1", free_port()) as address,
        chromium(tmp_path / "profile") as opened,
    ):
        opened.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "downloads"))
        opened.call("Page.navigate", url=address)
        opened.until("!!document.querySelector('input[type=file]')", 60)
        yield opened


def upload(tab, path):
    root = tab.call("DOM.getDocument")["root"]["nodeId"]
    node = tab.call("DOM.querySelector", nodeId=root, selector="input[type=file]")["nodeId"]
    tab.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)


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


def test_a_photo_is_dropped_cut_clicked_and_downloaded(tab, studio, photo, tmp_path):
    upload(tab, photo)
    tab.until("document.querySelector('.photo .coloured')?.naturalWidth === 90", 60)
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
    (made,) = replace(studio.painter, clicks=[click]).colour(one(photo))
    Writer().write(tmp_path / "predicted.png", [marked(made, "small")])
    assert file.read_bytes() == (tmp_path / "predicted.png").read_bytes()

    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    upload(tab, tmp_path / "text.png")
    tab.until("document.body.innerText.includes('no picture that Pillow can read')", 60)

    asked = tab.ask("performance.getEntriesByType('resource').map((entry) => new URL(entry.name).hostname)")
    assert set(asked) <= {"127.0.0.1", ""}, "the page asks nothing of the network"
    kept = [path for path in (tmp_path / "temporary").rglob("*") if path.is_file() and path.stat().st_size]
    assert {path.name for path in kept} == {"clicks.json", "café_coloured.png"}, "uploads are gone once read"


def test_nothing_outlasts_the_page(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in (*serving.SILENT, "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")
    with serving.served(studio, Writer(), "127.0.0.1", free_port()):
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
