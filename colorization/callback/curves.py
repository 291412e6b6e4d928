"""Training curves as one PNG in the run folder."""

from pathlib import Path

import pytorch_lightning as pl

from colorization.files import read_csv

# One small plot each: title, what is drawn, whether the truth's own value is drawn beside it.
PLOTS = (
    ("loss", ("train/loss", "val/loss")),
    ("PSNR, dB", ("val/psnr",)),
    ("SSIM", ("val/ssim",)),
    ("CIEDE2000", ("val/ciede2000",)),
    ("chroma, CIE units", ("val/chroma", "val/chroma_truth")),
    ("learning rate", ("train/lr",)),
)
# And of a run with a critic.
CRITIC = (
    ("losses of the game", ("train/adversarial", "train/critic/loss")),
    ("scores of truth and prediction", ("train/critic/real", "train/critic/fake")),
    ("gradient norms", ("train/grad_norm", "train/critic/grad_norm")),
)


class Curves(pl.Callback):
    """Draw metrics.csv as curves.png after each validation."""

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        folder = Path(trainer.default_root_dir)
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        for logger in trainer.loggers:
            logger.save()
        if (folder / "metrics.csv").exists():
            draw(folder / "metrics.csv", folder / "curves.png")


def draw(table: Path, image: Path) -> None:
    """metrics.csv -> a PNG of small plots over the pictures seen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = read_csv(table)
    plots = PLOTS + (CRITIC if any(row.get("train/critic/loss") for row in rows) else ())
    figure = Figure(figsize=(12, len(plots)), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, names) in zip(figure.subplots(len(plots) // 3, 3).flat, plots, strict=True):
        for name in [name for name in names if any(row.get(name) for row in rows)]:
            points = [(float(row["pictures"]), float(row[name])) for row in rows if row.get(name)]
            axes.plot(*zip(*points, strict=True), label=name, marker="o" if len(points) < 3 else None)
        axes.set_title(title)
        axes.set_xlabel("pictures seen")
        axes.grid(alpha=0.3)
        if len(axes.lines) > 1:
            axes.legend(frameon=False)
    figure.savefig(image, dpi=100)
