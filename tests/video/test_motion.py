"""Motion and steadied colour, on frames whose motion is known."""

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000

from colorization.color import lab
from colorization.video.motion import motion, warped
from colorization.video.steady import CUT, Steady
from tests.video.made import coffee, panned, rocket

STEP = 3


def planes(frames):
    """L and ab of each frame."""
    return [lab.split(torch.from_numpy(frame.copy()).movedim(-1, 0)[None]) for frame in frames]


@pytest.fixture(scope="module")
def pan():
    return planes(panned(coffee(), 8, STEP))


def test_a_pan_is_found_to_a_fraction_of_a_pixel(pan):
    moved = motion(pan[1][0], pan[0][0])
    inner = moved.way[..., 8:-8, 8:-8]
    assert (inner[:, 0] - STEP).abs().median() < 0.2 and inner[:, 1].abs().median() < 0.2
    assert moved.same[..., 8:-8, 8:-8].mean() > 0.8


def test_what_is_carried_lies_where_it_went(pan):
    way = torch.zeros(1, 2, 64, 96)
    way[:, 0] = STEP
    assert torch.allclose(warped(pan[0][1], way)[..., :-STEP], pan[1][1][..., :-STEP], atol=1e-3)


def test_another_scene_is_nothing_seen_before(pan):
    other = planes(panned(rocket(), 1))[0][0]
    assert motion(other, pan[0][0]).same.mean() < CUT < motion(pan[1][0], pan[0][0]).same.mean()
    assert motion(pan[0][0][..., :9], pan[0][0][..., :9]).same.mean() == 1  # too small to move


def test_steadied_colour_flickers_less_and_errs_less(pan):
    steady, rest = Steady(0.9), []
    draw = torch.Generator().manual_seed(0)
    for L, ab in pan:
        found = ab + 8 * torch.randn(1, 2, 1, 1, generator=draw)  # the whole frame's colour jumps
        rest.append(((steady(L, found) - ab).abs().mean(), (found - ab).abs().mean()))
    shown, alone = np.array(rest)[3:].mean(axis=0)
    assert shown < 0.8 * alone and steady.steadied.mean < 0.3 * steady.alone.mean
    assert steady.steadied.frames == len(pan) - 1 and not steady.cuts


def test_flicker_is_ciede2000_of_the_colour_alone():
    L = torch.full((1, 1, 16, 16), 50.0)
    first, second = torch.full((1, 2, 16, 16), 20.0), torch.full((1, 2, 16, 16), 30.0)
    steady = Steady(0.0)
    steady(L, first)
    assert torch.equal(steady(L + 1, second), second)
    expected = deltaE_ciede2000([51, 20, 20], [51, 30, 30])
    assert steady.alone.mean == pytest.approx(expected, abs=1e-3) == pytest.approx(steady.steadied.mean)


def test_a_scene_begins_with_its_own_colour(pan):
    steady, scene = Steady(0.9), planes(panned(rocket(), 3))
    for L, ab in pan[:3]:
        steady(L, ab)
    assert torch.equal(steady(*scene[0]), scene[0][1]) and steady.cuts == 1
    assert not torch.equal(steady(scene[1][0], scene[1][1] + 5), scene[1][1] + 5)


def test_it_goes_on_where_it_was(pan):
    one, other = Steady(0.9), Steady(0.9)
    for L, ab in pan[:4]:
        one(L, ab)
    other.restore(one.state())
    assert torch.equal(one(*pan[4]), other(*pan[4]))
    assert one.state()["counts"].tolist() == other.state()["counts"].tolist()
