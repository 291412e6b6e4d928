"""An objective that feeds the network a noisy ab and a time, and colours step by step."""

from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Needs, Objective, output

SCALE = 30.0  # ab units that a standard deviation of the noise stands for


class Flow(Objective):
    """Flow matching from noise to ab (Lipman et al. 2023, arXiv:2210.02747), predicting the clean ab."""

    needs = Needs(out=2, extra_in=2, time=True)
    decoding = MappingProxyType({"steps": "Euler steps from noise to colour"})

    def __init__(self, steps: int = 4):
        super().__init__()
        self.steps = steps

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        given = batch.given
        t = given.numbers("time").uniform()
        noise = given.numbers("noise").normal(*batch.ab.shape[1:])
        share = t[:, None, None, None]
        clean = output(network, given, (1 - share) * noise + share * batch.ab / SCALE, t=t)
        return Losses(mse_loss(clean, batch.ab / SCALE), lambda: self.predict(network, given),
                      samples=lambda n: self.sample(network, given, n))  # fmt: skip

    def predict(self, network: Network, given: Given) -> Tensor:
        return self.sample(network, given, 1)[0]

    def sample(self, network: Network, given: Given, n: int) -> Tensor:
        return torch.stack([self._coloured(network, given, f"sample {k}") for k in range(n)])

    def _coloured(self, network: Network, given: Given, stream: str) -> Tensor:
        B, _, H, W = given.L.shape
        ab = given.numbers(stream).normal(2, H, W)
        for step in range(self.steps):
            t = step / self.steps
            clean = output(network, given, ab, t=given.L.new_full((B,), t))
            ab = ab + (clean - ab) / (1 - t) / self.steps
        return SCALE * ab
