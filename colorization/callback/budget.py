"""How long a run lasts: epochs, steps, pictures or wall time, whichever is spent first."""

import re
import time
from typing import Any

import pytorch_lightning as pl

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Budget(pl.Callback):
    """Stop when the first of the given limits is reached; the last validation still runs.

    Args:
        epochs: passes over the training pictures.
        steps: optimizer steps.
        pictures: training pictures seen, over all devices.
        time: wall time of fitting, validation included: seconds, or text such as "90s", "10m", "1h30m".

    A resumed run goes on with what it had left.
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
        """The share of the budget that is spent, 0..1."""
        return min(max(self._shares().values()), 1.0)

    def tightest(self) -> str:
        """The limit of which the largest share is spent."""
        shares = self._shares()
        return max(shares, key=shares.__getitem__)

    def moment(self) -> dict[str, float]:
        """Where the run stands, for each row of its metrics."""
        self._tick()
        shown = {"epoch": round(self.spent["epochs"], 4), "pictures": self.spent["pictures"]}
        return shown | {"seconds": round(self.spent["time"], 2)}

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
        self.spent["steps"] = trainer.global_step
        spent = trainer.strategy.reduce_boolean_decision(self.progress() >= 1 - 1e-9, all=False)
        trainer.should_stop = trainer.should_stop or spent

    def state_dict(self) -> dict[str, Any]:
        self._tick()
        return dict(self.spent)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.spent.update(state_dict)

    def _shares(self) -> dict[str, float]:
        self._tick()
        return {name: self.spent[name] / limit for name, limit in self.limits.items() if limit is not None}

    def _tick(self) -> None:
        if self.clock is not None:
            now = time_now()
            self.spent["time"] += now - self.clock
            self.clock = now


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
