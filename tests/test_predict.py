"""Colouring pictures of every kind at full resolution."""

import json

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from skimage.color import rgb2lab

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.predict import anneal, can_sample, chosen, planned
from tests.model.released import ReleasedECCV16, ReleasedSIGGRAPH17, random_weights


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


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of the released layout: a network with a distribution over bins."""
    path = tmp_path_factory.mktemp("released") / "eccv16.pth"
    torch.save(random_weights(ReleasedECCV16()).state_dict(), path)
    return path


def test_released_weights_draw_samples_of_one_lightness(weights, command, album, tmp_path):
    arguments = [album / "grey.png", f"weights={weights}", "model=eccv16", "size=24", "samples=2"]
    for out in ("one", "again"):
        done = command("predict", *arguments, f"out={out}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "one").iterdir()} == {"grey_1.png", "grey_2.png"}
    first, second, again = (
        np.asarray(Image.open(tmp_path / name))
        for name in ("one/grey_1.png", "one/grey_2.png", "again/grey_1.png")
    )
    assert np.array_equal(first, again) and not np.array_equal(first, second)
    for name in ("grey_1.png", "grey_2.png"):
        assert np.abs(lightness(tmp_path / "one" / name) - lightness(album / "grey.png")).max() < 1.0


def test_a_sample_overwrites_no_input(tmp_path):
    for name in ("a.jpg", "a_1.png"):
        (tmp_path / name).touch()
    jobs = planned([tmp_path / "a.jpg", tmp_path / "a_1.png"], tmp_path, samples=2)
    names = [[target.name for target in job.targets] for job in jobs]
    assert names == [["a_1_jpg.png", "a_2.png"], ["a_1_1.png", "a_1_2.png"]]
    assert [job.targets for job in planned([tmp_path / "a.jpg"], tmp_path)] == [(tmp_path / "a.png",)]


def test_a_low_temperature_is_vivid(weights):
    _, _, colorizer = chosen(composed("predict", [f"weights={weights}"]))
    L = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 100
    chroma = []
    for temperature in (2.0, 1.0, 0.3, 0.05):
        anneal(colorizer, temperature, samples=0)
        with torch.no_grad():
            chroma.append(colorizer(L).norm(dim=1).mean().item())
    assert chroma == sorted(chroma) and chroma[-1] > 1.5 * chroma[0]


@pytest.mark.parametrize(
    ("temperature", "samples", "said"),
    [(0.0, 0, "above 0"), (-1.0, 0, "above 0"), (0.5, 2, "one of the two")],
)
def test_a_temperature_that_cannot_be_is_named(weights, temperature, samples, said):
    _, _, colorizer = chosen(composed("predict", [f"weights={weights}"]))
    with pytest.raises(ConfigError, match=said):
        anneal(colorizer, temperature, samples)


def test_what_a_regression_cannot_do_is_said():
    colorizer = build.colorizer(composed("train", ["model=cnn", "objective=regression"]))
    with pytest.raises(ConfigError, match=r"regression, has none.*objective=classification"):
        anneal(colorizer, 0.2, samples=0)
    with pytest.raises(ValueError, match="objective=classification"):
        colorizer.objective.sample(colorizer.network, Given(torch.zeros(1, 1, 8, 8)), 2)
    with pytest.raises(ConfigError, match=r"samples=2: regression gives one colouring.*classification"):
        can_sample(colorizer, 2)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("size=abc", "size='abc': should be a whole number from 1"), ("size=0", "from 1"),
        ("batch_size=0", "from 1"), ("samples=-1", "from 0"), ("gamut=wide", "'chroma' or 'clip'"),
        ("temperature=warm", "should be a number or null"), ("device=tpu", "'cpu' or 'cuda'"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_named_before_anything_is_read(setting, said):
    with pytest.raises(ConfigError, match=said):
        composed("predict", [setting])


def test_an_output_that_is_a_file_is_named(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ConfigError, match="is a file; give a folder"):
        planned([tmp_path / "out"], tmp_path / "out")


def test_clicks_colour_a_picture(command, album, tmp_path):
    """Every file of the way: an authors' network, a picture, and the points that a person made in it."""
    network = random_weights(ReleasedSIGGRAPH17())
    torch.save(network.state_dict(), tmp_path / "siggraph17.pth")
    clicks = {"clicks": [{"x": 100, "y": 60, "color": "#d03020"}]}
    (tmp_path / "clicks.json").write_text(json.dumps(clicks))
    asked = [album / "grey.png", "weights=siggraph17.pth", "size=64"]
    for out, hints in (("without", []), ("with", ["hints=clicks.json"])):
        done = command("predict", *asked, *hints, f"out={out}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    without, hinted = (np.asarray(Image.open(tmp_path / out / "grey.png")) for out in ("without", "with"))
    assert not np.array_equal(without, hinted)
    done = command("predict", *asked, "hints=none.json", cwd=tmp_path)
    assert done.returncode == 1 and "hints=none.json: no such file; it should hold" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run=runs/RUN", "weights=FILE"], "give one of them"),
        (["weights=FILE", "model=siggraph17"], "are of ECCV16, not of SIGGRAPH17"),
        (["model=eccv16"], "a run knows its network"),
        (["weights=none.pth"], "no such file"),
    ],
)
def test_weights_that_do_not_fit_are_named(weights, arguments, said):
    with pytest.raises(ConfigError, match=said):
        chosen(composed("predict", [argument.replace("FILE", str(weights)) for argument in arguments]))


@pytest.mark.parametrize("name", ["train", "evaluate", "predict", "compare", "prepare"])
def test_help_is_for_newcomers(command, name, tmp_path):
    done = command(name, "--help", cwd=tmp_path)
    assert done.returncode == 0 and f"python -m colorization.{name}" in done.stdout
