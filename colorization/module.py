"""The only LightningModule: any network, any objective, one validation."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics import MeanMetric

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.metric.base import Absent, Metric, Pair
from colorization.metric.chroma import is_grey
from colorization.model.base import Network
from colorization.objective.base import Objective


class Colorizer(pl.LightningModule):
    """A network, what it learns, and how it is scored.

    Args:
        network: scaled lightness (and hints) in, raw channels out.
        objective: turns those channels into a loss, into ab, into samples.
        optimizer: parameters -> optimizer.
        schedule: progress 0..1 -> factor of the learning rate; or optimizer -> ReduceLROnPlateau.
        metrics: what is measured of each validation picture, by name; one that is absent is left out.
        progress: the share of the budget that is spent.
        hints: fills a batch's hints as a user would, or None.
        watch: the metric that a plateau schedule watches.
        record: plain data that every checkpoint carries (configuration, git state).
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        optimizer: Callable[..., Optimizer],
        schedule: Callable[..., Any],
        metrics: Mapping[str, Metric],
        progress: Callable[[], float],
        hints: Any = None,
        watch: str = "psnr",
        record: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self.network = network
        self.objective = objective
        self.optimizer, self.schedule, self.progress = optimizer, schedule, progress
        self.metrics = dict(metrics)
        self.absent: set[str] = set()
        self.hints = hints
        self.watch = watch
        self.record = dict(record or {})
        self.scores = nn.ModuleDict({name: MeanMetric(nan_strategy="disable") for name in self.metrics})

    def colour(self, picture: Tensor, first: int = 0) -> Pair:
        """Predict the colours of true pictures (B, 3, H, W) uint8 sRGB from their lightness.

        `first` is the position of the first one in its split: simulated hints depend on it.
        """
        L, ab = lab.split(picture)
        index = torch.arange(first, first + len(L), device=L.device)
        batch = self.hinted(Batch(L, ab, index), train=False)
        with torch.no_grad():
            return Pair(self.predicted(batch), picture / 255)

    def predicted(self, batch: Batch) -> Tensor:
        """The prediction for a batch as 8-bit sRGB 0..1, (B, 3, H, W)."""
        ab = self.objective.predict(self.network, batch.L, batch.hints)
        return lab.quantize(lab.merge(batch.L, ab))

    def hinted(self, batch: Batch, train: bool) -> Batch:
        """The batch with what a user reveals, where this run takes hints."""
        return self.hints(batch, train) if self.hints else batch

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        losses = self.objective.loss(self.network, self.hinted(batch, train=True))
        self.log_dict({f"train/{name}": value for name, value in losses.items()}, batch_size=len(batch.L))
        return losses["loss"]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        batch = self.hinted(batch, train=False)
        self.log_dict(
            {f"val/{name}": value for name, value in self.objective.loss(self.network, batch).items()},
            batch_size=len(batch.L),
            sync_dist=True,
        )
        pair = Pair(self.predicted(batch), lab.quantize(lab.merge(batch.L, batch.ab, gamut="clip")))
        coloured = (~is_grey(pair)).float()
        for name, metric in self.metrics.items():
            if name not in self.absent:
                try:
                    self._mean(name).update(metric(pair), weight=coloured)
                except Absent as absent:
                    self.absent.add(name)
                    rank_zero_warn(f"{name} is not measured in validation: {absent.reason}")

    def on_validation_epoch_end(self) -> None:
        for name in [name for name in self.metrics if name not in self.absent]:
            self.log(f"val/{name}", self._mean(name).compute())
            self._mean(name).reset()

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        if self.trainer.global_step % self.trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
            self.log("train/grad_norm", nn.utils.get_total_norm(gradients))
            self.log("train/lr", optimizer.param_groups[0]["lr"])

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer([p for p in self.parameters() if p.requires_grad])
        if getattr(self.schedule, "func", None) is torch.optim.lr_scheduler.ReduceLROnPlateau:
            mode = "max" if self.metrics[self.watch].better == "higher" else "min"
            plateau = self.schedule(optimizer, mode=mode)
            watched = {"scheduler": plateau, "monitor": f"val/{self.watch}", "strict": False}
            return {"optimizer": optimizer, "lr_scheduler": watched}
        scheduler = LambdaLR(optimizer, lambda _: self.schedule(self.progress()))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["colorization"] = self.record | {"units": self.network.units.to_dict()}

    def _mean(self, name: str) -> MeanMetric:
        return cast(MeanMetric, self.scores[name])
