"""Two ways in which a colorization run fails quietly: a loss that is not a number, and brown."""

import logging
from typing import Any

import pytorch_lightning as pl
import torch

from colorization.config import InputError

log = logging.getLogger(__name__)


class TrainingDiverged(InputError):
    """The loss is no longer finite."""


class Finite(pl.Callback):
    """Stop a run whose loss is not finite, before any checkpoint of it is written.

    The check stays on the device; the host reads it every `every` steps and before each validation,
    and then knows the first bad step exactly.
    """

    def __init__(self, every: int = 20):
        self.every = every
        self.bad: torch.Tensor | None = None

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss, step = outputs["loss"].detach(), trainer.fit_loop.total_batch_idx + 1
        if self.bad is None:
            self.bad = torch.full((), -1, device=loss.device)
        self.bad = torch.where((self.bad < 0) & ~loss.isfinite(), step, self.bad)
        if batch_idx % self.every == 0:
            self._stop_if_bad()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop_if_bad()

    def _stop_if_bad(self) -> None:
        if self.bad is not None and (step := int(self.bad)) >= 0:
            raise TrainingDiverged(
                f"the loss is not finite since step {step}; the last good checkpoint is kept. "
                "Try a lower optimizer.lr, trainer.gradient_clip_val=1, or trainer.precision=32-true"
            )


class Collapse(pl.Callback):
    """Warn when predictions have lost their colour: grey or brown is what averaging over colourings gives.

    Args:
        share: mean chroma below this share of the truth's counts as collapsed.
    """

    def __init__(self, share: float = 0.25):
        self.share = share

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        chroma = trainer.callback_metrics.get("val/chroma")
        truth = trainer.callback_metrics.get("val/chroma_truth")
        if trainer.sanity_checking or chroma is None or truth is None or not trainer.is_global_zero:
            return
        if chroma < self.share * truth:
            log.warning(
                "colour has collapsed to grey or brown: mean chroma %.1f where the truth has %.1f "
                "(usual early in a run; later, try a longer budget or objective=classification)",
                float(chroma),
                float(truth),
            )
