"""Is a difference real? Bootstrap intervals, paired permutation tests, Holm's correction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
CHUNK = 500  # resamples at a time: memory stays flat


@dataclass(frozen=True)
class Comparison:
    """One run against the baseline in one metric, paired over pictures.

    Attributes:
        difference: mean of run - baseline.
        low, high: its bootstrap 95% interval.
        p: two-sided sign-flip permutation p-value, Holm-corrected across the runs compared.
        wins: share of pictures where the run is better (ties count half).
    """

    difference: float
    low: float
    high: float
    p: float
    wins: float

    @property
    def real(self) -> bool:
        """Whether the corrected test tells the two apart at 5%."""
        return self.p < 0.05


def bootstrap_means(values: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Means of resampled pictures: (N, K) -> (resamples, K), the same resamples for every column."""
    rng = np.random.default_rng(seed)
    count = len(values)
    even = np.full(count, 1 / count)
    means = [
        rng.multinomial(count, even, size=min(CHUNK, resamples - start)) @ values / count
        for start in range(0, resamples, CHUNK)
    ]
    return np.concatenate(means)


def interval(
    values: np.ndarray, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> np.ndarray:
    """Percentile bootstrap interval of the mean over pictures (Efron 1979): (N, K) -> (2, K)."""
    tail = 100 * (1 - level) / 2
    return np.percentile(bootstrap_means(values, resamples, seed), (tail, 100 - tail), axis=0)


def permutation_p(differences: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Two-sided p-values that paired differences have mean zero, by random sign flips: (N, K) -> (K,).

    The observed arrangement counts as one of them (Phipson and Smyth 2010), so p is never 0.
    """
    rng = np.random.default_rng(seed)
    observed = np.abs(differences.sum(axis=0))
    as_extreme = np.ones(differences.shape[1])
    for start in range(0, resamples, CHUNK):
        signs = rng.choice((-1.0, 1.0), size=(min(CHUNK, resamples - start), len(differences)))
        as_extreme += (np.abs(signs @ differences) >= observed * (1 - 1e-12)).sum(axis=0)
    return as_extreme / (resamples + 1)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction (1979) of (M,) p-values tested together."""
    order = np.argsort(p)
    scaled = p[order] * (len(p) - np.arange(len(p)))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def compare(
    baseline: np.ndarray, others: Sequence[np.ndarray], better: str, resamples: int = RESAMPLES, seed: int = 0
) -> list[Comparison]:
    """Each of `others` against `baseline`, all (N,) over the same pictures, in one metric.

    Args:
        baseline: the metric of the run to compare with.
        others: the metric of the other runs.
        better: "higher", "lower" or "none" (which counts wins as higher).
        resamples: of bootstrap and permutation.
        seed: of both.
    """
    if not others:
        return []
    differences = np.stack([other - baseline for other in others], axis=1)
    low, high = interval(differences, resamples=resamples, seed=seed)
    p = holm(permutation_p(differences, resamples, seed))
    sign = -1 if better == "lower" else 1
    wins = (np.sign(sign * differences) + 1).mean(axis=0) / 2
    mean = differences.mean(axis=0)
    return [Comparison(*map(float, row)) for row in zip(mean, low, high, p, wins, strict=True)]
