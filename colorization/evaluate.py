"""Score a trained run, picture by picture.

    python -m colorization.evaluate run=runs/RUN                               on its own test pictures
    python -m colorization.evaluate run=runs/RUN split=val
    python -m colorization.evaluate run=best.ckpt data=folder data.root=PHOTOS  on other pictures

Writes RUN/evaluation/DATA_SPLIT/: pictures.csv (one row per picture), grey.csv (the same for the
grey prediction), summary.json (means), and the predictions as PNG.
"""

from omegaconf import DictConfig
from rich.console import Console

from colorization import build
from colorization.command import command, device
from colorization.config import ConfigError
from colorization.run import open_run
from colorization.score import score, summary_table


@command("evaluate", __doc__)
def main(cfg: DictConfig) -> None:
    """Reopen the run, score it, print the means beside the grey floor."""
    if not cfg.run:
        raise ConfigError(["no run given: python -m colorization.evaluate run=runs/RUN"])
    opened = open_run(cfg.run)
    data = build.data(cfg if cfg.get("data") else opened.config)
    colorizer = opened.colorizer().to(device(cfg.device))
    summary = score(colorizer, data, cfg.split, opened.folder, opened.checkpoint, cfg.batch_size)
    Console().print(summary_table(summary, opened.name))
    print(f"tables and pictures: {opened.folder}/evaluation/{summary['data']}_{cfg.split}/")


if __name__ == "__main__":
    main()
