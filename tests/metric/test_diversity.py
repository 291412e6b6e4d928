"""Several colourings of a picture, against a loop over pairs and pixels."""

import itertools

import numpy as np
import torch

from colorization.metric.diversity import best_of, diversity


def test_diversity_is_the_mean_distance_over_pairs():
    ab = 50 * torch.randn(4, 2, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    pairs = list(itertools.combinations(ab.double().numpy(), 2))
    expected = [np.mean([np.hypot(*(one[i] - other[i])).mean() for one, other in pairs]) for i in range(2)]
    assert np.allclose(diversity(ab), expected, rtol=1e-5)


def test_equal_samples_and_a_single_one_have_none():
    ab = torch.randn(1, 2, 2, 5, 6)
    assert diversity(ab.expand(3, -1, -1, -1, -1)).tolist() == diversity(ab).tolist() == [0, 0]


def test_best_of_takes_each_pictures_own_best():
    assert best_of(torch.tensor([[20.0, 25.0], [22.0, 21.0]])).tolist() == [22, 25]
