"""How PSNR rises with the number of points that a user reveals.

    python experiments/unet_points/curve.py runs/RUN

Prints Markdown, with bootstrap 95% intervals over the test pictures that have colour, and writes
docs/hints.png. Run from the root of the checkout.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from colorization import build
from colorization.compose import composed
from colorization.reopen import open_run
from colorization.report.statistics import interval
from colorization.scoring.curve import by_points

BATCH = 32


def main(run: Path) -> None:
    """Print the table and write the figure."""
    opened = open_run(run)
    colorizer, protocol = opened.colorizer(), build.protocol(composed("evaluate"))
    data = opened.data(protocol)
    test = torch.from_numpy(np.array(data.pack("test").pictures)).movedim(-1, 1)
    batches = zip(torch.arange(len(test)).split(BATCH), test.split(BATCH), strict=True)
    curve = by_points(colorizer, protocol, ["psnr"], batches)
    counts = list(curve)
    scores = np.array([[row["psnr"] for row in curve[count].rows if not row["grey"]] for count in counts]).T
    low, high = interval(scores)
    print(f"{opened.name}: {len(scores)} pictures of {data.name} test\n")
    print("| points | PSNR, dB | gain over none, dB |\n|---|---|---|")
    for count, psnr, half, gain in zip(
        counts, scores.mean(axis=0), (high - low) / 2, scores.mean(axis=0) - scores[:, 0].mean(), strict=True
    ):
        print(f"| {count} | {psnr:.3f} ± {half:.3f} | {gain:.3f} |")
    plot(counts, scores.mean(axis=0), low, high, Path("docs/hints.png"))


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
