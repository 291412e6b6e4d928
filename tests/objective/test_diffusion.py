"""Diffusion against closed forms, and against its published constants (Palette)."""

import numpy as np
import pytest
import torch

from colorization.chance import Chance
from colorization.compose import composed
from colorization.data.batch import Batch
from colorization.objective.diffusion import Diffusion, gammas
from tests.objective.fixed import Fixed
from tests.objective.gaussian import MEAN, SPREAD, diffused, moments


def test_its_levels_are_those_of_palette():
    """2000 betas from 1e-6 to 1e-2 in training, 1000 from 1e-4 to 9e-2 in sampling."""
    model = Diffusion()
    for found, (first, last, count) in (
        (model.taught[1:], (1e-6, 1e-2, 2000)),
        (model.levels, (1e-4, 9e-2, 1000)),
    ):
        left, expected = 1.0, []
        for k in range(count):
            left *= 1 - (first + (last - first) * k / (count - 1))
            expected.append(left)
        assert np.allclose(found.numpy(), expected, rtol=1e-4)


def test_the_best_network_draws_the_truth_s_distribution_in_all_steps_and_a_narrower_one_in_few():
    mean, spread = moments(Diffusion(steps=1000), diffused(), side=12, n=12)
    assert mean == pytest.approx(MEAN, abs=0.04) and spread == pytest.approx(SPREAD, rel=0.1)
    mean, narrow = moments(Diffusion(steps=50), diffused(), side=12, n=12)
    assert mean == pytest.approx(MEAN, abs=0.04) and 0.6 * SPREAD < narrow < 0.9 * SPREAD


def test_its_recipe_has_palette_s_optimizer_average_and_size():
    cfg = composed("train", ["experiment=palette"])
    assert cfg.optimizer._target_ == "torch.optim.Adam" and cfg.optimizer.lr == 5e-5
    assert cfg.callback.ema.decay == 0.9999 and cfg.data.image_size == 256 and cfg.model.width == 64


def test_gamma_is_uniform_between_neighbouring_levels():
    model, chance = Diffusion(), Chance(torch.arange(4000))
    found = model._gamma(chance).sort(descending=True).values
    assert found.max() <= 1 and found.min() >= model.taught[-1]
    expected = gammas(1e-6, 1e-2, 2000)[1:]
    assert np.allclose(found[1::2][:-1], expected[:-1], atol=0.006)  # two in each of 2000 parts


def test_the_loss_is_the_squared_error_of_the_noise():
    network = Fixed(torch.zeros(2, 2, 8, 8))
    network.forward = lambda x, t: network.output
    seen = Batch(torch.zeros(2, 1, 8, 8), 10 * torch.randn(2, 2, 8, 8), torch.arange(2))
    expected = seen.given.numbers("noise").normal(2, 8, 8).square().mean()
    torch.testing.assert_close(Diffusion().loss(network, seen).total, expected)
