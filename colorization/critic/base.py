"""What every critic is."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Critic(nn.Module, ABC):
    """Judges whether colours are those of a picture whose lightness it sees.

    It is never part of what colours a photo: training alone asks it.
    """

    @abstractmethod
    def forward(self, L: Tensor, ab: Tensor) -> Tensor:
        """L (B, 1, H, W) 0..100 and ab (B, 2, H, W), CIE units -> scores (B, 1, h, w) or (B, N).

        Each score is of a part of the picture, without a bound; the higher, the more it looks true.
        """

    def start_from(self) -> None:
        """Load weights to start from. Training calls it; reopening a run never does. Nothing by default."""


def scaled(L: Tensor, ab: Tensor) -> Tensor:
    """L / 50 - 1 and ab / 110, (B, 3, H, W): what a critic sees that has no encoder of its own."""
    return torch.cat([L / 50 - 1, ab / 110], dim=1)
