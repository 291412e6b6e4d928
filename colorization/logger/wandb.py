"""Weights & Biases, never in the way: offline without a key or a server, and silent about it."""

import logging
import os
from pathlib import Path
from typing import Any, Literal

from pytorch_lightning.loggers import WandbLogger

log = logging.getLogger(__name__)

Mode = Literal["auto", "online", "offline", "disabled"]
PATIENCE = 15  # seconds that a start may wait for the server


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
    import wandb

    if mode not in ("auto", "online", "offline", "disabled"):
        raise ValueError(f"logger.mode={mode!r}: choose auto, online, offline or disabled")
    settings = wandb.Settings(silent=True, console="off", init_timeout=PATIENCE, disable_git=True)

    def start(how: Any) -> Any:
        return wandb.init(
            dir=folder, name=name, project=project, entity=entity, mode=how, id=run_id,
            resume="allow" if run_id else None, config=composed, settings=settings, reinit="finish_previous",
        )  # fmt: skip

    chosen: Any = mode
    try:
        if mode == "auto":
            chosen = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False) else "offline")
        run = start(chosen)
    except wandb.errors.Error as error:
        if chosen in ("offline", "disabled"):
            raise
        log.warning("W&B cannot be reached (%s); logging offline", str(error).splitlines()[0])
        chosen, run = "offline", start("offline")
    if chosen == "offline":
        log.info("W&B is offline; to upload this run later: wandb sync %s", Path(run.dir).parent)
    logger = WandbLogger(experiment=run, log_model=log_model)
    for metric, best in (
        ("val/psnr", "max"),
        ("val/ssim", "max"),
        ("val/ciede2000", "min"),
        ("val/loss", "min"),
    ):
        run.define_metric(metric, step_metric="trainer/global_step", summary=best)
    return logger
