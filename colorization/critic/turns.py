"""Who learns when: a network and its critic by turns."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal["network", "critic", "both"]


@dataclass(frozen=True)
class Turns:
    """The parts of a run: the network alone, then cycles of the critic alone and of both.

    By default both learn from every batch, the critic first. The schedule of NoGAN (DeOldify) is a long first
    part, several cycles and a threshold.

    Args:
        alone: share of the budget in which the network learns alone, nobody judging it, 0..1.
        critic: share of each cycle, at its beginning, in which the critic learns alone, 0..1.
        cycles: how many fill the rest of the budget.
        threshold: of the critic's loss, without penalties; the network has one batch as soon as it is below,
            and then the critic again. None: both have every batch.
    """

    alone: float = 0.0
    critic: float = 0.0
    cycles: int = 1
    threshold: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.alone < 1 or not 0 <= self.critic < 1 or self.cycles < 1:
            given = f"alone={self.alone}, critic={self.critic}, cycles={self.cycles}"
            allowed = "shares are 0 or more and below 1, cycles 1 or more"
            raise ValueError(f"objective.turns: {given}: {allowed}")

    def phase(self, progress: float) -> Phase:
        """Who learns at a share of the budget."""
        if progress < self.alone:
            return "network"
        cycle = (progress - self.alone) / (1 - self.alone) * self.cycles % 1
        return "critic" if cycle < self.critic else "both"
