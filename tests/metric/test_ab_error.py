"""The error of ab and its cumulative curve, against loops over thresholds, bins and pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree
from skimage.color import rgb2lab

from colorization.color.gamut import Gamut, in_gamut
from colorization.color.lab import rgb_to_lab
from colorization.metric.ab_error import Rebalanced, ab_error_curve, ab_rmse, auc
from colorization.metric.base import Pair
from tests.metric.conftest import arrays

CENTRES = in_gamut().double().numpy()


def distances(pair):
    return [np.linalg.norm((rgb2lab(p) - rgb2lab(t))[..., 1:], axis=-1) for p, t in arrays(pair)]


def rebalanced(metric, *pairs):
    metric.reset()
    for pair in pairs:
        metric.update(pair)
    return metric.compute()


def test_rmse_by_its_formula(pair):
    expected = [np.sqrt(np.mean(d**2) / 2) for d in distances(pair)]
    assert np.allclose(ab_rmse(pair), expected, atol=1e-3)


def test_the_curve_counts_pixels(pair):
    expected = [[np.mean(d <= t) for t in range(151)] for d in distances(pair)]
    assert np.allclose(ab_error_curve(pair), expected, atol=1e-3)


def test_the_area_is_that_under_the_curve(pair):
    """A fine sweep of thresholds, integrated numerically; the whole thresholds alone come close to it."""
    sweep = np.linspace(0, 150, 6001)
    expected = [100 * np.trapezoid([np.mean(d <= t) for t in sweep], sweep) / 150 for d in distances(pair)]
    assert np.allclose(auc(pair), expected, atol=1e-2)
    coarse = 100 * torch.trapezoid(ab_error_curve(pair), dx=1.0) / 150
    assert torch.allclose(auc(pair), coarse, atol=0.5 / 1.5)


def test_exact_is_100_and_beyond_every_threshold_is_0():
    blue, yellow = torch.tensor([0.0, 0, 1]), torch.tensor([1.0, 1, 0])  # 231 apart in ab
    truth, other = (colour[None, :, None, None].expand(1, 3, 4, 4) for colour in (blue, yellow))
    assert auc(Pair(truth, truth)).item() == 100 and ab_error_curve(Pair(truth, truth)).min() == 1
    assert auc(Pair(other, truth)).item() == 0 and ab_error_curve(Pair(other, truth)).max() == 0


@given(st.integers(0, 2**32 - 1))
def test_a_colours_bin_is_its_nearest_centre(seed):
    rgb = torch.randint(256, (1, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    ab = rgb_to_lab(rgb)[:, 1:]
    assert torch.equal(Rebalanced().bin(ab), Gamut(in_gamut()).nearest(ab))


def test_rebalanced_by_its_formula(pair):
    """Eq. 4 of Zhang et al. 2016 with lambda 0: pixel by pixel, with a Gaussian kernel of sigma 5."""
    truth = np.concatenate([rgb2lab(t)[..., 1:].reshape(-1, 2) for _, t in arrays(pair)])
    share = np.concatenate([1 - np.minimum(d, 150).ravel() / 150 for d in distances(pair)])
    bins = KDTree(CENTRES).query(truth)[1]
    empirical = np.bincount(bins, minlength=313) / len(bins)
    kernel = np.exp(-((CENTRES[:, None] - CENTRES) ** 2).sum(-1) / 50)
    prior = (kernel / kernel.sum(axis=0)) @ empirical
    expected = 100 * np.average(share, weights=1 / prior[bins])
    assert rebalanced(Rebalanced(), pair) == pytest.approx(expected, abs=1e-2)
    assert abs(expected - 100 * share.mean()) > 0.5  # or the weights would be none


def test_a_flat_prior_changes_nothing(pair, tmp_path):
    np.save(tmp_path / "flat.npy", np.full(313, 1 / 313))
    flat = rebalanced(Rebalanced(str(tmp_path / "flat.npy")), pair)
    assert flat == pytest.approx(float(auc(pair).mean()), abs=1e-4)


@pytest.mark.parametrize("shares", [np.ones(312), np.arange(313.0)])
def test_a_prior_that_leaves_bins_out_is_refused(tmp_path, shares):
    np.save(tmp_path / "prior.npy", shares)
    with pytest.raises(ValueError, match="313 bins, all of them above 0"):
        Rebalanced(str(tmp_path / "prior.npy"))
