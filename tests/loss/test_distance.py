"""The loss terms against NumPy."""

import numpy as np
import pytest
import torch

from colorization.data.batch import Batch
from colorization.loss.distance import L1, Gradient


@pytest.fixture
def pair():
    return 40 * torch.randn(3, 2, 5, 7), 40 * torch.randn(3, 2, 5, 7)


def batch(truth):
    return Batch(torch.zeros(len(truth), 1, *truth.shape[-2:]), truth, torch.arange(len(truth)))


def test_l1_is_the_mean_distance_of_both_channels(pair):
    ab, truth = pair
    expected = np.abs((ab - truth).numpy()).mean() / 110
    assert L1()(ab, batch(truth)).item() == pytest.approx(expected, rel=1e-5)


def test_gradient_compares_neighbours(pair):
    ab, truth = pair
    across, down = (np.abs(np.diff((ab - truth).numpy(), axis=axis)).mean() / 110 for axis in (-1, -2))
    assert Gradient()(ab, batch(truth)).item() == pytest.approx((across + down) / 2, rel=1e-5)


def test_an_offset_has_no_gradient(pair):
    _, truth = pair
    assert Gradient()(truth + 20, batch(truth)).item() == pytest.approx(0, abs=1e-6)
    assert L1()(truth + 20, batch(truth)).item() == pytest.approx(20 / 110, rel=1e-5)


def test_a_negative_weight_is_refused():
    assert L1(weight=0).weight == 0
    with pytest.raises(ValueError, match="weight=-1"):
        L1(weight=-1)


def test_of_two_equal_distances_the_gradient_minds_the_one_that_bleeds():
    """A red square whose colour runs 2 pixels over its edge, and a red square that is a little too pale."""
    truth = torch.zeros(1, 2, 32, 32)
    truth[:, 0, 8:24, 8:24] = 60
    bled = truth.clone()
    bled[:, 0, 6:26, 6:26] = 60
    pale = truth.clone()
    pale[:, 0, 8:24, 8:24] -= 60 * (20**2 - 16**2) / 16**2
    costs = [(L1()(x, batch(truth)).item(), Gradient()(x, batch(truth)).item()) for x in (bled, pale)]
    assert costs[0][0] == pytest.approx(costs[1][0], rel=1e-5)
    assert costs[0][1] > 2 * costs[1][1]
