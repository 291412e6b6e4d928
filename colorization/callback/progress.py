"""The progress bar: share of the budget, pictures per second, time left, latest scores."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ProgressBar
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from colorization.callback.budget import Budget, time_now

WINDOW = 5.0  # seconds over which speed is measured
REFRESH = 0.5  # seconds between two looks at numbers that lie on the device


class Speed(pl.Callback):
    """Log train/pictures_per_second, measured over the last seconds of training alone."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.value = 0.0
        self.since: float | None = None
        self.pictures = 0

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        if self.since is None:
            self.since = time_now()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.pictures += len(batch.L) * trainer.world_size
        span = time_now() - (self.since or 0.0)
        if not self.value or span > WINDOW:
            self.value = self.pictures / max(span, 1e-9)
            if span > WINDOW:
                self._restart()
        if self.budget.spent["steps"] % max(trainer.log_every_n_steps, 1) == 0:  # type: ignore[attr-defined]
            pl_module.log("train/pictures_per_second", self.value)  # which waits for the device

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._restart()

    def _restart(self) -> None:
        self.since = None
        self.pictures = 0


class BudgetBar(ProgressBar):
    """One line that says how much of the budget is spent and what came of it so far."""

    def __init__(self, budget: Budget, speed: Speed):
        super().__init__()
        self.budget, self.speed = budget, speed
        self.visible = True
        self.bar: Progress | None = None
        self.task: TaskID | None = None
        self.looked = -REFRESH

    def disable(self) -> None:
        """Stay silent, in all processes but the first."""
        self.visible = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not self.visible:
            return
        columns = ("[bold]{task.description}", BarColumn(24), "{task.percentage:>3.0f}%")
        self.bar = Progress(
            *(TextColumn(c) if isinstance(c, str) else c for c in columns),
            TextColumn("{task.fields[speed]:.0f} pictures/s"),
            TimeElapsedColumn(),
            TextColumn("ETA {task.fields[eta]}"),
            TextColumn("{task.fields[scores]}"),
            refresh_per_second=4,
        )
        self.task = self.bar.add_task("train", total=1.0, speed=0.0, eta="-:--", scores="")
        self.began, self.progress_at_start = time_now(), self.budget.progress()
        self.bar.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.bar is not None and time_now() - self.looked >= REFRESH:
            self.looked = time_now()
            scores = _scores(trainer.callback_metrics)
            self._show(
                f"epoch {trainer.current_epoch}", speed=self.speed.value, eta=self._eta(), scores=scores
            )

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._show("validate")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._show("trained", scores=_scores(trainer.callback_metrics))
        self.teardown(trainer, pl_module, "fit")

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self.teardown(trainer, pl_module, "fit")

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def _show(self, description: str, **fields: Any) -> None:
        if self.bar is not None and self.task is not None:
            progress = self.budget.progress()
            self.bar.update(self.task, completed=progress, description=description, **fields)

    def _eta(self) -> str:
        done = self.budget.progress() - self.progress_at_start
        if done <= 0:
            return "-:--"
        left = int((time_now() - self.began) * (1 - self.budget.progress()) / done)
        hours, minutes = divmod(left // 60, 60)
        return f"{hours}:{minutes:02d}:{left % 60:02d}" if hours else f"{minutes}:{left % 60:02d}"


def _scores(metrics: Any) -> str:
    entries = (
        ("loss", "train/loss", ".4f"),
        ("val PSNR", "val/psnr", ".2f"),
        ("CIEDE2000", "val/ciede2000", ".2f"),
    )
    return " ".join(f"{name} {float(metrics[key]):{form}}" for name, key, form in entries if key in metrics)
