"""Points of colour are made, taken back, saved and loaded."""

import json

import pytest

from colorization.config import InputError
from colorization.desk.points import Points
from colorization.hints.clicks import Click, read_clicks, write_clicks


def test_points_are_taken_back():
    made = Points((90, 60))
    made.colour("#ffffff")
    assert made.clicks == (), "no point was asked about"
    for x, colour in ((10, "#102030"), (20, "#405060"), (20, "#708090")):
        made.ask(x, 5)
        made.colour(colour)
    points = (Click(10, 5, (16, 32, 48)), Click(20, 5, (112, 128, 144)))
    assert made.clicks == points, "a point has one colour, the last"
    made.remove(0)
    assert made.clicks == points[1:]
    made.clear()
    made.clear()
    for expected in (points[1:], points, (points[0], Click(20, 5, (64, 80, 96))), points[:1], (), ()):
        made.undo()
        assert made.clicks == expected
    with pytest.raises(InputError, match="x=90 y=3: outside the photo of 90 x 60"):
        made.ask(90, 3)


def test_what_was_saved_is_loaded_and_taken_back(tmp_path):
    made, file = Points((90, 60)), tmp_path / "clicks.json"
    points = (Click(10, 5, (16, 32, 48)), Click(89.5, 59, (112, 128, 144), 9))
    write_clicks(file, points)
    assert tuple(read_clicks(file)) == points
    made.load(file)
    assert made.clicks == points
    made.undo()
    assert made.clicks == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        ("{}", "no list of clicks"),
        ('{"clicks": [{"x": 1}]}', "click 1: lacks color, y"),
        (json.dumps([{"x": 10**400, "y": 1, "color": "#000000"}]), "should be a number of pixels"),
        ('[{"x": NaN, "y": 1, "color": "#000000"}]', "outside the picture of 90 x 60"),
        (
            '[{"x": 1, "y": 60, "color": "#000000"}]',
            "click 1 at x=1.0, y=60.0: outside",
        ),
    ],
)
def test_what_is_no_file_of_clicks_is_named_and_changes_nothing(tmp_path, text, words):
    made, file = Points((90, 60)), tmp_path / "clicks.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=words):
        made.load(file)
    assert made.clicks == ()
