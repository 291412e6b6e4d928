"""Weights & Biases, never in the way: offline without a key or a server, and silent about it."""

import csv
import logging
import os
from pathlib import Path
from typing import Any, Literal

from pytorch_lightning.loggers import WandbLogger

log = logging.getLogger(__name__)

Mode = Literal["auto", "online", "offline", "disabled"]
PATIENCE = 15  # seconds that a start may wait for the server
PICTURES = 64  # of an evaluation that go to the server, evenly spaced, the same ones for every run
EVALUATION = "evaluation"  # the type of the artifact that holds a run folder without its checkpoints


def wandb_logger(
    folder: Path,
    name: str,
    mode: Mode = "auto",
    project: str = "colorization",
    entity: str | None = None,
    log_model: bool | Literal["all"] = False,
    run_id: str | None = None,
    composed: dict[str, Any] | None = None,
) -> WandbLogger:
    """Lightning's logger over a run that is started here.

    Args:
        folder: the run folder; W&B's own files go to its wandb/.
        name: the name that the dashboard shows.
        mode: "auto" is what WANDB_MODE says, else online when a key is there and offline when none is;
            an unreachable server turns online into offline.
        project: the project on the dashboard.
        entity: the user or team; null is the key's default.
        log_model: True uploads the best checkpoint at the end, "all" every one.
        run_id: the W&B run to go on with, for a resumed run.
        composed: the composed configuration, as plain data.
    """
    if mode not in ("auto", "online", "offline", "disabled"):
        raise ValueError(f"logger.mode={mode!r}: choose auto, online, offline or disabled")
    run = started(
        mode, dir=folder, name=name, project=project, entity=entity, id=run_id,
        resume="allow" if run_id else None, config=composed,
    )  # fmt: skip
    logger = WandbLogger(experiment=run, log_model=log_model)
    for metric, best in (
        ("val/psnr", "max"),
        ("val/ssim", "max"),
        ("val/ciede2000", "min"),
        ("val/loss", "min"),
    ):
        run.define_metric(metric, step_metric="trainer/global_step", summary=best)
    return logger


def started(mode: Mode, **about: Any) -> Any:
    """A W&B run, in a mode as `wandb_logger` tells; `about` goes to wandb.init."""
    import wandb

    settings = wandb.Settings(silent=True, console="off", init_timeout=PATIENCE, disable_git=True)
    chosen: Any = mode
    try:
        if mode == "auto":
            chosen = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False) else "offline")
        run = wandb.init(mode=chosen, settings=settings, reinit="finish_previous", **about)
    except wandb.errors.Error as error:
        if chosen in ("offline", "disabled"):
            raise
        log.warning("W&B cannot be reached (%s); logging offline", str(error).splitlines()[0])
        chosen = "offline"
        run = wandb.init(mode="offline", settings=settings, reinit="finish_previous", **about)
    if chosen == "offline":
        log.info("W&B is offline; to upload this run later: wandb sync %s", Path(run.dir).parent)
    return run


def log_evaluation(run: Any, folder: Path, evaluation: Path) -> None:
    """Send a scored run's tables: one with pictures to look at, and all that `compare` reads.

    Args:
        run: the W&B run.
        folder: the run folder.
        evaluation: where in it pictures.csv, predictions/ and truth/ lie.
    """
    import wandb

    files = sorted(path.name for path in (evaluation / "truth").glob("*.png"))
    files = files[:: max(len(files) // PICTURES, 1)][:PICTURES]
    artifact = wandb.Artifact(f"{EVALUATION}-{run.id}", EVALUATION)
    texts = [folder / name for name in ("config.yaml", "run.json", "metrics.csv")]
    texts += [*evaluation.glob("*.csv"), *evaluation.glob("*.json"), *evaluation.glob("baselines/*.csv")]
    pictures = [evaluation / kind / file for kind in ("truth", "predictions") for file in files]
    for path in [path for path in texts if path.exists()] + pictures:
        artifact.add_file(str(path), str(path.relative_to(folder)))
    run.log({f"{EVALUATION}/{evaluation.name}": _table(evaluation, set(files))})
    run.log_artifact(artifact)


def _table(evaluation: Path, files: set[str]) -> Any:
    """One row for each of these pictures: name, truth, prediction, metrics."""
    import wandb

    with (evaluation / "pictures.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (evaluation / "manifest.csv").open() as file:
        place = {row["name"]: row["file"] for row in csv.DictReader(file)}
    metrics = [column for column in rows[0] if column not in ("name", "grey")]
    table = wandb.Table(["name", "truth", "predicted", *metrics])
    for row in rows:
        if (name := place[row["name"]]) in files:
            both = [wandb.Image(str(evaluation / kind / name)) for kind in ("truth", "predictions")]
            table.add_data(row["name"], *both, *(float(row[metric]) for metric in metrics))
    return table
