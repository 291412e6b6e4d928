"""Compare runs that were scored on the same pictures: which differences are real?

    python -m colorization.compare runs/ONE runs/OTHER              table here, page in compare.html
    python -m colorization.compare runs/* format=markdown           a table for a README
    python -m colorization.compare runs/ONE runs/OTHER format=latex

The first run is the baseline; each other one is told apart from it picture by picture. A folder with
pictures.csv, grey.csv and summary.json, of whatever tool, counts as a run too.
"""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from colorization.command import command
from colorization.config import ConfigError
from colorization.report import tables
from colorization.report.page import page
from colorization.report.reading import differences, read_all
from colorization.run import write

WRITERS = {"markdown": tables.markdown, "latex": tables.latex, "csv": tables.as_csv}


@command("compare", __doc__, positional="runs")
def main(cfg: DictConfig) -> None:
    """Read, compare, print; write the page, or the text format asked for."""
    if cfg.format not in ("page", *WRITERS):
        raise ConfigError([f"format={cfg.format}: choose page, {', '.join(WRITERS)}"])
    runs = read_all(cfg.runs, cfg.evaluation)
    table = tables.compared(runs, cfg.resamples)
    if cfg.format in WRITERS:
        text = WRITERS[cfg.format](table)
        print(text, end="")
        if cfg.out:
            write(Path(cfg.out), text)
        return
    console = Console()
    console.print(tables.terminal(table))
    if differences(runs):
        console.print(settings_table(differences(runs), [run.name for run in runs]))
    out = Path(cfg.out or "compare.html")
    out.parent.mkdir(parents=True, exist_ok=True)
    write(out, page(runs, table))
    print(f"page: {out}")


def settings_table(settings: dict[str, list[object]], names: list[str]) -> Table:
    """The settings that differ, one column per run."""
    table = Table("setting", *names, title="settings that differ", title_justify="left")
    for key, values in settings.items():
        table.add_row(key, *map(str, values))
    return table


if __name__ == "__main__":
    main()
