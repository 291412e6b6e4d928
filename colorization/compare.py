"""Compare runs that were scored on the same pictures: which differences are real?

    python -m colorization.compare runs/ONE runs/OTHER              tables here, page in compare.html
    python -m colorization.compare runs/* format=markdown           tables for a README
    python -m colorization.compare runs/ONE runs/OTHER out=table.tex metrics=[psnr,ssim]
    python -m colorization.compare runs/* record=experiments/NAME   a study's README.md and samples.jpg
    python -m colorization.compare runs/ONE wandb:ENTITY/PROJECT/ID  a run that Weights & Biases keeps

The first run is the baseline; each other one is told apart from it picture by picture. Runs that differ
by their seed alone are told apart together. Floors and ceilings stand in every table. A folder with
pictures.csv and summary.json, of whatever tool, counts as a run too.
"""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from colorization.command import command
from colorization.report import tables
from colorization.report.comparison import compared, reported
from colorization.report.dashboard import local, publish
from colorization.report.page import page
from colorization.report.reading import read_all
from colorization.report.settings import differences
from colorization.run import write
from colorization.study import record_comparison

WRITERS = {"markdown": tables.markdown, "latex": tables.latex, "csv": tables.as_csv}
ENDINGS = {".md": "markdown", ".tex": "latex", ".csv": "csv"}


@command("compare", __doc__, positional="runs")
def main(cfg: DictConfig) -> None:
    """Read, compare, print; write the page, or the text format asked for."""
    chosen = cfg.format or ENDINGS.get(Path(cfg.out or "").suffix, "page")
    runs = read_all([local(path) for path in cfg.runs], cfg.evaluation)
    table = compared(runs, cfg.resamples)
    if cfg.metrics:
        table = table.narrowed([cfg.metrics] if isinstance(cfg.metrics, str) else cfg.metrics)
    brief = table if cfg.metrics else reported(runs, table)
    if cfg.record:
        record_comparison(Path(cfg.record), runs, brief)
    if chosen in WRITERS:
        text = WRITERS[chosen](table if chosen == "csv" else brief)
        print(text, end="")
        if cfg.out:
            write(Path(cfg.out), text)
        return
    console = Console()
    for shown in tables.terminal(brief, console.width):
        console.print(shown)
    if differences(runs):
        console.print(tables.settings_table(differences(runs), [run.name for run in runs]))
    console.print(tables.notes(brief), style="dim")
    out = Path(cfg.out or "compare.html")
    write(out, page(runs, table))
    print(f"page: {out}")
    if cfg.wandb and (link := publish(runs, table, out, cfg.wandb)):
        print(f"on Weights & Biases: {link}")


if __name__ == "__main__":
    main()
