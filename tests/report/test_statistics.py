"""The statistics against scipy, a worked example, and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from colorization.report.statistics import (
    Comparison,
    between_seeds,
    bootstrap_means,
    compare_pairs,
    correct,
    holm,
    interval,
    over_seeds,
    permutation_p,
    wins,
)


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


def test_undefined_pictures_take_no_part():
    """A column with holes has the interval of what is left of it, and does not touch its neighbour."""
    rng = np.random.default_rng(0)
    values = rng.normal(5, 1, size=(400, 2))
    whole = interval(values)
    values[::2, 1] = np.nan
    holed = interval(values)
    assert np.array_equal(holed[:, 0], whole[:, 0])
    alone = interval(values[1::2, 1:])
    assert np.allclose(holed[:, 1], alone[:, 0], atol=0.03)


def test_a_constant_with_holes_is_that_constant():
    values = np.where(np.arange(50) % 3, 5.0, np.nan)[:, None]
    assert np.allclose(interval(values, resamples=500), 5.0, atol=1e-12)


def test_a_difference_is_real_below_5_percent():
    assert Comparison(1.0, 0.5, 1.5, 0.0499, 0.9).real and not Comparison(1.0, -0.1, 2.1, 0.05, 0.6).real


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


@given(arrays(float, st.integers(1, 12), elements=st.floats(0, 1)))
def test_holm_lies_between_no_correction_and_bonferroni(p):
    adjusted = holm(p)
    assert (adjusted >= p).all() and (adjusted <= np.minimum(p * len(p), 1) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@given(arrays(float, st.integers(1, 30), elements=st.floats(-5, 5)))
def test_what_one_wins_the_other_loses(differences):
    assert wins(differences, "higher") + wins(-differences, "higher") == pytest.approx(1)
    assert wins(differences, "lower") == pytest.approx(wins(-differences, "higher"))


def test_a_comparison_says_who_wins():
    rng = np.random.default_rng(0)
    lower = -0.5 + rng.normal(0, 0.1, 300)
    noise = rng.normal(0, 0.1, 300)
    first, second = correct(compare_pairs(np.stack([lower, noise], axis=1), ["lower", "higher"]))
    assert first.real and first.wins > 0.99 and first.low < -0.5 < first.high
    assert not second.real and 0.4 < second.wins < 0.6
    assert compare_pairs(np.empty((300, 0)), []) == []


def methods(rng, gap, seeds=3, pictures=300, of_seed=0.1):
    """Two methods, (seeds, pictures) each, the second `gap` ahead."""
    hard = rng.normal(24, 4, pictures)
    return [
        hard
        + rng.normal(mean, 0.3, pictures)
        + rng.normal(0, of_seed, (seeds, 1))
        + rng.normal(0, 0.5, (seeds, pictures))
        for mean in (0.0, gap)
    ]


def test_seeds_and_pictures_are_both_samples():
    """The interval covers the true gap in 95% of worlds; one that took pictures alone would not."""
    rng = np.random.default_rng(0)
    worlds = [methods(rng, 0.2) for _ in range(400)]
    told = [between_seeds(first, second, "higher") for first, second in worlds]
    covered = np.mean([c.low <= 0.2 <= c.high for c in told])
    assert 0.92 <= covered <= 0.98
    naive = [interval((b[0] - a[0])[:, None], resamples=200)[:, 0] for a, b in worlds[:200]]
    assert np.mean([low <= 0.2 <= high for low, high in naive]) < 0.75


def test_one_picture_more_than_once_leaves_the_seeds():
    """Where pictures do not vary, what is left is Welch's t-test on the runs' means."""
    first, second = np.array([1.0, 1.3, 1.1]), np.array([1.6, 2.0, 1.7, 1.8])
    told = between_seeds(np.tile(first[:, None], 50), np.tile(second[:, None], 50), "higher")
    expected = stats.ttest_ind(second, first, equal_var=False)
    assert told.p == pytest.approx(expected.pvalue)
    assert (told.low, told.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_seeds_that_agree_leave_the_pictures():
    """Where seeds do not vary, what is left is the paired t-test over pictures."""
    rng = np.random.default_rng(2)
    first, second = rng.normal(24, 4, 100), rng.normal(24.4, 4, 100)
    told = between_seeds(np.tile(first, (3, 1)), np.tile(second, (3, 1)), "higher")
    assert told.p == pytest.approx(stats.ttest_rel(second, first).pvalue)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_which_method_comes_first_changes_the_sign_alone(seed):
    first, second = methods(np.random.default_rng(seed), 0.3, pictures=40)
    ahead, behind = between_seeds(first, second, "higher"), between_seeds(second, first, "higher")
    assert ahead.difference == pytest.approx(-behind.difference) and ahead.p == pytest.approx(behind.p)
    assert (ahead.low, ahead.high) == pytest.approx((-behind.high, -behind.low))


def test_a_method_against_itself_is_no_difference():
    first, _ = methods(np.random.default_rng(0), 0)
    assert between_seeds(first, first, "higher").p == 1
    flat = np.ones((2, 5))
    assert between_seeds(flat, flat, "higher") == Comparison(0.0, 0.0, 0.0, 1.0, 0.5)
    assert over_seeds(flat) == (1.0, 1.0, 1.0)
