"""What the best network does where the truth is normal: its answers have closed forms."""

import torch

from colorization.model.base import Network
from colorization.model.units import Units

MEAN, SPREAD = 0.7, 0.4  # of every value of the state


class Best(Network):
    """Gives E[clean | z] for z = keep * clean + noise * standard normal; both are functions of t."""

    units = Units()
    takes_time = True
    calls = 0

    def __init__(self, keep, noise, answer="clean"):
        super().__init__()
        self.keep, self.noise, self.answer = keep, noise, answer

    def forward(self, x, t):
        self.calls += 1
        z, t = x[:, 1:3], t[:, None, None, None]
        keep, noise = self.keep(t), self.noise(t)
        gain = keep * SPREAD**2 / (keep**2 * SPREAD**2 + noise**2)
        clean = MEAN + gain * (z - keep * MEAN)
        if self.answer == "clean":
            return clean
        left = (z - keep * clean) / noise
        return left if self.answer == "noise" else left - clean


def flowing(answer="clean"):
    """Of a flow from noise."""
    return Best(lambda t: 1 - t, lambda t: t.clamp(min=1e-6), answer)


def diffused():
    """Of a diffusion that tells sqrt(1 - gamma)."""
    return Best(lambda t: (1 - t**2).sqrt(), lambda t: t, "noise")


def moments(objective, network, side=24, n=24):
    """Mean and standard deviation of a state that is drawn."""
    from colorization.chance import Chance
    from colorization.data.batch import Given

    given = Given(torch.full((n, 1, side, side), 50.0), chance=Chance(torch.arange(n)))
    with torch.no_grad():
        z = objective.sample(network, given, 1)[0] / objective.std[:, None, None]
    return z.mean().item(), z.std().item()
