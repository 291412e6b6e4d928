"""Scenes: the same everywhere, inside sRGB, and honest about what the grey picture tells."""

import hashlib
import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import lab2rgb, rgb2lab

from colorization.data.scenes.canvas import Canvas, Placed
from colorization.data.scenes.dataset import Scenes
from colorization.data.scenes.gamut import chroma_factor, lab_to_uint8
from colorization.data.scenes.source import SceneSource
from colorization.data.scenes.truth import tally
from colorization.data.scenes.views import VIEWS, render

TRAIN, TEST = 0, 2
MANY = 120


@pytest.fixture(scope="module")
def truths():
    """Scenes at 48 pixels."""
    return [render(0, TEST, index, 48) for index in range(MANY)]


def test_a_scene_is_its_seed_split_and_index():
    picture = render(0, TRAIN, 3, 64).picture()
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, render(0, TRAIN, 3, 64).picture())
    others = [render(1, TRAIN, 3, 64), render(0, TEST, 3, 64), render(0, TRAIN, 4, 64)]
    assert all((other.picture() != picture).mean() > 0.5 for other in others)


def test_the_drawing_is_the_recorded_one():
    """Another machine draws the same; who changes the drawing raises DRAWING and records the new sum."""
    pictures = [render(0, TRAIN, index, 96).picture().tobytes() for index in range(40)]
    assert hashlib.sha256(b"".join(pictures)).hexdigest()[:16] == "30e36e965b21a4a9"


@pytest.mark.parametrize("index", range(16))
def test_size_changes_nothing_of_the_layout(index):
    small, large = render(0, TEST, index, 64), render(0, TEST, index, 128)
    assert small.objects == large.objects
    shrunk = large.L.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    assert np.corrcoef(shrunk.ravel(), small.L.ravel())[0, 1] > 0.9


def test_every_kind_of_view_is_drawn_and_has_something_ambiguous(truths):
    assert len(VIEWS) >= 8
    assert all(truth.objects for truth in truths)
    kinds = {choice.kind for truth in truths for choice in truth.objects}
    assert kinds == {"balloon", "car", "roof", "door", "apple", "flower", "tree", "parasol", "sail"}


def test_every_alternative_is_inside_srgb_so_that_lightness_survives(truths):
    for truth in truths[::4]:
        for ab in truth.ab:
            lab = np.concatenate([truth.L[..., None], ab], axis=-1).astype(np.float64)
            back = rgb2lab(lab2rgb(lab))  # scikit-image clips what is outside
            assert np.abs(back - lab).max() < 0.3
            assert np.abs(rgb2lab(truth.picture(ab))[..., 0] - truth.L).max() < 0.6  # 8-bit rounding


def test_the_grey_does_not_tell_the_choice(truths):
    """Between alternatives, L from the 8-bit picture differs by rounding alone, in no direction."""
    differences = []
    for truth in truths:
        first, second = (rgb2lab(truth.picture(ab))[..., 0] for ab in truth.ab[:2])
        differences.append((first - second)[truth.object_id > 0])
    difference = np.concatenate(differences)
    assert difference.size > 10_000
    assert np.abs(difference).max() < 0.6
    assert abs(difference.mean()) < 0.01


def test_the_layout_does_not_depend_on_the_choices(monkeypatch):
    """Drawn again with every choice forced, a scene has the same L, objects and alternatives."""
    before = render(0, TEST, 5, 64)
    place = Canvas.place

    class Last:
        def random(self):
            return 1 - 1e-9

    def force(self, *args):
        self.chance = Last()
        return place(self, *args)

    monkeypatch.setattr(Canvas, "place", force)
    after = render(0, TEST, 5, 64)
    assert after.taken == tuple(len(choice.names) - 1 for choice in after.objects)
    np.testing.assert_array_equal(after.L, before.L)
    np.testing.assert_array_equal(after.ab, before.ab)


@pytest.mark.parametrize("size", [32, 100])
def test_no_pixel_shows_two_ambiguous_objects(monkeypatch, size):
    paint = Canvas.paint

    def watch(self, window, alpha, L, colour):
        if isinstance(colour, Placed):
            under = np.where(self.weight[window.box] > 0, self.object_id[window.box], colour.number)
            assert (under[alpha > 0] == colour.number).all()
        paint(self, window, alpha, L, colour)

    monkeypatch.setattr(Canvas, "paint", watch)
    for index in range(40):
        assert render(0, TEST, index, size).objects


def test_objects_take_their_alternatives_in_the_stated_proportions():
    seen: dict[str, list[int]] = {}
    probability = {}
    for index in range(500):
        for choice in render(0, TRAIN, index, 16).objects:
            seen.setdefault(choice.kind, []).append(choice.taken)
            probability[choice.kind] = choice.probability
    for kind, taken in seen.items():
        n = len(taken)
        for k, p in enumerate(probability[kind]):
            assert abs(taken.count(k) - n * p) < 4 * np.sqrt(n * p * (1 - p)) + 1, kind
    assert probability["balloon"] == (0.5, 0.3, 0.2)


def test_objects_of_one_scene_are_independent():
    """Two balloons of a scene agree as often as chance has it: 0.5^2 + 0.3^2 + 0.2^2."""
    agree = []
    for index in range(500):
        balloons = [c.taken for c in render(0, TRAIN, index, 16).objects if c.kind == "balloon"]
        agree += [balloons[0] == balloons[1]] if len(balloons) > 1 else []
    assert abs(np.mean(agree) - 0.38) < 4 * np.sqrt(0.38 * 0.62 / len(agree))


def test_mean_and_probability_are_those_of_all_combinations(truths):
    """Brute force over every combination of the objects' alternatives."""
    truth = next(t for t in truths if 2 <= len(t.objects) <= 4)
    options = [range(len(choice.names)) for choice in truth.objects]
    mean = np.zeros_like(truth.base.transpose(1, 2, 0), dtype=np.float64)
    entropy = np.zeros(truth.L.shape)
    colours: list[dict] = [{} for _ in range(truth.L.size)]
    for taken in itertools.product(*options):
        p = np.prod([c.probability[k] for c, k in zip(truth.objects, taken, strict=True)])
        mean += p * truth.colour(taken)
        for pixel, rgb in enumerate(truth.picture(truth.colour(taken)).reshape(-1, 3).tolist()):
            colours[pixel][tuple(rgb)] = colours[pixel].get(tuple(rgb), 0) + p
    entropy = np.array([-sum(p * np.log2(p) for p in pixel.values()) for pixel in colours]).reshape(
        truth.L.shape
    )
    np.testing.assert_allclose(truth.mean(), mean, atol=1e-4)
    np.testing.assert_allclose(truth.entropy(), entropy, atol=1e-5)
    np.testing.assert_allclose((truth.probability[..., None] * truth.ab).sum(axis=0), mean, atol=1e-4)
    visible = np.unique(truth.object_id[truth.object_id > 0]) - 1
    bits = [-sum(p * np.log2(p) for p in truth.objects[n].probability) for n in visible]
    assert truth.joint_entropy() == pytest.approx(sum(bits), abs=1e-5)


def test_entropy_counts_alternatives_with_one_label_as_one(truths):
    truth = truths[0]
    assert truth.entropy(lambda ab: np.zeros(ab.shape[:-1], int)).max() == 0
    fine = truth.entropy(lambda ab: np.arange(len(ab))[:, None, None] * np.ones(ab.shape[:-1], int))
    assert (fine >= truth.entropy() - 1e-6).all()
    assert (truth.entropy()[truth.object_id == 0] == 0).all()


@settings(max_examples=20, deadline=None)
@given(index=st.integers(0, 10_000), seed=st.integers(0, 100))
def test_the_conditional_mean_beats_every_alternative_in_expectation(index, seed):
    truth = render(seed, TRAIN, index, 32)
    ab, p = truth.ab, truth.probability
    np.testing.assert_allclose(p.sum(axis=0), 1, atol=1e-6)

    def expected(guess):
        return (p * ((ab - guess) ** 2).sum(axis=-1)).sum(axis=0).mean()

    best = expected(truth.mean())
    assert all(best < expected(one) for one in ab)
    assert best < expected(truth.mean() + 1)


def test_samples_are_whole_objects_in_the_true_proportions(truths):
    rng = np.random.default_rng(0)
    pairs = [(truth, truth.sample(rng)) for truth in truths for _ in range(4)]
    for kind, names in tally(pairs).items():
        n = sum(count.seen for count in names.values())
        assert n > 0, kind
        for count in names.values():
            p = count.expected / n
            assert abs(count.seen - count.expected) < 4 * np.sqrt(n * p * (1 - p)) + 1, kind


def test_nearest_finds_the_true_alternative(truths):
    for truth in truths[:30]:
        found = truth.nearest(truth.colour(truth.taken))
        assert all(a in (b, -1) for a, b in zip(found, truth.taken, strict=True))
        noisy = truth.colour(truth.taken) + np.random.default_rng(0).normal(0, 3, (*truth.L.shape, 2))
        assert truth.nearest(noisy) == found


def test_lab_to_uint8_agrees_with_scikit_image(truths):
    for truth in truths[:8]:
        ab = truth.colour(truth.taken)
        reference = lab2rgb(np.concatenate([truth.L[..., None], ab], axis=-1).astype(np.float64)) * 255
        assert np.abs(truth.picture() - reference).max() < 0.55


@settings(max_examples=200, deadline=None)
@given(L=st.floats(0, 100), a=st.floats(-120, 120), b=st.floats(-120, 120))
def test_chroma_factor_brings_any_colour_into_srgb(L, a, b):
    lightness, ab = np.array([L], np.float32), np.array([[a], [b]], np.float32)
    factor = chroma_factor(lightness, ab)
    assert 0 <= factor[0] <= 1
    lab = np.array([L, *(ab[:, 0] * factor)])
    assert np.abs(rgb2lab(lab2rgb(lab)) - lab).max() < 0.3
    twice = chroma_factor(lightness, ab * factor)
    assert twice[0] > 0.99 or factor[0] * np.hypot(a, b) < 1e-3


def test_lab_to_uint8_rounds_grey_codes_back():
    codes = np.arange(256, dtype=np.uint8)
    L = rgb2lab(np.repeat(codes[:, None], 3, axis=1) / 255.0)[:, 0].astype(np.float32)
    np.testing.assert_array_equal(lab_to_uint8(L, np.zeros((2, 256), np.float32))[:, 1], codes)


def test_best_psnr_is_the_mean_over_pictures_and_above_grey():
    data = Scenes(image_size=48, test_pictures=12)
    pictures = [truth.picture() for truth in data.truths("test")]
    source = data.sources()["test"]
    drawn = [source.load(name, 48) for name in source.names]
    np.testing.assert_array_equal(pictures, drawn)

    def psnr(colour):
        errors = [
            np.mean((truth.picture(colour(truth)) / 255 - picture / 255) ** 2)
            for truth, picture in zip(data.truths("test"), drawn, strict=True)
        ]
        return np.mean([-10 * np.log10(max(error, 1e-6)) for error in errors])

    assert data.best_psnr("test") == pytest.approx(psnr(lambda truth: truth.mean()), abs=1e-6)
    assert psnr(lambda truth: 0 * truth.mean()) + 5 < data.best_psnr("test") < 60
    floor = np.mean([truth.entropy() for truth in data.truths("test")])
    assert data.entropy_floor("test") == pytest.approx(floor, abs=1e-6)


def test_smaller_sets_lie_within_larger_ones_and_splits_apart():
    few, many = (Scenes(pictures=n).sources() for n in (10, 50))
    assert few["train"].names == many["train"].names[:10]
    assert not set(many["train"].names) & set(many["val"].names) & set(many["test"].names)
    assert few["train"].describe() == many["train"].describe() != many["val"].describe()


def test_a_source_travels_to_other_processes():
    source = SceneSource.first(0, "val", 3)
    copy = pickle.loads(pickle.dumps(source)).only(source.names[1:])
    assert copy.names == source.names[1:]
    np.testing.assert_array_equal(copy.load(copy.names[0], 40), source.load(source.names[1], 40))


def test_drawing_needs_no_torch():
    code = "import sys, colorization.data.scenes.source; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_training_truth_is_at_the_packed_size():
    assert Scenes(image_size=64).truth("train", 0).L.shape == (72, 72)
    assert Scenes(image_size=64).truth("test", 0).L.shape == (64, 64)


@pytest.mark.parametrize(
    ("setting", "value"), [("image_size", 16), ("pictures", 0), ("test_pictures", 0), ("scene_seed", -1)]
)
def test_wrong_settings_are_named(setting, value):
    with pytest.raises(ValueError, match=f"data.{setting}={value}"):
        Scenes(**{setting: value})
