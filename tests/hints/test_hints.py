"""The simulated user, real clicks, global hints, and how much each hint helps."""

import json
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from colorization.chance import Chance
from colorization.color import lab
from colorization.config import ConfigError, InputError
from colorization.data.batch import Batch
from colorization.hints.base import Exactly
from colorization.hints.clicks import Click, clicked, read_clicks
from colorization.hints.histogram import Histogram, saturation
from colorization.hints.none import Nothing
from colorization.hints.paint import paint, patch_means
from colorization.hints.points import Points
from colorization.hints.sketch import read_sketch
from colorization.metric.psnr import psnr
from colorization.protocol import Protocol
from colorization.scoring.curve import COUNTS, by_points


def batch_of(B=4, H=32, W=24, start=0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    rgb = torch.rand(B, 3, H, W, generator=generator)
    L, ab = lab.split(rgb)
    return Batch(L, ab, torch.arange(start, start + B))


def painted_one_by_one(ab, top, left, side, active):
    """What paint does, patch by patch."""
    B, _, H, W = ab.shape
    hints = torch.zeros(B, 3, H, W)
    for b in range(B):
        for t, l, s, on in zip(top[b], left[b], side[b], active[b], strict=True):
            if on:
                patch = ab[b, :, t : t + s, l : l + s].mean(dim=(1, 2)) / 110
                hints[b, :, t : t + s, l : l + s] = torch.tensor([*patch, 1.0])[:, None, None]
    return hints


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 12), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_patches_are_painted_as_one_by_one(height, width, points, seed):
    torch.manual_seed(seed)
    ab = torch.randn(2, 2, height, width) * 40
    side = torch.randint(1, min(9, height, width) + 1, (2, max(points, 1)))
    top = (torch.rand(side.shape) * (height - side + 1)).long()
    left = (torch.rand(side.shape) * (width - side + 1)).long()
    active = torch.rand(side.shape) < 0.8
    colours = patch_means(ab, top, left, side)
    hints = paint(colours, top, left, side, active, (height, width), 9)
    torch.testing.assert_close(hints, painted_one_by_one(ab, top, left, side, active), atol=1e-4, rtol=1e-4)


def test_points_follow_the_paper():
    """Counts geometric with p = 1/8, places normal about the centre, sides 1..9, everything at 1 %."""
    user = Points()
    batch = Batch(torch.zeros(6000, 1, 2, 2), torch.zeros(6000, 2, 2, 2), torch.arange(6000))
    torch.manual_seed(0)
    pictures, points = user._uniform(batch, 1)
    counts = user._geometric(pictures[:, 0])
    assert counts.mean().item() == pytest.approx(7, abs=0.4)
    for k in range(4):
        assert (counts == k).float().mean().item() == pytest.approx(0.125 * 0.875**k, abs=0.02)
    side = torch.full((6000,), 1)
    place = user._place(points[:, 1, 0], 256, side).float()
    assert place.mean().item() == pytest.approx(127.5, abs=3)
    inside = place[(place > 0) & (place < 255)]
    assert inside.std().item() == pytest.approx(0.22 * 256, abs=0.02 * 256)  # 0.25, cut off at two sigma
    assert (pictures[:, 1] < user.everything).float().mean().item() == pytest.approx(0.01, abs=0.006)


def test_patches_have_all_sides_and_lie_inside():
    batch = batch_of(256, 20, 16)
    hints = Points(largest=9, everything=0).reveal_points(batch, 1)
    area = hints[:, 2].sum(dim=(1, 2))
    assert set(area.sqrt().round().long().tolist()) == set(range(1, 10))
    torch.testing.assert_close(area.sqrt(), area.sqrt().round())
    assert set(hints[:, 2].unique().tolist()) == {0.0, 1.0}


def test_what_is_not_revealed_is_zero():
    hints = Points().reveal(batch_of(8))
    hidden = hints[:, 2:] == 0
    assert hints[:, :2][hidden.expand(-1, 2, -1, -1)].abs().max() == 0


def test_everything_is_the_true_colour():
    batch = batch_of()
    hints = Points(everything=1.0).reveal(batch)
    torch.testing.assert_close(hints[:, :2] * 110, batch.ab)
    assert (hints[:, 2] == 1).all()


def test_the_same_points_of_a_picture_are_revealed_in_any_batch():
    user, batch = Points(), batch_of(6)
    first = user.reveal(batch)
    assert torch.equal(first, user.reveal(batch))
    alone = Batch(*(field[3:4] for field in batch[:3]))
    assert torch.equal(first[3:4], user.reveal(alone))
    assert not torch.equal(first, Points(seed=1).reveal(batch))
    later = batch._replace(chance=Chance(batch.index, seed=0, epoch=1))
    assert not torch.equal(first, user.reveal(later))


def test_fewer_points_are_among_more():
    user, batch = Points(), batch_of()
    masks = [user.reveal_points(batch, count)[:, 2] for count in (0, 1, 2, 5, 10, 100)]
    assert masks[0].sum() == 0
    for few, many in pairwise(masks):
        assert (many >= few).all() and many.sum() > few.sum()


def test_stopping_at_once_reveals_nothing():
    user, batch = Points(stop=1.0, everything=0.0), batch_of()
    assert torch.equal(user.reveal(batch), user.blank(batch.L))


@pytest.mark.parametrize("kind", [Points, Histogram, Nothing])
def test_silent_users_reveal_nothing(kind):
    user, batch = kind(**kind.silent), batch_of()
    hints, blank = user.reveal(batch), user.blank(batch.L)
    assert hints is blank is None or torch.equal(hints, blank)


@pytest.mark.parametrize("count", [0, 3])
def test_exactly_so_many_points_are_revealed(count):
    user, batch = Points(), batch_of()
    assert torch.equal(Exactly(user, count).reveal(batch), user.reveal_points(batch, count))
    with pytest.raises(ConfigError, match="hints=points"):
        Exactly(Nothing(), count)


def test_nothing_is_revealed_as_often_as_asked():
    user = Points(everything=0.0, nothing=0.6)
    seen = user.reveal(batch_of(2000, 9, 9))[:, 2].amax(dim=(1, 2))
    often, expected = float(seen.mean()), 0.4 * (1 - 0.125)
    assert abs(often - expected) < 4 * (expected * (1 - expected) / 2000) ** 0.5
    both = (
        Points(everything=0.0).reveal(batch_of(50)),
        Points(everything=0.0, nothing=0.6).reveal(batch_of(50)),
    )
    assert all(torch.equal(one, other) for one, other in zip(*both, strict=True) if other.abs().sum() > 0)


def test_a_picture_smaller_than_a_patch_is_no_trouble():
    assert Points(everything=0.0).reveal_points(batch_of(3, 4, 3), 20).shape == (3, 3, 4, 3)


def test_the_histogram_is_a_distribution_and_saturation_is_hsv():
    batch = batch_of(3, 32, 32)
    hints = Histogram(reveal=1.0)
    planes = hints.reveal(batch)
    assert planes.shape == (3, hints.channels, 32, 32) and hints.channels == 316
    torch.testing.assert_close(planes[:, :313, 0, 0].sum(1), torch.ones(3))
    torch.testing.assert_close(planes[:, 315], planes[:, 313] * 0 + 1)
    from skimage.color import rgb2hsv

    rgb = lab.merge(batch.L, batch.ab)
    expected = [rgb2hsv(picture.movedim(0, -1).numpy())[..., 1].mean() for picture in rgb]
    np.testing.assert_allclose(saturation(rgb).numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(planes[:, 314, 0, 0].numpy(), expected, atol=1e-5)


def test_the_histogram_of_one_colour_is_one_bin():
    hints = Histogram(reveal=1.0)
    ab = torch.tensor([33.0, -41.0]).reshape(1, 2, 1, 1).expand(1, 2, 16, 16)
    shares = hints.histogram(ab)[0]
    assert shares.max() == 1 and hints.gamut.centres[shares.argmax()].tolist() == [30, -40]


def test_global_hints_are_hidden_half_of_the_time_each():
    batch = batch_of(400, 4, 4)
    planes = Histogram().reveal(batch)[:, :, 0, 0]
    assert torch.equal(planes, Histogram().reveal(batch)[:, :, 0, 0])
    shown = planes[:, [313, 315]]
    assert set(map(tuple, shown.tolist())) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    torch.testing.assert_close(shown.mean(0), torch.full((2,), 0.5), atol=0.1, rtol=0)
    assert planes[shown[:, 0] == 0, :313].abs().max() == 0
    assert torch.equal(Histogram().blank(batch.L)[:, :, 0, 0], 0 * planes)


def test_psnr_rises_with_the_points():
    pictures = torch.randint(256, (4, 3, 48, 48), dtype=torch.uint8)

    class KnowsWhatIsRevealed:
        def colouring(self, network, given):
            _, ab = lab.split(pictures[[int(given.chance.index[0])]])
            return torch.where(given.hints[:, 2:] > 0, ab, torch.zeros(1))

    colorizer = SimpleNamespace(
        device="cpu", hints=Points(), objective=KnowsWhatIsRevealed(), network=None,
        seen=lambda batch: batch._replace(chance=Chance(batch.index)),
    )  # fmt: skip
    curve = by_points(
        colorizer, Protocol(name="v1", metrics={"psnr": psnr}), ["psnr"],
        [(torch.tensor([i]), pictures[[i]]) for i in range(4)],
    )  # fmt: skip
    assert tuple(curve) == COUNTS
    assert all(len(numbers.rows) == 4 for numbers in curve.values())
    means = [numbers.means["psnr"] for numbers in curve.values()]
    assert means == sorted(means) and means[-1] > means[0] + 3


def write(tmp_path, content):
    path = tmp_path / "clicks.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_clicks_land_where_they_were_made(tmp_path):
    first = {"x": 310, "y": 42, "color": "#d03020", "size": 3}
    path = write(tmp_path, {"clicks": [first, {"x": 0, "y": 599, "color": [20, 90, 200]}]})
    hints = clicked(read_clicks(path), picture=(600, 400), size=(96, 64))
    assert hints.shape == (1, 3, 96, 64)
    row, column = 42 * 96 // 600, 310 * 64 // 400
    assert hints[0, 2, row - 1 : row + 2, column - 1 : column + 2].sum() == 9
    _, ab = lab.split(torch.tensor([0xD0, 0x30, 0x20], dtype=torch.uint8).reshape(1, 3, 1, 1))
    torch.testing.assert_close(hints[0, :2, row, column] * 110, ab[0, :, 0, 0])
    assert hints[0, 2, 91:, :5].sum() == 25 and hints[0, 2].sum() == 34


def test_no_clicks_reveal_nothing(tmp_path):
    assert clicked(read_clicks(write(tmp_path, {"clicks": []})), (10, 10), (5, 5)).abs().sum() == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ({"points": []}, "no list of clicks"),
        ({"clicks": [3]}, "click 1: 3 should be like"),
        ({"clicks": [{"x": 1, "y": 2}]}, "click 1: lacks color"),
        ({"clicks": [{"x": 1, "y": 2, "color": "#000000", "colour": 1}]}, "has colour too"),
        ({"clicks": [{"x": "1", "y": 2, "color": "#000000"}]}, "x='1' should be a number"),
        ({"clicks": [{"x": 1, "y": 2, "color": "red"}]}, "color='red' should be sRGB"),
        ({"clicks": [{"x": 1, "y": 2, "color": [1, 2, 256]}]}, "should be sRGB"),
        ({"clicks": [{"x": 1, "y": 2, "color": "#000000", "size": 0}]}, "size=0"),
    ],
)
def test_a_fault_in_clicks_is_named(tmp_path, content, words):
    with pytest.raises(ValueError, match=words):
        read_clicks(write(tmp_path, content))


def test_clicks_that_are_nowhere_are_named(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        read_clicks(tmp_path / "none.json")
    with pytest.raises(ValueError, match=r"click 2 at x=10, y=3: outside the picture of 10 x 20"):
        clicked([Click(9, 19, (0, 0, 0)), Click(10, 3, (0, 0, 0))], (20, 10), (5, 5))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Points(stop=0), "stop=0"),
        (lambda: Points(everything=2), "everything=2"),
        (lambda: Points(nothing=2), "nothing=2"),
        (lambda: Points(spread=0), "spread=0"),
        (lambda: Points(largest=0), "largest=0"),
        (lambda: Histogram(reveal=-1), "reveal=-1"),
    ],
)
def test_errors_name_what_was_given(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_sketch_is_points_of_its_colours(tmp_path):
    """Two scribbles on nothing: points lie on them and have their colours; a sketch of another size, too."""
    sketch = np.zeros((60, 90, 4), np.uint8)
    sketch[10:20, 10:40] = (200, 30, 20, 255)
    sketch[40:55, 60:80] = (20, 60, 210, 255)
    Image.fromarray(sketch).save(tmp_path / "sketch.png")
    clicks, frame = read_sketch(tmp_path / "sketch.png", seen=30)
    assert frame == (60, 90)
    for click in clicks:
        place = sketch[int(click.y), int(click.x)]
        assert place[3] == 255 and np.abs(place[:3].astype(int) - click.color).max() <= 1
    assert len({click.color for click in clicks}) == 2
    hints = clicked(clicks, frame, (30, 45))
    assert hints[0, 2, 7, 12] == 1 and hints[0, 0, 7, 12] > 0 > hints[0, 1, 24, 35]
    Image.new("RGB", (9, 9)).save(tmp_path / "whole.png")
    with pytest.raises(InputError, match="no transparent part"):
        read_sketch(tmp_path / "whole.png", 30)
