"""Several colourings of one picture: the best of them, and how much they differ."""

import torch
from torch import Tensor


def best_of(psnrs: Tensor) -> Tensor:
    """The best of n samples: PSNR (n, B) in dB -> (B,)."""
    return psnrs.amax(dim=0)


def diversity(ab: Tensor) -> Tensor:
    """Mean distance in ab between two samples, over pairs and pixels: (n, B, 2, H, W) -> (B,) in CIE units.

    0 for a single sample.
    """
    n = len(ab)
    pairs = [(ab[i] - ab[j]).norm(dim=1).mean(dim=(1, 2)) for i in range(n) for j in range(i)]
    return torch.stack(pairs).mean(dim=0) if pairs else torch.zeros_like(ab[0, :, 0, 0, 0])
