"""Global hints of Zhang et al. 2017 (arXiv:1705.02999): the colours of a whole picture, not where they are.

hints  (B, 316, H, W)  shares of the 313 ab bins, whether they are revealed; mean saturation,
                       whether it is revealed; the same at every pixel
"""

from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import interpolate, one_hot

from colorization.color import lab
from colorization.color.gamut import Gamut, in_gamut
from colorization.data.batch import Batch
from colorization.hints.base import Hints


class Histogram(Hints):
    """Reveals a picture's ab histogram, its mean saturation, both, or neither.

    What is revealed is computed as in the authors' Caffe files (models/global_model/global_stats.prototxt);
    how often is not in them.

    Args:
        reveal: chance of each of the two, in training and in validation; 0.5 is this project's choice.
        seed: another one, other choices.
    """

    silent = MappingProxyType({"reveal": 0.0})

    def __init__(self, reveal: float = 0.5, seed: int = 0):
        if not 0 <= reveal <= 1:
            raise ValueError(f"reveal={reveal}: choose a probability (0.5: both, one, other, none alike)")
        self.reveal_chance, self.seed = reveal, seed
        self.gamut = Gamut(in_gamut(), neighbours=1)
        self.channels = len(self.gamut) + 3

    def reveal(self, batch: Batch) -> Tensor:
        drawn = batch.given.numbers(f"histogram {self.seed}").uniform(2)
        revealed = (drawn < self.reveal_chance).float()
        parts = [
            self.histogram(batch.ab) * revealed[:, :1],
            revealed[:, :1],
            saturation(lab.merge(batch.L, batch.ab))[:, None] * revealed[:, 1:],
            revealed[:, 1:],
        ]
        planes = torch.cat(parts, dim=1)[:, :, None, None]
        return planes.expand(-1, -1, *batch.L.shape[-2:])

    def blank(self, L: Tensor) -> Tensor:
        return L.new_zeros(len(L), self.channels, 1, 1).expand(-1, -1, *L.shape[-2:])

    def histogram(self, ab: Tensor) -> Tensor:
        """Shares of the bins in the picture at a quarter of its size: (B, 2, H, W) -> (B, 313), sums to 1."""
        self.gamut.to(ab.device)
        small = interpolate(ab, scale_factor=0.25, mode="bilinear", recompute_scale_factor=False)
        bins = self.gamut.nearest(small).flatten(1)
        return one_hot(bins, len(self.gamut)).float().mean(dim=1)


def saturation(rgb: Tensor) -> Tensor:
    """Mean saturation of the HSV model: sRGB (B, 3, H, W) 0..1 -> (B,) 0..1."""
    high, low = rgb.amax(dim=1), rgb.amin(dim=1)
    return ((high - low) / high.clamp(min=1e-6)).mean(dim=(1, 2))
