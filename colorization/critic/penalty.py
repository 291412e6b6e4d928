"""Bounds on how steep a critic is."""

from dataclasses import dataclass

import torch
from torch import Tensor

from colorization.critic.base import Critic
from colorization.data.batch import Given

SCALE = 110.0  # ab units that count as 1, as critics have them


@dataclass(frozen=True)
class Penalty:
    """What a critic pays for the gradient of its scores, summed over a picture, by ab / 110.

    Args:
        r1: weight of half its squared norm at the truth (Mescheder et al. 2018, arXiv:1801.04406).
        r2: the same at predictions.
        slope: weight of (norm - 1)^2 between truth and prediction, 10 in WGAN-GP (Gulrajani et al. 2017,
            arXiv:1704.00028).
        every: turns of the critic from one penalty to the next, which weighs as much as those left out
            (Karras et al. 2020, arXiv:1912.04958).
    """

    r1: float = 0.0
    r2: float = 0.0
    slope: float = 0.0
    every: int = 1

    def __post_init__(self) -> None:
        if min(self.r1, self.r2, self.slope) < 0 or self.every < 1:
            given = f"r1={self.r1}, r2={self.r2}, slope={self.slope}, every={self.every}"
            raise ValueError(f"objective.penalty: {given}: weights are 0 or more, every is 1 or more")

    def __bool__(self) -> bool:
        return any((self.r1, self.r2, self.slope))

    def __call__(self, critic: Critic, given: Given, real: Tensor, fake: Tensor) -> Tensor:
        """A scalar, of true and predicted ab (B, 2, H, W)."""
        total = real.new_zeros(())
        if self.r1:
            total = total + self.r1 / 2 * steepness(critic, given.L, real).mean()
        if self.r2:
            total = total + self.r2 / 2 * steepness(critic, given.L, fake).mean()
        if self.slope:
            share = given.numbers("mixture").uniform()[:, None, None, None]
            norm = (steepness(critic, given.L, torch.lerp(fake, real, share)) + 1e-12).sqrt()
            total = total + self.slope * (norm - 1).square().mean()
        return self.every * total


def steepness(critic: Critic, L: Tensor, ab: Tensor) -> Tensor:
    """The squared norm of the gradient of each picture's summed scores by its ab / 110, (B,).

    In single precision, whatever the run's: 16 bits would lose it.
    """
    with torch.autocast(L.device.type, enabled=False), torch.enable_grad():
        unit = (ab.detach().float() / SCALE).requires_grad_()
        scores = critic(L.float(), SCALE * unit)
        (gradient,) = torch.autograd.grad(scores.sum(), unit, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))
