"""A network with a pretrained encoder, and one that takes a time."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, cat, nn
from torch.nn.functional import interpolate

from colorization.model.base import Network
from colorization.model.units import Units


class Pretrained(Network):
    """An encoder that starts from a file of weights and learns slowly, and a head that learns fast."""

    units = Units()
    stride = 2

    def __init__(
        self, in_channels: int = 1, out_channels: int = 2, width: int = 8, weights: str | None = None
    ):
        super().__init__()
        self.weights = weights
        self.encoder = nn.Sequential(nn.Conv2d(in_channels, width, 3, stride=2, padding=1), nn.ReLU())
        self.head = nn.Conv2d(width, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))

    def groups(self) -> list[dict[str, Any]]:
        encoder = {"params": list(self.encoder.parameters()), "lr_factor": 0.1}
        bias = {"params": [self.head.bias], "weight_decay": 0.0}
        return [encoder, {"params": [self.head.weight]}, bias]

    def start_from(self) -> None:
        if self.weights:
            self.encoder.load_state_dict(torch.load(Path(self.weights), weights_only=True))


class Timed(Network):
    """Three convolutions that see the time as one more channel."""

    units = Units()
    takes_time = True

    def __init__(self, in_channels: int = 1, out_channels: int = 2, width: int = 8):
        super().__init__()
        self.first = nn.Conv2d(in_channels + 1, width, 3, padding=1)
        self.inner = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.last = nn.Conv2d(width, out_channels, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        time = t[:, None, None, None].expand(-1, 1, *x.shape[-2:])
        x = self.inner(self.first(cat([x, time], dim=1)).relu()).relu()
        return interpolate(self.last(x), scale_factor=2.0)[..., : time.shape[-2], : time.shape[-1]]
