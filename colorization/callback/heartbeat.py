"""That a run is alive, for whoever sees its folder: heartbeat.json, written anew every few seconds."""

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from colorization.callback.budget import Budget, time_now
from colorization.callback.checkpoint import BestAndLast
from colorization.files import write_json

EVERY = 10.0  # seconds
FILE = "heartbeat.json"


class Heartbeat(pl.Callback):
    """Write where a run stands, at most every ten seconds.

    Args:
        folder: the run's.
        budget: what is spent of it.
        kept: its checkpoints, which know the best validation.
    """

    def __init__(self, folder: Path, budget: Budget, kept: BestAndLast):
        self.folder, self.budget, self.kept = folder, budget, kept
        self.beaten = -EVERY

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._beat(trainer)

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        self._beat(trainer)

    def on_validation_batch_end(self, trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        self._beat(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.beaten = -EVERY
        self._beat(trainer)

    def _beat(self, trainer: pl.Trainer) -> None:
        tries = trainer.fast_dev_run  # type: ignore[attr-defined]
        if tries or not trainer.is_global_zero or time_now() - self.beaten < EVERY:
            return
        self.beaten = time_now()
        best = self.kept.best_model_score
        write_json(
            self.folder / FILE,
            {
                "time": round(time.time(), 1),
                "progress": round(self.budget.progress(), 4),
                "pictures": self.budget.spent["pictures"],
                "watch": self.kept.monitor.removeprefix("val/"),
                "best": None if best is None else float(best),
                "host": socket.gethostname(),
                "process": os.getpid(),
            },
        )
