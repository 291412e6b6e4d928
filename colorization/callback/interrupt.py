"""Ctrl-C, SIGTERM and SIGUSR1 (of clusters, before time is up): keep what was trained."""

import logging
import os
import shlex
import signal
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch

from colorization.callback.checkpoint import BestAndLast

log = logging.getLogger(__name__)

EVERY = 10  # batches between two questions to the first of several processes
SHELL = 128  # a shell adds the signal's number to it: 130 is Ctrl-C, 143 SIGTERM


class Interrupt(pl.Callback):
    """Finish the batch, save last.ckpt, say how to go on, and end with 128 + the signal's number.

    A second Ctrl-C ends at once; last.ckpt is then that of the last validation. Of several processes the
    first one decides. A validation that is due or unfinished then is run when training goes on.
    """

    def __init__(self, checkpoints: BestAndLast):
        self.checkpoints = checkpoints
        self.received = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen; Lightning, which listens already, gives the earlier listeners back at the end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, self._receive)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.world_size == 1 or batch_idx % EVERY == 0:
            self._stop_if_received(trainer)

    def on_validation_batch_end(self, trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.world_size == 1:  # of several processes some may have a batch more than others
            self._stop_if_received(trainer)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        if isinstance(exception, SystemExit) and self.received:
            self.checkpoints.save_last(trainer)
            resume = shlex.quote(f"resume={os.path.relpath(trainer.default_root_dir)}")
            if trainer.is_global_zero:
                log.info("stopped; go on by: python -m colorization.train %s", resume)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self.received:  # to Lightning, a validation that has begun and not ended is to be run again
            progress = checkpoint["loops"]["fit_loop"]["epoch_loop.val_loop.batch_progress"]
            for count in ("total", "current"):
                progress[count] |= {"ready": 1, "started": 1, "processed": 0, "completed": 0}

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number

    def _stop_if_received(self, trainer: pl.Trainer) -> None:
        if trainer.world_size > 1:
            first = torch.tensor(self.received, device=trainer.strategy.root_device)
            torch.distributed.broadcast(first, src=0)
            self.received = int(first)
        if self.received:
            raise SystemExit(SHELL + self.received)
