"""How PSNR rises with the number of points that a user reveals.

    python experiments/unet_points/curve.py runs/RUN

Prints Markdown, with bootstrap 95% intervals over the test pictures that have colour, and writes
docs/hints.png. Run from the root of the checkout.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from colorization.color import lab
from colorization.data.batch import Batch, Given
from colorization.data.module import PictureData
from colorization.hints.curve import psnr_by_points
from colorization.hints.points import Points
from colorization.metric.base import Pair
from colorization.metric.chroma import is_grey
from colorization.reopen import open_run
from colorization.report.statistics import interval

BATCH = 32


def main(run: Path) -> None:
    """Print the table and write the figure."""
    opened = open_run(run)
    colorizer, data = opened.colorizer(), opened.data()
    if not isinstance(colorizer.hints, Points):
        sys.exit(f"{run}: was trained without points; train one with experiment=unet_points")

    def predict(L: Tensor, hints: Tensor) -> Tensor:
        return colorizer.objective.predict(colorizer.network, Given(L, hints))

    curve = psnr_by_points(predict, coloured_batches(data), colorizer.hints)
    counts = list(curve)
    scores = torch.stack([curve[count] for count in counts], dim=1).double().numpy()
    low, high = interval(scores)
    print(f"{opened.name}: {len(scores)} pictures of {data.name} test\n")
    print("| points | PSNR, dB | gain over none, dB |\n|---|---|---|")
    for count, psnr, half, gain in zip(
        counts, scores.mean(axis=0), (high - low) / 2, scores.mean(axis=0) - scores[:, 0].mean(), strict=True
    ):
        print(f"| {count} | {psnr:.3f} ± {half:.3f} | {gain:.3f} |")
    plot(counts, scores.mean(axis=0), low, high, Path("docs/hints.png"))


def coloured_batches(data: PictureData) -> Iterator[Batch]:
    """The test pictures that have colour."""
    pictures = data.pack("test").pictures
    for start in range(0, len(pictures), BATCH):
        rgb = torch.from_numpy(np.array(pictures[start : start + BATCH])).movedim(-1, 1)
        kept = ~is_grey(Pair(rgb / 255, rgb / 255))
        if kept.any():
            L, ab = lab.split(rgb[kept])
            yield Batch(L, ab, torch.arange(start, start + len(rgb))[kept])


def plot(counts: list[int], means: np.ndarray, low: np.ndarray, high: np.ndarray, path: Path) -> None:
    """PSNR against points, on an axis that is logarithmic from 1 on and has a 0."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(counts, low, high, alpha=0.2, linewidth=0)
    axes.plot(counts, means, "o-", markersize=4)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set(xlabel="points of colour revealed", ylabel="PSNR, dB")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
