"""Statistics of training colours, against scikit-image's Lab."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from skimage.data import astronaut

from colorization.objective.colours import mean_colour, of_lightness, spread

PHOTO = astronaut()[:160, 100:260]


def test_mean_colours_are_those_of_the_training_pictures():
    pictures = np.stack([PHOTO, PHOTO[::-1], PHOTO // 2])
    found = mean_colour(pictures)
    seen = rgb2lab(pictures[:, ::4, ::4]).reshape(-1, 3)
    assert found.ab.numpy() == pytest.approx(seen[:, 1:].mean(axis=0), abs=1e-2)
    for level in (0, 20, 55, 90):
        of_level = seen[np.abs(seen[:, 0] - level) < 0.5]
        expected = of_level[:, 1:].mean(axis=0) if len(of_level) else seen[:, 1:].mean(axis=0)
        assert found.given_L[level].numpy() == pytest.approx(expected, abs=0.1)


def test_lightness_alone_looks_its_colour_up():
    table = torch.arange(202.0).view(101, 2)
    found = of_lightness(torch.tensor([[[[0.0, 49.6, 100.0]]]]), table)
    assert found[0, :, 0].T.tolist() == [[0, 1], [100, 101], [200, 201]]


def test_the_spread_is_the_standard_deviation_over_all_pixels():
    pictures = np.stack([PHOTO, PHOTO // 2] * 40)  # more than are counted at a time
    expected = rgb2lab(pictures[:, ::4, ::4]).reshape(-1, 3)[:, 1:].std(axis=0)
    assert spread(pictures).numpy() == pytest.approx(expected, rel=1e-3)
    assert spread(np.full((2, 8, 8, 3), 77, np.uint8)).tolist() == pytest.approx([0, 0], abs=0.01)
