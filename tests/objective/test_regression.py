"""Regression's losses by their formulas, and its prediction in CIE units."""

import numpy as np
import pytest
import torch

from colorization.data.batch import Given
from colorization.objective.regression import Regression
from tests.objective.fixed import Fixed, batch_of

DISTANCES = {  # of d, the difference of ab in units of 110, and delta = 10 / 110
    "mse": lambda d, delta: d**2,
    "l1": lambda d, delta: np.abs(d),
    "huber": lambda d, delta: np.where(np.abs(d) <= delta, d**2 / (2 * delta), np.abs(d) - delta / 2),
}


@pytest.mark.parametrize("kind", DISTANCES)
def test_the_loss_is_the_mean_of_its_distance(kind):
    network, ab = Fixed(0.3 * torch.randn(2, 2, 5, 7)), 30 * torch.randn(2, 2, 5, 7)
    losses = Regression(kind, delta=10.0).loss(network, batch_of(ab))
    difference = np.tanh(network.output.detach().numpy()) - ab.numpy() / 110
    assert {True, False} == set((np.abs(difference) < 10 / 110).ravel())  # both sides of delta
    assert losses.total.item() == pytest.approx(DISTANCES[kind](difference, 10 / 110).mean(), rel=1e-5)
    torch.testing.assert_close(losses.ab(), 110 * network.output.tanh())


def test_the_prediction_has_the_size_of_the_picture():
    network = Fixed(torch.full((1, 2, 2, 3), 0.5), stride=4)
    ab = Regression().predict(network, Given(torch.rand(1, 1, 7, 10)))
    torch.testing.assert_close(ab, torch.full((1, 2, 7, 10), 110 * np.tanh(0.5)))


def test_an_objective_with_nothing_to_tell_measures_nothing():
    losses = Regression().loss(Fixed(torch.zeros(1, 2, 4, 4)), batch_of(torch.zeros(1, 2, 4, 4)))
    assert losses.measured() == {}


@pytest.mark.parametrize("bad", [{"loss": "l2"}, {"delta": 0}, {"delta": -1.0}])
def test_a_bad_setting_is_named(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Regression(**bad)
