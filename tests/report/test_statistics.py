"""The statistics against scipy, a worked example, and simulation."""

import numpy as np
import pytest
from scipy import stats

from colorization.report.statistics import bootstrap_means, compare, holm, interval, permutation_p


def test_the_interval_agrees_with_scipy():
    values = np.random.default_rng(1).gamma(2.0, 3.0, size=400)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=2
    ).confidence_interval
    assert np.allclose(interval(values[:, None])[:, 0], expected, atol=0.03)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    """500 skewed samples of 200: 95% +- 3 standard errors of the simulation."""
    rng = np.random.default_rng(0)
    samples = rng.gamma(4.0, 1.0, size=(200, 500))
    low, high = interval(samples, resamples=2000)
    covered = ((low <= 4.0) & (high >= 4.0)).mean()
    assert 0.92 <= covered <= 0.98


def test_all_columns_share_their_resamples():
    values = np.random.default_rng(0).normal(size=(50, 1))
    means = bootstrap_means(np.hstack([values, values + 1]), resamples=700)
    assert means.shape == (700, 2)
    assert np.allclose(means[:, 1] - means[:, 0], 1)


def test_the_permutation_test_agrees_with_scipy():
    differences = np.random.default_rng(3).normal(0.15, 1.0, size=200)
    result = stats.permutation_test(
        (differences, np.zeros(200)),
        lambda x, y: np.mean(x - y),
        permutation_type="samples",
        n_resamples=10_000,
        rng=4,
    )
    assert permutation_p(differences[:, None])[0] == pytest.approx(result.pvalue, abs=0.01)


def test_equal_runs_are_not_told_apart_and_p_is_never_zero():
    same = np.zeros((30, 1))
    assert permutation_p(same)[0] == 1.0
    assert 0 < permutation_p(same + 1.0)[0] < 0.001


def test_false_alarms_are_as_rare_as_they_should_be():
    noise = np.random.default_rng(5).normal(size=(100, 400))
    assert (permutation_p(noise, resamples=1000) < 0.05).mean() < 0.09


def test_holm_by_hand():
    assert np.allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    assert np.allclose(holm(np.array([0.5, 0.9])), [1.0, 1.0])


def test_a_comparison_says_who_wins():
    rng = np.random.default_rng(0)
    baseline = rng.normal(10, 1, size=300)
    (lower,) = compare(baseline, [baseline - 0.5 + rng.normal(0, 0.1, 300)], better="lower")
    assert lower.real and lower.wins > 0.99 and lower.low < -0.5 < lower.high
    (noise,) = compare(baseline, [baseline + rng.normal(0, 0.1, 300)], better="higher")
    assert not noise.real and 0.4 < noise.wins < 0.6
    assert compare(baseline, [], better="higher") == []
