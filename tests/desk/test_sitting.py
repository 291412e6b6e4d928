"""A photo in the studio: coloured as predict colours it, and the network is asked no more than is needed."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.data
from PIL import Image

from colorization.compose import composed
from colorization.config import ConfigError
from colorization.desk.serving import listening, with_gradio
from colorization.desk.studios import studios
from colorization.desk.table import Table
from colorization.hints.clicks import Click
from colorization.picture.reading import one
from tests.desk.conftest import JOINT, studio_of

RED = Click(40, 30, (208, 48, 32))


def predicted(studio, photo, **changed):
    """What predict makes of it, in all the colourings that are asked for."""
    return [made.pixels for made in replace(studio.painter, **changed).colour(one(photo))]


def test_what_is_downloaded_is_what_predict_makes(studio, photo):
    sitting, objective = studio.open(photo), studio.painter.colorizer.objective
    np.testing.assert_array_equal(sitting.finished().pixels, *predicted(studio, photo))
    sitting.points.ask(RED.x, RED.y)
    sitting.points.colour("#d03020")
    assert sitting.points.clicks == (RED,)
    clicked = predicted(studio, photo, clicks=[RED])
    np.testing.assert_array_equal(sitting.finished().pixels, *clicked)
    sitting.vivid, sitting.chroma = 0.5, 1.2
    with objective.decoded(vivid=0.5, chroma=1.2):
        np.testing.assert_array_equal(sitting.finished().pixels, *predicted(studio, photo, clicks=[RED]))
    sitting.chosen, sitting.vivid, sitting.chroma = 2, None, 1.0
    drawn = predicted(studio, photo, clicks=[RED], samples=2)
    np.testing.assert_array_equal(sitting.finished().pixels, drawn[1])
    metadata = sitting.finished().metadata
    assert metadata.exif[0x013B] == "A. Person" and b"small" in metadata.xmp and metadata.dpi[0] > 299
    assert objective.vivid is None and objective.chroma == 1, "another visitor's photo is not touched"


def test_what_is_looked_at_is_the_photo_made_small(studio, tmp_path):
    Image.fromarray(skimage.data.coffee()).resize((2048, 1366)).save(tmp_path / "large.jpg", quality=95)
    sitting = studio.open(tmp_path / "large.jpg")
    assert any("colour of its own" in words for words in sitting.said)
    full = sitting.finished().shown((1024, 683))
    assert np.abs(np.asarray(sitting.coloured(), float) - np.asarray(full, float)).mean() < 1
    grey, light = np.asarray(sitting.grey(), float), np.asarray(sitting.coloured().convert("L"), float)
    assert grey.shape == light.shape and np.abs(grey - light).mean() < 3
    assert [picture.size for picture in sitting.samples()] == 3 * [(200, 133)]


@pytest.mark.parametrize(("kernel", "calls"), [(4, 1), (0, 2)])
def test_the_network_is_asked_again_only_where_it_sees_the_points(photo, kernel, calls):
    studio = studio_of(*JOINT, f"objective.kernel={kernel}")
    assert not studio.can.points
    asked = []
    studio.painter.colorizer.network.register_forward_hook(lambda *_: asked.append(1))
    sitting = studio.open(photo)
    before = sitting.coloured(), sitting.samples()
    assert len(asked) == 1
    sitting.points.ask(20, 20)
    sitting.points.colour("#3050a0")
    sitting.vivid, sitting.chroma = None, 1.5
    assert sitting.coloured() != before[0] and sitting.samples() != before[1]
    assert len(asked) == calls


def test_the_likely_colours_are_those_of_the_painter(studio, photo):
    sitting = studio.open(photo)
    sitting.points.ask(40, 30)
    sitting.look()
    assert sitting.suggested == studio.painter.likely(one(photo), 40, 30, 6)
    assert len(sitting.suggested) == 6 and sum(each.probability for each in sitting.suggested) <= 1


def test_what_a_network_cannot_do_is_said():
    can = studio_of("model=cnn", "objective=regression").can
    assert "takes no points" in can.points and "no probabilities" in can.likely
    assert "one colouring" in can.samples and "not fitted" in can.vivid
    can = studio_of(*JOINT).can
    assert can[:3] == ("", "", "") and "not fitted" in can.vivid


def test_two_networks_share_a_photo_and_its_points(studio, photo):
    other = studio_of("model=cnn", "objective=regression")
    table = Table([studio, other], studio.open(photo))
    table.now.points.ask(RED.x, RED.y)
    table.now.points.colour("#d03020")
    table.move("vivid", 0.5)
    table.move("chroma", 1.2)
    table.choose(1)
    assert (table.chosen, table.beside) == (1, 0), "the two change places"
    with other.painter.colorizer.objective.decoded(chroma=1.2):  # it takes no points, and is not vivid
        np.testing.assert_array_equal(table.now.finished().pixels, *predicted(other, photo))
    with studio.painter.colorizer.objective.decoded(vivid=0.5, chroma=1.2):
        clicked = predicted(studio, photo, clicks=[RED])
        np.testing.assert_array_equal(table.under(table.beside).finished().pixels, *clicked)
    assert table.now.points is table.under(0).points


def test_networks_are_told_apart_by_their_names():
    assert [studio.name for studio in studios(composed("studio", ["run=[box]", "samples=3"]))] == ["box"]
    with pytest.raises(ConfigError, match="box twice"):
        studios(composed("studio", ["run=[box,box]"]))
    with pytest.raises(ConfigError, match=r"run=\[box,runs/RUN\]"):
        studios(composed("studio", ["run=[]"]))


def test_of_several_pages_the_first_is_shown_and_it_is_said(studio, tmp_path):
    pages = [Image.new("L", (40, 30), level) for level in (60, 200)]
    pages[0].save(tmp_path / "two.tif", save_all=True, append_images=pages[1:])
    sitting = studio.open(tmp_path / "two.tif")
    assert sitting.original.pixels[0, 0] == 60 and "several pictures" in " ".join(sitting.said)


def test_a_port_that_is_taken_and_a_page_without_gradio_are_named(monkeypatch):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port={port}: .*choose another, port={port + 1}"):
            listening("127.0.0.1", port)
    listening("127.0.0.1", port)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'colorization-lab\[studio\]'"):
        with_gradio()
