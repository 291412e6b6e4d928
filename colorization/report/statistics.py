"""Is a difference real? Bootstrap intervals, paired permutation tests, Holm's correction, several seeds.

Tables are (N, K): N pictures, K columns. NaN means that a metric is not defined for a picture; that column
leaves the picture out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit

RESAMPLES = 10_000
CHUNK = 500  # resamples at a time: memory stays flat


@dataclass(frozen=True)
class Comparison:
    """One run (or the mean over a method's seeds) against another in one metric, paired over pictures.

    Attributes:
        difference: mean of run - other.
        low, high: its 95% interval.
        p: two-sided p-value, Holm-corrected across the comparisons in this metric.
        wins: share of pictures where the run is better (ties count half).
    """

    difference: float
    low: float
    high: float
    p: float
    wins: float

    @property
    def real(self) -> bool:
        """Whether the corrected test is significant at 5%."""
        return self.p < 0.05


def bootstrap_means(values: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Means of resampled pictures: (N, K) -> (resamples, K), the same resamples for every column."""
    rng = np.random.default_rng(seed)
    count = len(values)
    even = np.full(count, 1 / count)
    defined = np.isfinite(values)
    filled = np.where(defined, values, 0.0)
    means = []
    for start in range(0, resamples, CHUNK):
        weights = rng.multinomial(count, even, size=min(CHUNK, resamples - start)).astype(float)
        counts = count if defined.all() else weights @ defined
        with np.errstate(invalid="ignore"):  # a resample without any defined picture has no mean
            means.append(weights @ filled / counts)
    return np.concatenate(means)


def interval(
    values: np.ndarray, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> np.ndarray:
    """Percentile bootstrap interval of the mean over pictures (Efron 1979): (N, K) -> (2, K)."""
    tail = 100 * (1 - level) / 2
    return np.nanpercentile(bootstrap_means(values, resamples, seed), (tail, 100 - tail), axis=0)


def permutation_p(differences: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Two-sided p-values that paired differences have mean zero, by random sign flips: (N, K) -> (K,).

    The observed arrangement counts as one of the flips (Phipson and Smyth 2010), so p is never 0.
    """
    rng = np.random.default_rng(seed)
    filled = np.nan_to_num(differences)  # an undefined difference adds nothing, whatever its sign
    observed = np.abs(filled.sum(axis=0))
    as_extreme = np.ones(differences.shape[1])
    for start in range(0, resamples, CHUNK):
        coins = rng.integers(0, 2, size=(min(CHUNK, resamples - start), len(differences)), dtype=np.int8)
        as_extreme += (np.abs((2.0 * coins - 1) @ filled) >= observed * (1 - 1e-12)).sum(axis=0)
    return as_extreme / (resamples + 1)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction (1979) of (M,) p-values tested together."""
    order = np.argsort(p)
    scaled = p[order] * (len(p) - np.arange(len(p)))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def compare_pairs(
    differences: np.ndarray, better: Sequence[str], resamples: int = RESAMPLES, seed: int = 0
) -> list[Comparison]:
    """Test columns of differences, run - other on the same pictures: (N, K) -> K comparisons.

    The p-values are not yet corrected for each other.

    Args:
        differences: one column per pair of runs and metric.
        better: of each column, "higher", "lower" or "none" (which counts wins as higher).
        resamples: of bootstrap and permutation.
        seed: of both.
    """
    if not differences.shape[1]:
        return []
    low, high = interval(differences, resamples=resamples, seed=seed)
    p = permutation_p(differences, resamples, seed)
    mean = np.nanmean(differences, axis=0)
    shares = [wins(column, direction) for column, direction in zip(differences.T, better, strict=True)]
    return [Comparison(*map(float, row)) for row in zip(mean, low, high, p, shares, strict=True)]


def wins(differences: np.ndarray, better: str) -> float:
    """The share of (N,) differences that are improvements; ties count half."""
    sign = -1 if better == "lower" else 1
    return float(np.nanmean(np.sign(sign * differences) + 1) / 2)


def over_seeds(runs: np.ndarray) -> tuple[float, float, float]:
    """Mean of one method and its 95% interval over seeds and pictures: (seeds, N) -> 3 numbers."""
    mean = float(runs.mean())
    error, freedom = _crossed([runs])
    half = float(stdtrit(freedom, 0.975)) * error
    return mean, mean - half, mean + half


def between_seeds(first: np.ndarray, second: np.ndarray, better: str) -> Comparison:
    """Two methods, each trained with several seeds: (seeds, N) and (other seeds, N); `second` - `first`.

    Seeds and pictures are both samples (crossed random effects, Clark 1973): a real difference holds for
    other seeds and for other pictures. Its variance is that over seeds plus that over pictures minus the
    residual, which both contain; the t-test has Satterthwaite's degrees of freedom (1946). The p-value is
    not yet corrected for other comparisons.
    """
    differences = second.mean(axis=0) - first.mean(axis=0)
    mean = float(differences.mean())
    error, freedom = _crossed([first, second])
    half = float(stdtrit(freedom, 0.975)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error)) if error else float(mean == 0)
    return Comparison(mean, mean - half, mean + half, p, wins(differences, better))


def correct(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with Holm's correction across them."""
    p = holm(np.array([comparison.p for comparison in comparisons]))
    return [replace(c, p=float(value)) for c, value in zip(comparisons, p, strict=True)]


def _crossed(methods: Sequence[np.ndarray]) -> tuple[float, float]:
    """Standard error and degrees of freedom of one method's mean, or of the difference of two."""
    signed = [sign * runs.mean(axis=0) for sign, runs in zip((1, -1), methods, strict=False)]
    pictures = float(np.var(sum(signed), ddof=1)) / methods[0].shape[1]
    seeds = [float(np.var(runs.mean(axis=1), ddof=1)) / len(runs) for runs in methods]
    residual = sum(map(_residual, methods))
    variance = max(sum(seeds) + pictures - residual, sum(seeds), pictures)
    parts = [(pictures, methods[0].shape[1] - 1)]
    parts += [(part, len(runs) - 1) for part, runs in zip(seeds, methods, strict=True)]
    spread = sum(part**2 / freedom for part, freedom in parts)
    return variance**0.5, variance**2 / spread if spread else 1.0


def _residual(runs: np.ndarray) -> float:
    """The part of the variance of the mean of (seeds, N) that neither seeds nor pictures explain."""
    seeds, pictures = runs.shape
    rest = runs - runs.mean(axis=0) - runs.mean(axis=1, keepdims=True) + runs.mean()
    return float((rest**2).sum()) / ((seeds - 1) * (pictures - 1)) / (seeds * pictures)
