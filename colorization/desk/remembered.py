"""A network that is shown the same picture again and again."""

from typing import Any

import torch
from torch import Tensor

from colorization.model.base import Network


class Remembered(Network):
    """Another network, which is not asked twice: shown what it was shown last, it gives what it gave then.

    Whoever takes its output must leave it as it is. Shape: as the other's.
    """

    def __init__(self, network: Network):
        super().__init__()
        self.network = network
        self.units, self.stride = network.units, network.stride
        self.head_strides, self.takes_time = network.head_strides, network.takes_time
        self._shown: tuple[Tensor, ...] = ()
        self._gave: Any = None

    def forward(self, *shown: Tensor) -> Any:
        alike = len(shown) == len(self._shown) and all(map(torch.equal, shown, self._shown))
        if not alike:
            self._gave = self.network(*shown)
            self._shown = tuple(each.clone() for each in shown)
        return self._gave
