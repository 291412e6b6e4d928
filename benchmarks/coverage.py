"""How often do the 95% intervals hold the truth? By simulation: python -m benchmarks.coverage

Pictures' scores are drawn from distributions whose mean is known; the interval of each draw either holds
that mean or does not. The share that does should be 95%.
"""

import time
from collections.abc import Callable

import numpy as np

from colorization.report.statistics import between_seeds, interval

DRAWS = 2000
RESAMPLES = 2000
PICTURES = (100, 300, 933)
Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
SHAPES: dict[str, tuple[float, Draw]] = {
    "normal, as PSNR": (24.0, lambda rng, size: rng.normal(24.0, 4.5, size)),
    "gamma of shape 4, as CIEDE2000 (skew 1)": (10.0, lambda rng, size: rng.gamma(4.0, 2.5, size)),
    "gamma of shape 1, as chroma (skew 2)": (7.0, lambda rng, size: rng.gamma(1.0, 7.0, size)),
    "log-normal of sigma 0.7 (skew 2.9)": (1.0, lambda rng, size: rng.lognormal(-0.245, 0.7, size)),
    "differences, nine in ten near zero": (
        0.1, lambda rng, size: 0.1 + rng.normal(0, 0.1, size) * np.where(rng.random(size) < 0.1, 10, 1),
    ),
}  # fmt: skip
SEEDS = {  # standard deviations, in dB: of a seed, of a method on one picture, of one seed on one picture
    "seeds far apart": (0.10, 0.3, 0.5),
    "seeds as far apart as pictures make them": (0.02, 0.5, 0.5),
    "seeds alike": (0.0, 0.5, 0.1),
}


def main() -> None:
    began = time.perf_counter()
    print(f"### Coverage of the bootstrap 95% interval, {DRAWS} draws\n")
    print("| scores | " + " | ".join(f"{count} pictures" for count in PICTURES) + " |")
    print("|---" + "|---:" * len(PICTURES) + "|")
    for name, (mean, draw) in SHAPES.items():
        shares = [covered(draw, mean, count) for count in PICTURES]
        print(f"| {name} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    print("\n### Coverage of the 95% interval between two methods of some seeds each, 933 pictures\n")
    print("| | 2 seeds | 3 seeds | 5 seeds |\n|---|---:|---:|---:|")
    for name, deviations in SEEDS.items():
        shares = [covered_over_seeds(count, 933, *deviations) for count in (2, 3, 5)]
        print(f"| {name} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    print(f"\n{time.perf_counter() - began:.0f} s")


def covered(draw: Draw, mean: float, pictures: int) -> float:
    """The share of DRAWS samples whose interval holds the mean; 100 share their resamples at a time."""
    rng = np.random.default_rng(pictures)
    inside = 0
    for seed in range(DRAWS // 100):
        low, high = interval(draw(rng, (pictures, 100)), resamples=RESAMPLES, seed=seed)
        inside += int(((low <= mean) & (mean <= high)).sum())
    return inside / DRAWS


def covered_over_seeds(seeds: int, pictures: int, of_seed: float, of_picture: float, of_both: float) -> float:
    """The same of `between_seeds`, where two methods differ by 0.1 dB."""
    rng = np.random.default_rng(seeds)
    inside = 0
    for _ in range(DRAWS):
        hard = rng.normal(24, 4.5, pictures)  # what both methods find in a picture
        first, second = (
            hard
            + rng.normal(mean, of_picture, pictures)
            + rng.normal(0, of_seed, (seeds, 1))
            + rng.normal(0, of_both, (seeds, pictures))
            for mean in (0.0, 0.1)
        )
        told = between_seeds(first, second, "higher")
        inside += told.low <= 0.1 <= told.high
    return inside / DRAWS


if __name__ == "__main__":
    main()
