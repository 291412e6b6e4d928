"""The checkpoints of a run: which there are, and how they reach the disk."""

import io
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor

from colorization.files import replaced


class BestAndLast(Checkpoint):
    """best.ckpt, which only a better one replaces; last.ckpt, the state of the last validation or stop.

    Its memory is a score and no path, so that a run's folder may be moved, copied, linked.

    Args:
        folder: the run's checkpoints/.
        monitor: the logged number that says which is best.
        better: "higher" or "lower".

    Attributes:
        best_model_score, current_score: of best.ckpt, and of the last validation; None: there is none.
    """

    save_top_k = 1  # this and the attributes' names are what Lightning's loggers know

    def __init__(self, folder: Path, monitor: str, better: str):
        self.folder, self.monitor, self.better = folder, monitor, better
        self.best_model_score: Tensor | None = None
        self.current_score: Tensor | None = None

    @property
    def best_model_path(self) -> str:
        """best.ckpt."""
        return str(self.folder / "best.ckpt")

    @property
    def last_model_path(self) -> str:
        """last.ckpt."""
        return str(self.folder / "last.ckpt")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or not _keeps(trainer):
            return
        self.current_score = self.score(trainer)
        if trainer.strategy.broadcast(self._improved()):
            self.best_model_score = self.current_score
            trainer.save_checkpoint(self.best_model_path)
        self.save_last(trainer)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.should_stop and not trainer.enable_validation and _keeps(trainer):
            self.save_last(trainer)

    def score(self, trainer: pl.Trainer) -> Tensor | None:
        """The monitored number of this validation, where it was measured."""
        return trainer.callback_metrics.get(self.monitor)

    def save_last(self, trainer: pl.Trainer) -> None:
        """Write last.ckpt, by all processes."""
        trainer.save_checkpoint(self.last_model_path)
        for logger in trainer.loggers:
            logger.after_save_checkpoint(self)  # type: ignore[arg-type]

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Count what is done of an epoch in batches as they are now: of another size, on more devices."""
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        loop = checkpoint["loops"]["fit_loop"]
        done = loop["epoch_loop.batch_progress"]["current"]
        (feed,) = loop["state_dict"]["combined_loader"]
        now = feed["taken"] // (data.batch_size * trainer.world_size)
        missing = now - done["ready"]
        done |= {name: count + missing for name, count in done.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"best": None if self.best_model_score is None else float(self.best_model_score)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict["best"] is not None and Path(self.best_model_path).exists():
            self.best_model_score = torch.tensor(state_dict["best"], dtype=torch.float64)

    def _improved(self) -> bool:
        now, best = self.current_score, self.best_model_score
        if now is None or not now.isfinite():
            return False
        return best is None or bool(now > best if self.better == "higher" else now < best)


class WholeFiles(TorchCheckpointIO):
    """Every checkpoint whole or not at all, and read once.

    Lightning's own are copied from the system's temporary folder, of which a full disk leaves half.
    """

    def __init__(self) -> None:
        super().__init__()
        self.contents: dict[Path, dict[str, Any]] = {}

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Replace what lies at a path."""
        encoded = io.BytesIO()
        torch.save(checkpoint, encoded)
        with replaced(Path(path)) as partial:
            partial.write_bytes(encoded.getbuffer())

    def peek(self, path: Path) -> dict[str, Any]:
        """A checkpoint that `load_checkpoint` will give from memory."""
        self.contents[path] = torch.load(path, map_location="cpu", weights_only=True)
        return self.contents[path]

    def load_checkpoint(self, path: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """A checkpoint, of tensors and plain data alone."""
        return self.contents.pop(Path(path), None) or super().load_checkpoint(path, *args, **kwargs)


def _keeps(trainer: pl.Trainer) -> bool:
    """Whether this is training, and not a trial of one batch."""
    return trainer.state.fn == "fit" and not trainer.fast_dev_run  # type: ignore[attr-defined]
