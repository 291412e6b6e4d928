"""Diffusion: colour that noise is removed from, level by level; the baseline that flows are held against."""

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from colorization.chance import Chance
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Needs
from colorization.objective.stepwise import Stepwise, normal, stratified

LEVELS = 1000  # of noise when sampling
MOST = 110.0  # |a| and |b| that the clean colours are kept within on the way


class Diffusion(Stepwise):
    """Denoising diffusion (Ho et al. 2020, arXiv:2006.11239) as Palette does it (Saharia et al. 2022,
    arXiv:2111.05826), of ab alone.

    With a share gamma of the truth's variance left, z = sqrt(gamma) x + sqrt(1 - gamma) noise, and the
    network, which is told sqrt(1 - gamma) as its time, learns the noise by squared error. Training draws
    gamma between neighbouring levels of 2000 betas, 1e-6 to 1e-2; sampling takes 1000, 1e-4 to 9e-2.

    Args:
        steps: 1000 in the paper: each removes the noise of one level. With fewer the levels are evenly spaced
            ones of the 1000 (Nichol and Dhariwal 2021, arXiv:2102.09672).
    """

    taught: Tensor
    levels: Tensor
    needs = Needs(out=2, extra_in=2, time=True)
    most_steps = LEVELS

    def __init__(self, steps: int = 50):
        super().__init__(steps)
        self.register_buffer("taught", gammas(1e-6, 1e-2, 2000), persistent=False)
        self.register_buffer("levels", gammas(1e-4, 9e-2, LEVELS)[1:], persistent=False)

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        given = batch.given
        x, noise = self.state(batch.ab, network.stride), normal(given.numbers("noise"), network, batch.L)
        gamma = self._gamma(given.numbers("time"))[:, None, None, None]
        z = gamma.sqrt() * x + (1 - gamma).sqrt() * noise
        found = self._noise(network, given, z, gamma)
        clean = self._clean(z, found, gamma)
        return Losses(
            mse_loss(found, noise),
            ab=lambda: (
                self.colours(clean, network, given) if network.training else self.predict(network, given)
            ),
            samples=lambda n: self.sample(network, given, n),
        )

    def drawn(self, network: Network, given: Given, chance: Chance) -> Tensor:
        z = normal(chance, network, given.L)
        chosen = torch.linspace(len(self.levels) - 1, 0, self.steps).round().long().tolist()
        levels = [*self.levels[chosen], self.levels.new_ones(())]
        for step, (gamma, less) in enumerate(pairwise(levels)):
            clean = self._clean(z, self._noise(network, given, z, gamma.expand(len(z), 1, 1, 1)), gamma)
            kept = gamma / less
            z = (less.sqrt() * (1 - kept) * clean + kept.sqrt() * (1 - less) * z) / (1 - gamma)
            if less < 1:
                spread = ((1 - less) / (1 - gamma) * (1 - kept)).sqrt()
                z = z + spread * normal(chance.stream(f"step {step}"), network, given.L)
        return z

    def _gamma(self, chance: Chance) -> Tensor:
        """Uniform between two neighbouring levels, each pair of them alike: (B,)."""
        place = stratified(chance) * (len(self.taught) - 1)
        level = place.long().clamp(max=len(self.taught) - 2)
        return torch.lerp(self.taught[level], self.taught[level + 1], place - level)

    def _noise(self, network: Network, given: Given, z: Tensor, gamma: Tensor) -> Tensor:
        return self.seen(network, given, (1 - gamma).sqrt()[:, 0, 0, 0], z)

    def _clean(self, z: Tensor, noise: Tensor, gamma: Tensor) -> Tensor:
        """The clean state that a noise leaves, within what colours there are."""
        most = MOST / self.scale
        return ((z - (1 - gamma).sqrt() * noise) / gamma.sqrt()).clamp(-most, most)


def gammas(first: float, last: float, levels: int) -> Tensor:
    """1, and what is left of the variance after each of so many betas in even steps: (levels + 1,)."""
    betas = torch.linspace(first, last, levels, dtype=torch.float64)
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - betas).cumprod(dim=0)]).float()
