"""What a distribution buys: accuracy against colour, over the temperature of the annealed mean.

    python experiments/unet_classification/tradeoff.py runs/REGRESSION runs/CLASSIFICATION [more runs]

Scores each regression once and each classification at every temperature, on the run's own test
pictures that have colour. Prints Markdown and writes docs/tradeoff.png. Run from the root of the checkout.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure

from colorization import build
from colorization.compose import composed
from colorization.metric.base import Metric, Pair, SetMetric
from colorization.metric.chroma import is_grey
from colorization.module import Colorizer
from colorization.objective.classification import Classification
from colorization.reopen import open_run
from colorization.report.statistics import interval

TEMPERATURES = (0.05, 0.2, 0.38, 0.6, 0.8, 1.0)  # from near the mode to the mean
METRICS = ("psnr", "ciede2000", "colorfulness", "colorfulness_truth", "auc_rebalanced")
BATCH = 32


class Point(NamedTuple):
    """One decoding of one run: the mean of each metric, and half its bootstrap 95% interval (nan: none)."""

    run: str
    temperature: float | None
    mean: dict[str, float]
    half: dict[str, float]


def main(runs: list[Path]) -> None:
    """Print the table and write the figure."""
    points = [point for run in runs for point in decodings(run)]
    metrics = build.metrics(composed("train", [f"metric=[{','.join(METRICS)}]"]))
    arrows = {"higher": " ↑", "lower": " ↓", "none": ""}
    names = [f"{name}, {metric.unit}{arrows[metric.better]}" for name, metric in metrics.items()]
    print("| run | temperature |", " | ".join(names), "|\n" + "|---" * (len(names) + 2) + "|")
    for point in points:
        cells = [cell(point.mean[name], point.half[name]) for name in metrics]
        print(f"| {point.run} | {point.temperature or ''} |", " | ".join(cells), "|")
    plot(points, Path("docs/tradeoff.png"))


def decodings(run: Path) -> Iterator[Point]:
    """Every decoding of a run."""
    opened = open_run(run)
    colorizer, data = opened.colorizer(), opened.data()
    pictures = data.pack("test").pictures
    objective = colorizer.objective
    if not isinstance(objective, Classification):
        yield Point(opened.name, None, *scored(colorizer, pictures))
        return
    for temperature in TEMPERATURES:
        objective.temperature = temperature
        yield Point(opened.name, temperature, *scored(colorizer, pictures))


def scored(colorizer: Colorizer, pictures: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """The mean of every metric over the pictures that have colour, and half its interval."""
    metrics = build.metrics(composed("train", [f"metric=[{','.join(METRICS)}]"]))
    values: dict[str, list[np.ndarray]] = {n: [] for n, m in metrics.items() if isinstance(m, Metric)}
    for start in range(0, len(pictures), BATCH):
        rgb = torch.from_numpy(np.array(pictures[start : start + BATCH])).movedim(-1, 1)
        pair = colorizer.colour(rgb, start)
        kept = ~is_grey(pair)
        pair = Pair(pair.predicted[kept], pair.truth[kept])
        for name, metric in metrics.items():
            if isinstance(metric, SetMetric):
                metric.update(pair)
            else:
                values[name].append(metric(pair).numpy())
    mean = {n: float(m.compute()) for n, m in metrics.items() if isinstance(m, SetMetric)}
    half = dict.fromkeys(mean, float("nan"))
    for name, parts in values.items():
        column = np.concatenate(parts).astype(np.float64)
        low, high = interval(column[:, None])[:, 0]
        mean[name], half[name] = float(column.mean()), float(high - low) / 2
    return mean, half


def cell(mean: float, half: float) -> str:
    """A number with its interval, where it has one."""
    return f"{mean:.3f}" if np.isnan(half) else f"{mean:.3f} ± {half:.3f}"


def plot(points: list[Point], path: Path) -> None:
    """PSNR against colorfulness: a dot for a regression, a line over temperatures for a classification."""
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for run in dict.fromkeys(point.run for point in points):
        own = [point for point in points if point.run == run]
        x = [point.mean["colorfulness"] for point in own]
        y = [point.mean["psnr"] for point in own]
        axes.errorbar(
            x, y, [point.half["psnr"] for point in own], fmt="o-", markersize=4, capsize=2, label=run
        )
        for point, at in zip(own, zip(x, y, strict=True), strict=True):
            if point.temperature:
                axes.annotate(f"{point.temperature}", at, (4, 4), textcoords="offset points", fontsize=8)
    truth = points[0].mean["colorfulness_truth"]
    axes.axvline(truth, color="0.6", linestyle="--", linewidth=1, label="the truth's colorfulness")
    axes.set(xlabel="colorfulness (M3)", ylabel="PSNR, dB")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main([Path(name) for name in sys.argv[1:]])
