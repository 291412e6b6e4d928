"""What becomes of the game between a network and its critic, in words."""

import logging
from typing import Any

import pytorch_lightning as pl
import torch

log = logging.getLogger(__name__)

OVER = "over its last %d turns the truth scored above the prediction in %.1f%% of places"
WORDS = {
    "won": f"the critic has won: {OVER}, whatever the network did, and its gradient no longer says what "
    "would be better; try a lower objective.optimizer.lr, objective.penalty.r1=1, "
    "objective.game=relativistic, or a smaller critic",
    "died": f"the critic has died: every place of every picture scores the same ({OVER}), and the network "
    "learns nothing from it; try a lower objective.optimizer.lr, a smaller objective.penalty, or another "
    "objective.critic",
    "lost": f"the critic has lost: {OVER}: it takes the prediction for the truth; try a higher "
    "objective.optimizer.lr, a lower objective.weight, or a larger critic",
    "plays": f"the critic plays again: {OVER}",
}


class Rivalry(pl.Callback):
    """Say when a critic has won, lost or died, and when it plays again; nothing where there is no critic.

    It reads what `objective=adversarial` logs as train/critic/right and train/critic/spread. The sums stay on
    the device; the host reads them once in `turns` of the critic.

    Args:
        turns: of the critic that are looked at together.
        won: a share of places from which on the truth scores above the prediction too often.
        lost: one up to which it does so too rarely.
        dead: a standard deviation of the scores, as a share of their mean size, below which they are all the
            same.
    """

    def __init__(self, turns: int = 100, won: float = 0.98, lost: float = 0.25, dead: float = 1e-3):
        if turns < 1 or not 0 <= lost < 0.5 < won <= 1 or not dead >= 0:
            allowed = "turns from 1, lost below 0.5, won above it, dead from 0"
            raise ValueError(
                f"callback.rivalry: turns={turns}, won={won}, lost={lost}, dead={dead}: {allowed}"
            )
        self.turns, self.won, self.lost, self.dead = turns, won, lost, dead
        self.sums: torch.Tensor | None = None
        self.seen = 0
        self.state = "plays"

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        logged = trainer.callback_metrics
        if "critic" not in outputs["turns"] or "train/critic/right" not in logged:
            return
        right, spread, real, fake = (
            logged[f"train/critic/{name}"] for name in ("right", "spread", "real", "fake")
        )
        now = torch.stack([right, spread, (real.abs() + fake.abs()) / 2])
        self.sums = now if self.sums is None else self.sums + now
        self.seen += 1
        if self.seen == self.turns:
            right, spread, size = (self.sums / self.seen).tolist()
            self._tell(self.judged(right, spread, size), right, trainer.is_global_zero)
            self.sums, self.seen = None, 0

    def _tell(self, state: str, right: float, aloud: bool) -> None:
        if state != self.state and aloud:
            log.log(
                logging.INFO if state == "plays" else logging.WARNING, WORDS[state], self.turns, 100 * right
            )
        self.state = state

    def judged(self, right: float, spread: float, size: float) -> str:
        """Of mean numbers: "plays", "won", "lost" or "died"."""
        if spread <= self.dead * max(size, 1.0):
            return "died"
        if right >= self.won:
            return "won"
        return "lost" if right <= self.lost else "plays"
