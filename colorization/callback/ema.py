"""Averaged weights: what is validated, saved and used is the running mean of the trained ones."""

from itertools import chain
from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from colorization.objective.base import NETWORK


class EMA(WeightAveraging):
    """Exponential moving average of weights and buffers, over Lightning's own callback.

    The network alone is averaged: what belongs to the objective, such as a critic, is kept as it is.
    Lightning counts the updates on the device and asks it for the number at every step; here the host
    counts.

    Args:
        decay: share of the old average that each update keeps; it rises to this value as
            (1 + n) / (10 + n), so that a short run is not dominated by its random start.
    """

    def __init__(self, decay: float = 0.999):
        if not 0 < decay < 1:
            raise ValueError(f"callback.ema.decay={decay}: above 0 and below 1, such as 0.999")
        super().__init__()
        self.decay = decay
        self.updates = 0
        self.swapped = False

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Follow the network, once for each batch that moved it; take over all else."""
        assert self._average_model is not None
        if trainer.global_step > self._latest_update_step:
            self._latest_update_step = trainer.global_step
            average, current = cast(Any, self._average_model.module), cast(Any, pl_module)
            if NETWORK in outputs["turns"]:
                follow(average.network, current.network, kept(self.updates, self.decay))
                self.updates += 1
            follow(average.objective, current.objective, 0.0)

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_validation_epoch_start(trainer, pl_module)
        self.swapped = self._average_model is not None

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_validation_epoch_end(trainer, pl_module)
        self.swapped = False

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Give the trained weights back where a validation is broken off: a checkpoint may follow."""
        if self.swapped:
            self.on_validation_epoch_end(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"updates": self.updates}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.updates = state_dict["updates"]


def kept(updates: int, decay: float) -> float:
    """The share of the average that an update keeps, after so many before it."""
    return min(decay, (1 + updates) / (10 + updates)) if updates else 0.0


def follow(average: nn.Module, current: nn.Module, share: float) -> None:
    """Replace each floating tensor by share * average + (1 - share) * current, and copy the counters."""
    pairs = zip(
        chain(average.parameters(), average.buffers()),
        chain(current.parameters(), current.buffers()),
        strict=True,
    )
    floats: list[tuple[Tensor, Tensor]] = []
    for mean, value in pairs:
        if mean.is_floating_point():
            floats.append((mean.detach(), value.detach()))
        else:
            mean.copy_(value)
    if floats:
        get_ema_multi_avg_fn(share)(*map(list, zip(*floats, strict=True)), 0)
