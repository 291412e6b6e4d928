"""Ctrl-C: keep what was trained."""

import logging
import os
from pathlib import Path

import pytorch_lightning as pl

log = logging.getLogger(__name__)


class Interrupt(pl.Callback):
    """Save last.ckpt when a person stops the run, and say how to go on."""

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        if isinstance(exception, KeyboardInterrupt):
            folder = Path(trainer.default_root_dir)
            trainer.save_checkpoint(folder / "checkpoints" / "last.ckpt")
            log.info("stopped; go on by: python -m colorization.train resume=%s", os.path.relpath(folder))
