"""Several colourings of a picture, against loops over pairs, pixels and choices."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000

from colorization.metric.diversity import (
    best_of,
    coverage,
    diversity,
    energy_distance,
    energy_score,
    large_share,
)


def colourings(n, seed=0, size=(6, 5), spread=20.0):
    """Lab (n, 2, 3, H, W) of two pictures, each with one lightness."""
    draw = torch.Generator().manual_seed(seed)
    L = 100 * torch.rand(1, 2, 1, *size, generator=draw).expand(n, -1, -1, -1, -1)
    return torch.cat([L, spread * torch.randn(n, 2, 2, *size, generator=draw)], dim=2)


def rms(one, other):
    """Of the distance in ab, (3, H, W) twice."""
    return np.sqrt(np.mean(np.sum((one[1:] - other[1:]) ** 2, axis=0)))


@given(st.lists(st.floats(0, 60), min_size=3, max_size=7), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_best_of_is_the_mean_over_all_choices(values, n):
    drawn = torch.tensor(values, dtype=torch.float64)[:, None]
    for better, best in (("higher", max), ("lower", min)):
        expected = np.mean([best(some) for some in itertools.combinations(values, n)])
        assert best_of(drawn, n, better).item() == pytest.approx(expected, abs=1e-9)


def test_best_of_takes_each_pictures_own_best():
    assert best_of(torch.tensor([[20.0, 25.0], [22.0, 21.0]]), 2).tolist() == [22, 25]


def test_diversity_is_the_mean_difference_over_pairs_and_pixels():
    drawn = colourings(4)
    for b in range(2):
        labs = drawn[:, b].movedim(1, -1).numpy()
        expected = [deltaE_ciede2000(one, other).mean() for one, other in itertools.combinations(labs, 2)]
        assert diversity(drawn)[b].item() == pytest.approx(np.mean(expected), rel=1e-4)


def test_equal_colourings_and_a_single_one_have_none():
    drawn = colourings(1)
    same = drawn.expand(3, -1, -1, -1, -1)
    assert diversity(same).tolist() == diversity(drawn).tolist() == [0, 0]
    assert large_share(same).isnan().all()


def test_a_tint_differs_in_large_regions_and_noise_in_small_ones():
    drawn = torch.zeros(6, 1, 3, 64, 48)
    tint = drawn + torch.tensor([0.0, 1, 1])[:, None, None] * torch.randn(6, 1, 1, 1, 1)
    assert large_share(tint).item() == pytest.approx(1, abs=1e-4)
    noise = torch.randn(6, 1, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    assert large_share(noise).item() == pytest.approx(1 / (8 * 6), rel=0.25)


def test_coverage_is_the_share_of_pixels_near_one_of_the_colourings():
    drawn, truth = colourings(3, spread=8), colourings(1, seed=1, spread=8)[0]
    truth[:, 0] = drawn[0, :, 0]
    for b in range(2):
        labs, right = drawn[:, b].movedim(1, -1).numpy(), truth[b].movedim(0, -1).numpy()
        expected = (np.min([deltaE_ciede2000(one, right) for one in labs], axis=0) <= 5).mean()
        assert 0 < expected < 1
        assert coverage(drawn, truth)[b].item() == pytest.approx(expected)


def test_the_energy_score_is_its_formula():
    drawn, truth = colourings(4), colourings(1, seed=1)[0]
    for b in range(2):
        labs, right = drawn[:, b].numpy(), truth[b].numpy()
        pairs = [rms(labs[i], labs[j]) for i in range(4) for j in range(4) if i != j]
        expected = np.mean([rms(one, right) for one in labs]) - np.mean(pairs) / 2
        assert energy_score(drawn, truth)[b].item() == pytest.approx(expected, rel=1e-4)
    assert energy_score(drawn[:1], truth).isnan().all()


def test_the_energy_score_prefers_the_truth_s_own_distribution():
    """Over many truths of two colours: drawn evenly it scores better than one colour, the mean, or 9 to 1."""
    draw = torch.Generator().manual_seed(0)

    def of(share, count=4000, n=1):
        red = (torch.rand(n, count, 1, 1, 1, generator=draw) < share).float()
        return torch.cat([torch.zeros(n, count, 1, 4, 4), (60 * red - 30).expand(-1, -1, 2, 4, 4)], dim=2)

    truth = of(0.5)[0]
    score = {share: energy_score(of(share, n=6), truth).mean().item() for share in (0.5, 0.9, 1.0)}
    mean = energy_score(torch.zeros(6, 4000, 3, 4, 4), truth).mean().item()
    assert score[0.5] < min(score[0.9], score[1.0], mean) - 1


def test_the_energy_distance_is_its_formula_and_zero_on_average_for_one_distribution():
    one, other = colourings(3), colourings(5, seed=1)
    x, y = one[:, 0].numpy(), other[:, 0].numpy()
    across = np.mean([rms(a, b) for a in x for b in y])
    within = [np.mean([rms(a, b) for a, b in itertools.combinations(z, 2)]) for z in (x, y)]
    assert energy_distance(one, other)[0].item() == pytest.approx(2 * across - sum(within), rel=1e-3)
    alike = torch.stack(
        [energy_distance(colourings(4, k), colourings(4, k + 500)).mean() for k in range(100)]
    )
    assert alike.mean().abs() < 4 * alike.std() / 10 and alike.min() < 0
