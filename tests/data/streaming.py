"""What `test_stream` runs in two processes: train, and go on from a checkpoint in the middle of an epoch.

python -m tests.data.streaming URL CACHE OUT
"""

import json
import sys
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import Tensor

from colorization.data.batch import Batch
from colorization.data.stream import Stream

STOP = 10  # within the second epoch


class Recorder(pl.LightningModule):
    """Remembers what each step was given, and saves a checkpoint after one of them."""

    def __init__(self, checkpoint: Path) -> None:
        super().__init__()
        self.checkpoint = checkpoint
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[tuple[int, list[int], float]] = []

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.seen.append((self.current_epoch, batch.index.tolist(), float(batch.ab.double().sum())))
        return self.weight * 0

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        if self.global_step == STOP:
            self.trainer.save_checkpoint(self.checkpoint)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def trained(url: str, cache: str, save: Path, resume: Path | None = None) -> Recorder:
    recorder = Recorder(save)
    trainer = pl.Trainer(
        max_steps=18, max_epochs=-1, accelerator="cpu", devices=2, strategy="ddp", logger=False,
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        use_distributed_sampler=False, num_sanity_val_steps=0,
    )  # fmt: skip
    data = Stream(root=url, cache_dir=cache, image_size=16, batch_size=8)
    trainer.fit(recorder, data, ckpt_path=resume, weights_only=True)
    return recorder


def main(url: str, cache: str, out: Path) -> None:
    whole = trained(url, cache, out / "stopped.ckpt")
    rest = trained(url, cache, out / "unused.ckpt", out / "stopped.ckpt")
    (out / f"{whole.trainer.global_rank}.json").write_text(
        json.dumps([whole.seen, rest.seen]), encoding="utf-8"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
