"""Colouring pictures of every kind at full resolution."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from skimage.color import rgb2lab

from colorization import build
from colorization.album import photos
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.darkroom import Darkroom
from colorization.data.decode import UnreadablePicture
from colorization.data.source import Tree
from colorization.module import Colorizer
from colorization.painter import network, painter
from colorization.picture.reading import one
from colorization.picture.record import LINES, PAGE
from colorization.picture.writing import Writer
from colorization.released import save
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
    written = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    kept = {str(p.relative_to(album)) for p in album.rglob("*.*")} - {"palette.gif"}
    assert written == kept | {"palette.png", "report.html", "predict.jsonl"}
    assert Image.open(tmp_path / "out/turned.jpg").size == (133, 200)
    assert Image.open(tmp_path / "out/inner/tiny.png").size == (7, 3)
    for name in ("grey.png", "deep.png"):
        difference = lightness(tmp_path / "out" / name) - lightness(album / "grey.png")
        assert np.abs(difference).max() < 1.0, name  # what rounding to 8 bits can do, no more
    assert np.asarray(Image.open(tmp_path / "out/grey.png")).std(axis=-1).max() > 1, "no colour at all"


def test_what_cannot_be_read_is_named_and_the_rest_is_done(trained, command, album, tmp_path):
    (tmp_path / "broken.jpg").write_bytes((album / "rgb.jpg").read_bytes()[:900])
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    done = command("predict", album / "grey.png", "broken.jpg", "text.png", f"run={trained}", cwd=tmp_path)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "broken.jpg" in said and "text.png" in said and "Traceback" not in said
    assert [p.name for p in (tmp_path / "colorized").glob("*.[pj][np]g")] == ["grey.png"]
    page = (tmp_path / "colorized" / "report.html").read_text(encoding="utf-8")
    assert "text.png: no picture that Pillow can read" in page and page.count("data:image/jpeg") == 2


def test_an_input_is_never_overwritten(trained, command, album, tmp_path):
    for name in ("grey.png", "rgb.jpg"):
        (tmp_path / name).write_bytes((album / name).read_bytes())
    (tmp_path / "rgb.png").write_bytes((album / "grey.png").read_bytes())
    before = {p.name: p.read_bytes() for p in tmp_path.glob("*.*")}
    done = command("predict", "grey.png", "rgb.jpg", "rgb.png", f"run={trained}", "out=.", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name, content in before.items():
        assert (tmp_path / name).read_bytes() == content, name
    assert len([*tmp_path.glob("*.png"), *tmp_path.glob("*.jpg")]) == 3 + 3


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
    assert {p.name for p in (tmp_path / "one").iterdir()} == {"grey_1.png", "grey_2.png", "grey_sheet.jpg"}
    assert Image.open(tmp_path / "one/grey_sheet.jpg").size == (2 * (200 + 8) + 8, 2 * (133 + 8) + 8)
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
    planned = photos([tmp_path / "a.jpg", tmp_path / "a_1.png"], tmp_path, samples=2)
    names = [[target.name for target in photo.targets] for photo in planned]
    assert names == [["a_1.jpg", "a_2.jpg"], ["a_1_1.png", "a_1_2.png"]]
    png = Writer("png")
    planned = photos([tmp_path / "a.jpg", tmp_path / "a_1.png"], tmp_path, 2, png)
    names = [[target.name for target in photo.targets] for photo in planned]
    assert names == [["a.jpg_1.png", "a.jpg_2.png"], ["a_1_1.png", "a_1_2.png"]]
    assert [p.targets for p in photos([tmp_path / "a.jpg"], tmp_path, 0, png)] == [(tmp_path / "a.png",)]
    assert photos([tmp_path / "a.jpg"], tmp_path)[0].targets == (tmp_path / "a.jpg.jpg",)


def test_a_low_temperature_is_vivid(weights):
    chroma = []
    for temperature in (2.0, 1.0, 0.3, 0.05):
        _, chosen = painter(composed("predict", [f"weights={weights}", f"temperature={temperature}"]), 1)
        L = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 100
        with torch.no_grad():
            chroma.append(chosen.colorizer(L).norm(dim=1).mean().item())
    assert chroma == sorted(chroma) and chroma[-1] > 1.5 * chroma[0]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("temperature=0", "choose more than 0"), ("temperature=-1", "choose more than 0"),
        ("temprature=1", "temprature.*did you mean temperature"),
    ],
)  # fmt: skip
def test_a_decoding_that_cannot_be_is_named(weights, asked, said):
    with pytest.raises(ConfigError, match=said):
        painter(composed("predict", [f"weights={weights}", asked]), 1)


@pytest.fixture
def regression(tmp_path):
    """A checkpoint of a network that gives one colouring."""
    cfg = composed("train", ["model=cnn", "objective=regression", "data=scenes", "logger=csv"])
    save(cfg, Colorizer(*build.parts(cfg)), tmp_path / "regression.ckpt")
    return tmp_path / "regression.ckpt"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("temperature=0.2", "no setting of Regression's decoding"),
        ("samples=2", r"samples=2: regression gives one colouring.*classification"),
        ("hints=clicks.json", "takes no points"),
    ],
)
def test_what_a_regression_cannot_do_is_said(regression, monkeypatch, asked, said):
    monkeypatch.chdir(regression.parent)
    (regression.parent / "clicks.json").write_text('{"clicks": []}', encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        painter(composed("predict", [f"run={regression}", asked]), 1)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("size=abc", "size='abc': should be a whole number from 1"), ("size=0", "from 1"),
        ("samples=-1", "from 0"), ("gamut=wide", "'chroma' or 'clip'"), ("device=tpu", "'cpu' or 'cuda'"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_named_before_anything_is_read(setting, said):
    with pytest.raises(ConfigError, match=said):
        composed("predict", [setting])


def test_an_output_that_is_a_file_is_named(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ConfigError, match="is a file; give a folder"):
        photos([tmp_path / "out"], tmp_path / "out")


def test_clicks_colour_a_picture(command, album, tmp_path):
    """Every file of the way: an authors' network, a picture, and the points that a person made in it."""
    network = random_weights(ReleasedSIGGRAPH17())
    torch.save(network.state_dict(), tmp_path / "siggraph17.pth")
    clicks = {"clicks": [{"x": 100, "y": 60, "color": "#d03020"}]}
    (tmp_path / "clicks.json").write_text(json.dumps(clicks), encoding="utf-8")
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
        network(composed("predict", [argument.replace("FILE", str(weights)) for argument in arguments]))


def test_a_photo_is_coloured_alike_alone_and_among_others(weights, album):
    """Its samples depend on its pixels and the seed: not on its name, its place or its company."""

    def samples(folder, seed=0):
        asked = [f"weights={weights}", "size=24", "samples=2", f"seed={seed}"]
        _, chosen = painter(composed("predict", asked), 1)
        planned = photos([folder], album.parent / "nowhere", 2)
        return {
            photo.source.stem: [made.pixels for made in chosen.colour(one(photo.source))] for photo in planned
        }

    together, alone = samples(album), samples(album / "grey.png")
    assert np.array_equal(together["grey"], alone["grey"])
    assert not np.array_equal(samples(album / "grey.png", seed=1)["grey"], alone["grey"])


def names(planned, folder):
    return [str(photo.source.relative_to(folder)) for photo in planned]


@pytest.fixture
def photos_of_a_holiday(tmp_path):
    """A folder as people have it; the pictures are empty files."""
    folder = tmp_path / "holiday"
    inside = ["b.jpg", "a.png", "a.jpg", "._a.png", ".thumbs/a.png", "__MACOSX/a.png", "old.jpg/c.PNG",
              "stereo.mpo", "phone.HEIC", "camera.cr2", "notes.txt"]  # fmt: skip
    for name in inside:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "d.webp").touch()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "linked" / "round").symlink_to(folder)
    return folder


def test_a_folder_is_listed_as_training_lists_it(photos_of_a_holiday, caplog):
    caplog.set_level("INFO")
    listed = names(photos([photos_of_a_holiday], Path("out")), photos_of_a_holiday)
    assert listed == sorted({*Tree(photos_of_a_holiday).names, "camera.cr2", "phone.HEIC"})
    assert {"old.jpg/c.PNG", "linked/d.webp", "stereo.mpo"} <= set(listed)
    assert "notes.txt" in caplog.text


def test_a_second_call_reads_no_results_of_the_first(photos_of_a_holiday, monkeypatch):
    monkeypatch.chdir(photos_of_a_holiday)
    first = photos([Path()], Path("colorized"))
    for photo in first:
        photo.targets[0].parent.mkdir(parents=True, exist_ok=True)
        photo.targets[0].touch()
    assert photos([Path()], Path("colorized")) == first
    for out in (Path(), photos_of_a_holiday.parent):
        with pytest.raises(ConfigError, match=r"out=.*: holds the input \.; choose a folder"):
            photos([Path()], out)


def test_pictures_that_differ_in_suffix_alone_keep_it(photos_of_a_holiday):
    planned = photos([photos_of_a_holiday, photos_of_a_holiday / "a.jpg"], Path("out"))
    targets = {str(photo.source.relative_to(photos_of_a_holiday)): photo.targets for photo in planned}
    assert len(targets) == len(planned)
    assert targets["a.jpg"] == (Path("out/a.jpg"),) and targets["a.png"] == (Path("out/a.png"),)
    planned = photos([photos_of_a_holiday], Path("out"), writer=Writer("png"))
    targets = {str(photo.source.relative_to(photos_of_a_holiday)): photo.targets for photo in planned}
    assert targets["a.jpg"] == (Path("out/a.jpg.png"),) and targets["a.png"] == (Path("out/a.png.png"),)
    assert targets["b.jpg"] == (Path("out/b.png"),) and targets["phone.HEIC"] == (Path("out/phone.png"),)


def test_whatever_one_picture_does_the_others_are_coloured(regression, command, tmp_path):
    """A strip of 5000 x 1, a name that is no UTF-8, a photo of a phone, half a file."""
    folder = tmp_path / "album"
    folder.mkdir()
    photo = Image.fromarray(skimage.data.coffee()).resize((60, 40))
    photo.save(folder / "good.png")
    photo.save(folder / os.fsdecode(b"gr\xfcn.png"))
    photo.resize((5000, 1)).save(folder / "strip.png")
    photo.save(folder / "stereo.mpo", format="MPO")
    (folder / "camera.cr2").write_bytes((folder / "good.png").read_bytes())
    (folder / "half.png").write_bytes((folder / "good.png").read_bytes()[:1500])
    done = command("predict", folder, f"run={regression}", "out=out", "size=32", cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "coloured 4 of 6" in done.stderr
    assert "half.png" in done.stderr and "camera.cr2: a camera's raw file" in done.stderr
    written = sorted(os.fsencode(path.name) for path in (tmp_path / "out").iterdir())
    assert written == [b"good.png", b"gr\xfcn.png", *map(os.fsencode, sorted((LINES, PAGE))), b"stereo.jpg",
                       b"strip.png"]  # fmt: skip
    assert Image.open(tmp_path / "out/strip.png").size == (5000, 1)


@pytest.mark.parametrize("settings", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_without_its_end_marker_is_read_and_half_of_one_is_not(tmp_path, settings):
    whole, photo = tmp_path / "whole.jpg", Image.fromarray(skimage.data.coffee()).resize((120, 80))
    photo.save(whole, **settings)
    content = whole.read_bytes()
    assert content[-2:] == b"\xff\xd9"
    (tmp_path / "last.jpg").write_bytes(content[:-2])
    picture = one(tmp_path / "last.jpg")
    assert np.array_equal(picture.pixels, one(whole).pixels)
    assert picture.said == ("lacks the marker of its end, and no more",)
    for bytes_left in (len(content) // 2, len(content) - 40):
        (tmp_path / "half.jpg").write_bytes(content[:bytes_left])
        with pytest.raises(UnreadablePicture, match=r"half\.jpg: .*truncated"):
            one(tmp_path / "half.jpg")


def test_the_network_sees_a_bounded_picture(regression):
    _, chosen = painter(composed("predict", [f"run={regression}", "size=32"]), 1)
    assert chosen.seen((5000, 1)) == (512, 32)
    assert chosen.seen((300, 100)) == (96, 32)


def test_a_failure_of_the_network_is_told_beside_the_picture(regression, album, monkeypatch, tmp_path):
    _, chosen = painter(composed("predict", [f"run={regression}", "size=32"]), 1)
    predict = chosen.colorizer.objective.predict

    def fails_on_wide(network, given):
        if given.L.shape[-1] > 32:
            raise torch.OutOfMemoryError("2 TiB")
        return predict(network, given)

    monkeypatch.setattr(chosen.colorizer.objective, "predict", fails_on_wide)
    outcomes = list(Darkroom(chosen, "failing").develop(photos([album], tmp_path / "out")))
    faults = [outcome.fault for outcome in outcomes if outcome.fault]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["turned.jpg"]
    assert len(faults) == 8 and f"{album / 'grey.png'}: OutOfMemoryError: 2 TiB" in faults


@pytest.mark.parametrize("name", ["train", "evaluate", "predict", "compare", "prepare"])
def test_help_is_for_newcomers(command, name, tmp_path):
    done = command(name, "--help", cwd=tmp_path)
    assert done.returncode == 0 and f"python -m colorization.{name}" in done.stdout


def test_a_reference_gives_its_colours(regression, album, tmp_path):
    """The mean and the spread of ab, as scikit-image computes them; what it would undo is refused."""
    vivid = np.asarray(Image.fromarray(skimage.data.coffee()).resize((90, 60)))
    Image.fromarray(vivid).save(tmp_path / "reference.png")
    asked = [f"run={regression}", "size=60", f"reference={tmp_path / 'reference.png'}"]
    _, chosen = painter(composed("predict", asked), 2)
    _, ab = chosen.found(one(album / "grey.png"))
    wanted = rgb2lab(vivid)[..., 1:].reshape(-1, 2)
    np.testing.assert_allclose(ab[0].flatten(1).mean(dim=1), wanted.mean(axis=0), atol=0.2)
    assert 0.1 < ab[0].flatten(1).std(dim=1).norm() / np.linalg.norm(wanted.std(axis=0)) < 1.05
    for more in ("hints=clicks.json", "chroma=1.2", "vivid=0.5"):
        with pytest.raises(ConfigError, match=f"whatever {more.split('=')[0]} says|not fitted"):
            painter(composed("predict", [*asked, more]), 1)
    for name, said in (
        (album / "grey.png", "no colour to take on"),
        (tmp_path / "none.jpg", "no such photo"),
    ):
        with pytest.raises(ConfigError, match=said):
            painter(composed("predict", [f"run={regression}", f"reference={name}"]), 1)
