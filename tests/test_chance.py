"""Random numbers that belong to a picture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from colorization.chance import Chance, _scrambled

whole = st.integers(0, 2**62)


def splitmix(z: np.ndarray) -> np.ndarray:
    """The reference, on unsigned numbers."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def test_signed_words_scramble_as_unsigned_ones():
    words = np.random.default_rng(0).integers(0, 2**64, 1000, dtype=np.uint64)
    expected = splitmix(words).view(np.int64)
    assert torch.equal(_scrambled(torch.from_numpy(words.view(np.int64))), torch.from_numpy(expected))


@given(st.lists(whole, min_size=1, max_size=8, unique=True), whole, st.integers(0, 1000), st.text(max_size=9))
@settings(max_examples=50, deadline=None)
def test_a_picture_draws_the_same_alone_and_in_any_batch(index, seed, epoch, name):
    positions = torch.tensor(index)
    together = Chance(positions, seed, epoch).stream(name)
    for i in range(len(index)):
        alone = Chance(positions[i : i + 1], seed, epoch).stream(name)
        assert torch.equal(alone.uniform(3, 2), together.uniform(3, 2)[i : i + 1])
        assert torch.equal(alone.normal(2, 5), together.normal(2, 5)[i : i + 1])


def test_fewer_numbers_are_the_first_of_more():
    chance = Chance(torch.arange(3))
    assert torch.equal(chance.uniform(4), chance.uniform(9)[:, :4])
    assert chance.uniform().shape == (3,) and chance.uniform(2, 4, 5).shape == (3, 2, 4, 5)


@pytest.mark.parametrize(
    "other",
    [
        lambda index: Chance(index, seed=1),
        lambda index: Chance(index, epoch=1),
        lambda index: Chance(index).stream("a"),
        lambda index: Chance(index + 100),
        lambda index: Chance(index, seed=1, epoch=0).stream("a"),
    ],
)
def test_seeds_epochs_purposes_and_pictures_are_independent(other):
    index = torch.arange(100)
    one, another = Chance(index).uniform(300), other(index).uniform(300)
    assert not (one == another).float().mean() > 1e-3
    assert abs(np.corrcoef(one.flatten(), another.flatten())[0, 1]) < 0.02


@pytest.mark.parametrize("axis", [0, 1])
def test_numbers_are_uniform_and_normal_over_pictures_and_within_one(axis):
    chance = Chance(torch.arange(2000 if axis == 0 else 1)).stream("x")
    shape = 1 if axis == 0 else 2000
    assert kstest(chance.uniform(shape).flatten().double(), "uniform").pvalue > 1e-3
    assert kstest(chance.normal(shape).flatten().double(), "norm").pvalue > 1e-3
    neighbours = chance.uniform(shape).flatten()
    assert abs(np.corrcoef(neighbours[1:], neighbours[:-1])[0, 1]) < 0.08


def test_neither_end_is_drawn():
    drawn = Chance(torch.arange(1000)).uniform(2000)
    assert drawn.min() > 0 and drawn.max() < 1 and drawn.dtype == torch.float32
