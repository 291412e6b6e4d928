"""The best few checkpoints of a run, beside best.ckpt and last.ckpt."""

import math
import re
from pathlib import Path
from typing import cast

import pytorch_lightning as pl

from colorization.callback.checkpoint import BestAndLast

NAME = re.compile(r"top_(\d+)_(-?[\d.e+-]+)\.ckpt")


class Top(pl.Callback):
    """Keep the best k validations as checkpoints/top_STEP_SCORE.ckpt; the names are all that it remembers.

    Args:
        k: how many.
    """

    def __init__(self, k: int = 3):
        if k < 1:
            raise ValueError(f"callback.top.k={k}: give 1 or more")
        self.k = k

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        kept = cast(BestAndLast, trainer.checkpoint_callback)
        score = kept.score(trainer)
        if trainer.sanity_checking or trainer.fast_dev_run or trainer.state.fn != "fit" or score is None:  # type: ignore[attr-defined]
            return
        value = float(score)
        there = ranked(kept.folder, kept.better)
        enters = len(there) < self.k or rank(value, kept.better) < rank(there[-1][0], kept.better)
        if not trainer.strategy.broadcast(math.isfinite(value) and enters):
            return
        trainer.save_checkpoint(kept.folder / f"top_{trainer.global_step}_{value:.6g}.ckpt")
        if trainer.is_global_zero:
            for _, path in ranked(kept.folder, kept.better)[self.k :]:
                path.unlink()


def rank(score: float, better: str) -> float:
    """Less is better."""
    return -score if better == "higher" else score


def ranked(folder: Path, better: str) -> list[tuple[float, Path]]:
    """(score, checkpoint) of those that are there, the best first."""
    found = [(float(m[2]), path) for path in folder.glob("top_*.ckpt") if (m := NAME.fullmatch(path.name))]
    return sorted(found, key=lambda entry: (rank(entry[0], better), entry[1].name))
