"""The game of two runs, healthy and collapsed, as one figure.

python experiments/adversarial/curves.py runs/HEALTHY runs/COLLAPSED   writes curves.png beside this file
"""

import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from colorization.files import read_csv

PLOTS = (
    ("losses of the game", {"train/critic/loss": "critic", "train/adversarial": "network"}),
    ("mean scores", {"train/critic/real": "truth", "train/critic/fake": "prediction"}),
    ("truth above prediction, share of places", {"train/critic/right": "critic"}),
    ("gradient norms", {"train/critic/grad_norm": "critic", "train/grad_norm": "network"}),
)


def draw(runs: list[Path], image: Path) -> None:
    """A row of plots for each run, over the batches."""
    figure = Figure(figsize=(14, 3 * len(runs)), layout="constrained")
    FigureCanvasAgg(figure)
    for run, row in zip(runs, figure.subplots(len(runs), len(PLOTS), squeeze=False), strict=True):
        table = read_csv(run / "metrics.csv")
        for axes, (title, columns) in zip(row, PLOTS, strict=True):
            for column, label in columns.items():
                points = [(int(entry["step"]), float(entry[column])) for entry in table if entry.get(column)]
                axes.plot(*zip(*points, strict=True), label=label)
            axes.set_title(f"{run.name}: {title}", fontsize=10)
            axes.grid(alpha=0.3)
            axes.legend(frameon=False)
    figure.savefig(image, dpi=80)


if __name__ == "__main__":
    draw([Path(name) for name in sys.argv[1:]], Path(__file__).with_name("curves.png"))
