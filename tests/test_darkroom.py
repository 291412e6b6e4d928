"""What predict does with a folder: sepia, colour, layers, sketches, what is done already, what was killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageOps

from colorization.picture.layer import LUMA
from colorization.picture.record import LINES, PAGE
from tests.commands import ROOT

PHOTO = Image.fromarray(skimage.data.coffee()).resize((90, 60))


@pytest.fixture
def three(tmp_path):
    """A grey photo, a sepia one and one in colour, losslessly."""
    folder = tmp_path / "album"
    folder.mkdir()
    PHOTO.convert("L").save(folder / "grey.png")
    ImageOps.colorize(PHOTO.convert("L"), "#201008", "#fff4d8").save(folder / "sepia.png")
    PHOTO.save(folder / "colour.png")
    return folder


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def predict(command, tmp_path, *more):
    done = command("predict", "album", "run=box", "size=32", "out=out", *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_what_is_toned_or_coloured_is_kept_or_left_out(command, three, tmp_path):
    said = predict(command, tmp_path, "toned=keep")
    assert "1 are toned and were kept" in said and "1 have colour of their own and were kept" in said
    for name in ("sepia.png", "colour.png"):
        assert np.array_equal(pixels(tmp_path / "out" / name), pixels(three / name))
    assert not np.array_equal(pixels(tmp_path / "out/grey.png"), pixels(three / "grey.png"))
    shutil.rmtree(tmp_path / "out")
    assert "coloured 1 of 3" in predict(command, tmp_path, "toned=skip")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(["grey.png", LINES, PAGE])
    page = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    assert "skipped: is toned" in page and "skipped: has colour of its own" in page


def test_a_second_call_makes_what_is_missing_and_no_more(command, three, tmp_path):
    predict(command, tmp_path)
    made = {path: path.stat().st_ino for path in (tmp_path / "out").glob("*.png")}
    os.link(tmp_path / "out/grey.png", tmp_path / "kept.png")  # so that no new file has its number
    (tmp_path / "out/grey.png").unlink()
    Image.open(three / "sepia.png").rotate(180).save(three / "sepia.png")
    assert "coloured 2 of 3" in (said := predict(command, tmp_path)) and "1 were done before" in said
    changed = {path.name for path, number in made.items() if path.stat().st_ino != number}
    assert changed == {"grey.png", "sepia.png"}
    assert "coloured 3 of 3" in predict(command, tmp_path, "chroma=0.5")


def test_a_layer_over_the_original_is_the_colouring(command, three, tmp_path):
    """As an editor blends "Color": the luma of what lies below, the differences of the layer."""
    predict(command, tmp_path, "layer=true")
    below, coloured = pixels(three / "grey.png") / 255, pixels(tmp_path / "out/grey.png") / 255
    (name,) = [p.name for p in (tmp_path / "out").glob("grey*layer*")]
    layer = pixels(tmp_path / "out" / name) / 255
    blended = layer + (below @ LUMA - layer @ LUMA)[..., None]
    luma = (coloured - below) @ LUMA  # lightness is kept, not luma
    assert np.abs(blended - coloured + luma[..., None]).max() < 2 / 255


def test_a_sketch_colours_what_it_lies_on(command, three, tmp_path):
    sketch = np.zeros((60, 90, 4), np.uint8)
    sketch[20:40, 30:60] = (30, 60, 230, 255)
    Image.fromarray(sketch).save(tmp_path / "sketch.png")
    made = {}
    for name, more in {"alone": [], "told": ["hints=sketch.png"]}.items():
        done = command("predict", "album/grey.png", "run=box", f"out={name}", *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        made[name] = pixels(tmp_path / name / "grey.png")[25:35, 40:50].mean(axis=(0, 1))
    assert made["told"][2] - made["told"][0] > 30 > made["alone"][2] - made["alone"][0]


def test_a_folder_that_was_killed_goes_on(tmp_path):
    """kill -9 after the first pictures: none is half there, and the same command makes the others alone."""
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(40):
        PHOTO.convert("L").rotate(9 * number).save(folder / f"{number:02}.png")
    words = [sys.executable, "-m", "colorization.predict", "album", "run=box", "size=32", "out=out"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    lines = tmp_path / "out" / LINES
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as killed:
        while not (lines.is_file() and lines.read_text(encoding="utf-8").count("\n") > 2):
            assert killed.poll() is None
            time.sleep(0.002)
        killed.send_signal(signal.SIGKILL)
    noted = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert 3 <= len(noted) < 40
    for entry in noted:
        Image.open(tmp_path / "out" / entry["files"][0]).load()
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert f"coloured {40 - len(noted)} of 40" in done.stderr
    assert f"{len(noted)} were done before" in done.stderr
    written = {p.name for p in (tmp_path / "out").iterdir()}
    assert written == {f"{number:02}.png" for number in range(40)} | {LINES, PAGE}
