"""Compare runs that were scored on the same pictures: which differences are real?

    python -m colorization.compare runs/ONE runs/OTHER              tables here, page in compare.html
    python -m colorization.compare runs/* format=markdown           tables for a README
    python -m colorization.compare runs/ONE runs/OTHER out=table.tex metrics=[psnr,ssim]
    python -m colorization.compare runs/* record=experiments/NAME   a study's README.md and samples.jpg
    python -m colorization.compare runs/SWEEP                       a sweep: what mattered, what won
    python -m colorization.compare runs/ONE wandb:ENTITY/PROJECT/ID  a run that Weights & Biases keeps

The first run is the baseline; the others are compared with it picture by picture. Runs that differ by their
seed alone are compared as one method. Every table has floors and ceilings. A folder with pictures.csv and
summary.json, from any tool, counts as a run.
"""

from pathlib import Path

from omegaconf import DictConfig

from colorization.command import command

ENDINGS = {".md": "markdown", ".tex": "latex", ".csv": "csv"}


@command("compare", __doc__, positional="runs")
def main(cfg: DictConfig) -> None:
    """Read, compare, print; write the page, or the text format asked for."""
    from rich.console import Console

    from colorization.files import write_text
    from colorization.report import tables
    from colorization.report.comparison import brief, compare_runs
    from colorization.report.dashboard import local_folder, publish
    from colorization.report.page import page
    from colorization.report.reading import read_runs
    from colorization.report.settings import setting_differences
    from colorization.study import record_comparison
    from colorization.trials.record import is_sweep, scored_among

    if len(cfg.runs) == 1 and is_sweep(Path(cfg.runs[0])):
        compare_sweep(Path(cfg.runs[0]), cfg)
        return
    cfg.runs = scored_among(cfg.runs)
    writers = {"markdown": tables.markdown, "latex": tables.latex, "csv": tables.as_csv}
    form = cfg.format or ENDINGS.get(Path(cfg.out or "").suffix, "page")
    runs = read_runs([local_folder(str(path)) for path in cfg.runs], cfg.evaluation)
    table = compare_runs(runs, cfg.resamples)
    if cfg.metrics:
        table = table.select([cfg.metrics] if isinstance(cfg.metrics, str) else cfg.metrics)
    short = table if cfg.metrics else brief(runs, table)
    if cfg.record:
        record_comparison(Path(cfg.record), runs, short)
    if form in writers:
        text = writers[form](table if form == "csv" else short)
        print(text, end="")
        if cfg.out:
            write_text(Path(cfg.out), text)
        return
    console = Console()
    for block in tables.terminal(short, console.width):
        console.print(block)
    if setting_differences(runs):
        console.print(tables.settings_table(setting_differences(runs), [run.name for run in runs]))
    console.print(tables.notes(short), style="dim")
    out = Path(cfg.out or "compare.html")
    write_text(out, page(runs, table))
    print(f"page: {out}")
    if cfg.wandb and (link := publish(runs, table, out, cfg.wandb)):
        print(f"on Weights & Biases: {link}")


def compare_sweep(sweep: Path, cfg: DictConfig) -> None:
    """Write the page of a sweep."""
    from colorization.files import write_text
    from colorization.trials.page import page, publish

    out = Path(cfg.out or sweep / "compare.html")
    write_text(out, page(sweep))
    print(f"page: {out}")
    if cfg.wandb and (link := publish(sweep, out, cfg.wandb)):
        print(f"on Weights & Biases: {link}")


if __name__ == "__main__":
    main()
