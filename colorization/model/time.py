"""How a network is told a time: an embedding, and features that it scales and shifts."""

import math

import torch
from torch import Tensor, nn

WIDTH = 128  # channels of the embedding
HIGHEST = 100.0  # frequency, in radians per unit of time


class Clock(nn.Sequential):
    """Sines and cosines of geometrically spaced frequencies (Vaswani et al. 2017, arXiv:1706.03762) through
    two layers: t (B,) in 0..1 -> (B, 128).
    """

    def __init__(self) -> None:
        super().__init__(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU())

    def forward(self, t: Tensor) -> Tensor:
        steps = torch.arange(WIDTH // 2, device=t.device) / (WIDTH // 2 - 1)
        angle = t[:, None] * torch.exp(steps * math.log(HIGHEST))
        return super().forward(torch.cat([angle.sin(), angle.cos()], dim=1))


class FiLM(nn.Module):
    """Features times 1 + a factor, plus a shift, of each channel (Perez et al. 2018, arXiv:1709.07871).

    Right after a normalisation this is adaptive normalisation (Dhariwal and Nichol 2021, arXiv:2105.05233).
    It starts as the identity. Shape: (B, channels, H, W), (B, 128) -> (B, channels, H, W).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.linear = nn.Linear(WIDTH, 2 * channels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        factor, shift = self.linear(time)[:, :, None, None].chunk(2, dim=1)
        return x * (1 + factor) + shift
