"""The units of a network's own numbers: part of its weights, like its architecture."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Units:
    """How CIE units become a network's numbers, and back.

    Args:
        L_center: lightness that the network sees as 0.
        L_scale: units of lightness that it sees as 1.
        ab_scale: units of ab that an output of 1 means.
        bounded: whether a tanh closes the output, so that |a| and |b| stay below `ab_scale`.
    """

    L_center: float = 50.0
    L_scale: float = 50.0
    ab_scale: float = 110.0
    bounded: bool = True

    def encode(self, L: Tensor, *more: Tensor | None) -> Tensor:
        """L (B, 1, H, W) 0..100, then hints and other channels as they are -> network input (B, C, H, W)."""
        x = (L - self.L_center) / self.L_scale
        channels = [part.to(x) for part in more if part is not None]
        return torch.cat([x, *channels], dim=1) if channels else x

    def decode(self, y: Tensor) -> Tensor:
        """Network output (B, 2, H, W) -> ab in CIE units, float32."""
        y = y.float()
        return self.ab_scale * (y.tanh() if self.bounded else y)

    def to_dict(self) -> dict[str, float | bool]:
        """The plain dictionary that a checkpoint keeps."""
        return asdict(self)
