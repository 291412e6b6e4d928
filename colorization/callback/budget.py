"""How long a run lasts: epochs, steps, pictures or wall time, whichever is spent first."""

import re
import time
from typing import Any

import pytorch_lightning as pl
import torch

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SPENT = 1 - 1e-9  # as epochs are a sum of fractions


class Budget(pl.Callback):
    """Stop when the first of the given limits is reached; a last validation still runs.

    It counts batches itself, so that neither several optimizers nor accumulated gradients change a budget.

    Args:
        epochs: passes over the training pictures.
        steps: batches that each device trains on.
        pictures: training pictures seen, over all devices.
        time: wall time of fitting, validation included: seconds, or text such as "90s", "10m", "1h30m".

    A resumed run goes on with what it had left. Of several processes the first one's clock counts.
    """

    def __init__(
        self,
        epochs: float | None = None,
        steps: int | None = None,
        pictures: int | None = None,
        time: float | str | None = None,
    ):
        self.limits = {"epochs": epochs, "steps": steps, "pictures": pictures, "time": seconds(time)}
        given = {name: limit for name, limit in self.limits.items() if limit is not None}
        if not given:
            raise ValueError("budget: set one of budget.epochs, budget.steps, budget.pictures or budget.time")
        for name, limit in given.items():
            if limit <= 0:
                raise ValueError(f"budget.{name}={limit}: must be above 0")
        self.spent = {"epochs": 0.0, "steps": 0, "pictures": 0, "time": 0.0}
        self.clock: float | None = None  # stands still until training starts

    def progress(self) -> float:
        """The share of the budget that was spent when the last batch ended, 0..1; the same on every rank."""
        return min(max(self._shares().values()), 1.0)

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.progress() >= SPENT

    def tightest(self) -> str:
        """The limit of which the largest share is spent."""
        shares = self._shares()
        return max(shares, key=shares.__getitem__)

    def moment(self) -> dict[str, float]:
        """Where the run stands, for each row of its metrics."""
        return {
            "step": self.spent["steps"],
            "epoch": round(self.spent["epochs"], 4),
            "pictures": self.spent["pictures"],
            "seconds": round(self.spent["time"] + self._running(), 2),
        }

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.clock = time_now()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._tick()
        self.clock = None

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.spent["pictures"] += len(batch.L) * trainer.world_size
        self.spent["epochs"] += 1 / trainer.num_training_batches
        self.spent["steps"] += 1
        self._tick()
        if self.limits["time"] is not None and trainer.world_size > 1:
            first = torch.tensor(self.spent["time"], dtype=torch.float64, device=trainer.strategy.root_device)
            torch.distributed.broadcast(first, src=0)
            self.spent["time"] = first.item()
        if self.is_spent:
            trainer.should_stop = True
            trainer.check_val_every_n_epoch = 1  # the last validation, wherever the others were

    def state_dict(self) -> dict[str, Any]:
        return self.spent | {"time": self.spent["time"] + self._running()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.spent.update(state_dict)

    def _shares(self) -> dict[str, float]:
        return {name: self.spent[name] / limit for name, limit in self.limits.items() if limit is not None}

    def _tick(self) -> None:
        self.spent["time"] += self._running()
        self.clock = time_now() if self.clock is not None else None

    def _running(self) -> float:
        """Seconds since the clock was last read."""
        return 0.0 if self.clock is None else time_now() - self.clock


def time_now() -> float:
    """Seconds on a clock that never goes back."""
    return time.monotonic()


def seconds(span: float | str | None) -> float | None:
    """90, "90s", "10m" or "1h30m" -> seconds."""
    if span is None or isinstance(span, int | float):
        return span
    if not re.fullmatch(r"(\d+(\.\d+)?[smhd])+", span):
        raise ValueError(f"budget.time={span!r}: give seconds, or text such as 90s, 10m, 1h30m")
    return sum(float(n) * UNITS[unit] for n, _, unit in re.findall(r"(\d+(\.\d+)?)([smhd])", span))
