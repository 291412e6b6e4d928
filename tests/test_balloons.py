"""The measurements of experiments/balloons on a model that is the truth itself, and on one that is not."""

import importlib.util

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from colorization.color import lab
from colorization.color.gamut import Gamut, in_gamut
from colorization.config import EXPERIMENTS
from colorization.data.scenes.dataset import Scenes
from colorization.data.scenes.truth import Count

GAMUT = Gamut(in_gamut(), neighbours=1)


@pytest.fixture(scope="module")
def measure():
    """experiments/balloons/measure.py as a module."""
    spec = importlib.util.spec_from_file_location("measure", EXPERIMENTS / "balloons" / "measure.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def seen(measure):
    """Scenes as a model sees them that knows the truth; its regression is the conditional mean."""
    rng, scenes = np.random.default_rng(0), []
    for truth in Scenes(image_size=48, test_pictures=60).truths("test"):
        L, _ = lab.split(torch.from_numpy(truth.picture()).movedim(-1, 0)[None])
        samples = np.stack([truth.sample(rng) for _ in range(measure.SAMPLES)])
        scene = measure.Scene(truth, L, torch.zeros(1, len(GAMUT), 12, 12), samples, truth.mean())
        scenes.append(scene._replace(probability=measure.true_distribution(scene, GAMUT)[0][None]))
    return scenes


def numbers(table, row):
    """The figures of the row of a Markdown table that begins so."""
    line = next(line for line in table.splitlines() if line.startswith(f"| {row}"))
    return [float(cell) for cell in line.strip("| ").split(" | ")[1:] if cell.strip()]


def test_the_true_distribution_is_what_many_true_colourings_show(measure, seen):
    scene = max(seen, key=lambda scene: measure.balloons(scene.truth).mean())
    rng, count = np.random.default_rng(1), 300
    counted = torch.zeros(len(GAMUT), 12, 12)
    for _ in range(count):
        rgb = torch.from_numpy(scene.truth.picture(scene.truth.sample(rng))).movedim(-1, 0)[None]
        bins = GAMUT.nearest(lab.split(rgb)[1][..., 2::4, 2::4])
        counted.scatter_add_(0, bins, torch.ones(1, 12, 12))
    p = scene.probability[0]
    torch.testing.assert_close(p.sum(0), torch.ones(12, 12))
    assert (counted / count - p).abs().max() < 0.12  # four standard deviations of 300 draws


def test_the_truth_is_at_no_distance_from_itself(measure, seen):
    for row in ("all", "ambiguous"):
        model, floor, distance = numbers(measure.distances(seen, GAMUT), row)
        assert model == floor > 0 and distance == 0
    spread = [s._replace(probability=(s.probability + 0.1) / (1 + 31.3)) for s in seen]
    _, floor, distance = numbers(measure.distances(spread, GAMUT), "all")
    assert distance > 1 and floor > 0


def test_true_samples_have_true_proportions_and_one_colour_for_all_has_not(measure, seen):
    rows = measure.proportions(seen).splitlines()[2:]
    assert {"balloon", "tree"} <= {row.split(" | ")[0].strip("| ") for row in rows}
    assert all(float(row.split(" | ")[-1].strip("| ")) > 0.001 for row in rows)
    red = [s._replace(samples=s.truth.colour([0] * len(s.truth.objects))[None]) for s in seen]
    unfair = next(line for line in measure.proportions(red).splitlines() if line.startswith("| balloon"))
    assert "red 1.000 (0.500)" in unfair and unfair.endswith("0.000 |")


def test_the_conditional_mean_is_brown(measure, seen):
    table = measure.browns(seen)
    truth, regression = numbers(table, "truth"), numbers(table, "regression")
    assert truth[1] == 0 and regression[2] == 0  # on an alternative; on the mean
    assert regression[0] < 0.6 * truth[0] and regression[1] > 10
    assert numbers(table, "samples")[1] == 0


def test_the_truth_is_calibrated(measure, seen):
    curve = measure.reliability(seen, GAMUT)
    curve = curve[curve[:, 2] > 0]
    assert len(curve) >= 4
    torch.testing.assert_close(curve[:, 0], curve[:, 1])


@pytest.mark.parametrize("counts", [(40, 60), (3, 5, 2), (500, 310, 190)])
def test_chi_square_agrees_with_scipy(measure, counts):
    expected = np.full(len(counts), sum(counts) / len(counts))
    ours = measure.chi_square_p([Count(s, e) for s, e in zip(counts, expected, strict=True)])
    assert ours == pytest.approx(chisquare(counts, expected).pvalue)


def test_the_picture_shows_six_columns(measure, seen, tmp_path):
    from PIL import Image

    measure.sheet(seen, tmp_path / "balloons.jpg")
    assert Image.open(tmp_path / "balloons.jpg").width == 6 * (48 * measure.ZOOM + 4) - 4
    measure.plot(measure.reliability(seen, GAMUT), tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").stat().st_size > 1000
