"""Score a trained run, picture by picture.

    python -m colorization.evaluate run=runs/RUN                               on its own test pictures
    python -m colorization.evaluate run=runs/RUN split=val
    python -m colorization.evaluate run=best.ckpt data=folder data.root=PHOTOS  on other pictures

Writes RUN/evaluation/DATA_SPLIT/: pictures.csv (one row per picture), grey.csv (the same for the
grey prediction), summary.json (means), and the predictions as PNG.
"""

import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console

from colorization import build
from colorization.command import command, device
from colorization.config import ConfigError
from colorization.run import Run, open_run, write_json
from colorization.score import score, sha256, summary_table


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
    if cfg.record:
        write_json(
            Path(cfg.record) / "results.json", study(opened, summary, Path(cfg.record) / "recipe.yaml")
        )
    print(f"tables and pictures: {opened.folder}/evaluation/{summary['data']}_{cfg.split}/")


def study(opened: Run, summary: dict[str, Any], recipe: Path) -> dict[str, Any]:
    """What results.json records: the means, and what made them.

    Raises:
        ConfigError: when there is no such recipe, or the run was not one of it.
    """
    if not recipe.exists():
        raise ConfigError([f"record={recipe.parent}: no recipe.yaml there; write the recipe first"])
    run = json.loads((opened.folder / "run.json").read_text())
    if f"experiment={recipe.parent.name}" not in run["command"].split():
        raise ConfigError([f"record={recipe.parent}: {opened.name} was run by: {run['command']}"])
    kept = (
        "command",
        "git",
        "versions",
        "hardware",
        "seed",
        "seconds",
        "pictures_seen",
        "parameters",
        "data",
    )
    return {
        "recipe_sha256": sha256(recipe),
        "run": {key: run[key] for key in kept},
        "scores": {key: value for key, value in summary.items() if key not in ("units", "better")},
    }


if __name__ == "__main__":
    main()
