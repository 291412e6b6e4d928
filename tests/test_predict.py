"""Colouring pictures of every kind at full resolution."""

import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.color import rgb2lab


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """One photo in every mode that people have."""
    folder = tmp_path_factory.mktemp("album")
    photo = Image.fromarray(skimage.data.coffee()).resize((200, 133))
    grey = photo.convert("L")
    grey.save(folder / "grey.png")
    photo.save(folder / "rgb.jpg", quality=95)
    photo.convert("RGBA").save(folder / "rgba.png")
    photo.convert("CMYK").save(folder / "cmyk.jpg")
    photo.convert("P").save(folder / "palette.gif")
    grey.convert("1").save(folder / "bits.png")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(folder / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to look upright
    grey.save(folder / "turned.jpg", exif=exif)
    (folder / "inner").mkdir()
    grey.resize((7, 3)).save(folder / "inner" / "tiny.png")
    return folder


def lightness(path):
    return rgb2lab(np.asarray(Image.open(path).convert("RGB")))[..., 0]


def test_a_whole_album(trained, command, album, tmp_path):
    done = command("predict", album, f"run={trained}", "out=out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.png")}
    expected = {"grey", "rgb", "rgba", "cmyk", "palette", "bits", "deep", "turned", "inner/tiny"}
    assert written == {f"{name}.png" for name in expected}
    assert Image.open(tmp_path / "out/turned.png").size == (133, 200)
    assert Image.open(tmp_path / "out/inner/tiny.png").size == (7, 3)
    for name in ("grey.png", "deep.png"):
        difference = lightness(tmp_path / "out" / name) - lightness(album / "grey.png")
        assert np.abs(difference).max() < 1.0, name  # what rounding to 8 bits can do, no more
    assert np.asarray(Image.open(tmp_path / "out/grey.png")).std(axis=-1).max() > 1, "no colour at all"


def test_what_cannot_be_read_is_named_and_the_rest_is_done(trained, command, album, tmp_path):
    (tmp_path / "broken.jpg").write_bytes((album / "rgb.jpg").read_bytes()[:900])
    (tmp_path / "text.png").write_text("no picture")
    done = command("predict", album / "grey.png", "broken.jpg", "text.png", f"run={trained}", cwd=tmp_path)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "broken.jpg" in said and "text.png" in said and "Traceback" not in said
    assert [p.name for p in (tmp_path / "colorized").iterdir()] == ["grey.png"]


def test_an_input_is_never_overwritten(trained, command, album, tmp_path):
    for name in ("grey.png", "rgb.jpg"):
        (tmp_path / name).write_bytes((album / name).read_bytes())
    (tmp_path / "rgb.png").write_bytes((album / "grey.png").read_bytes())
    before = {p.name: p.read_bytes() for p in tmp_path.glob("*.*")}
    done = command("predict", "grey.png", "rgb.jpg", "rgb.png", f"run={trained}", "out=.", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name, content in before.items():
        assert (tmp_path / name).read_bytes() == content, name
    assert len(list(tmp_path.glob("*.png"))) == 2 + 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "photo.jpg"), (["missing.jpg"], "missing.jpg"), (["EMPTY"], "no pictures"),
     (["x.png", "--fast"], "--fast"), (["GREY", "gamut=round"], "chroma"), (["GREY", "device=tpu"], "cuda")],
)  # fmt: skip
def test_mistakes_are_sentences(trained, command, album, arguments, said, tmp_path):
    (tmp_path / "empty").mkdir()
    places = {"EMPTY": tmp_path / "empty", "GREY": album / "grey.png"}
    done = command("predict", *(places.get(a, a) for a in arguments), f"run={trained}", cwd=tmp_path)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr


def test_without_a_run_it_says_how_to_make_one(command, album, tmp_path):
    done = command("predict", album / "grey.png", cwd=tmp_path)
    assert done.returncode == 1 and "make demo" in done.stderr


@pytest.mark.parametrize("name", ["train", "evaluate", "predict", "compare", "prepare"])
def test_help_is_for_newcomers(command, name, tmp_path):
    done = command(name, "--help", cwd=tmp_path)
    assert done.returncode == 0 and f"python -m colorization.{name}" in done.stdout
