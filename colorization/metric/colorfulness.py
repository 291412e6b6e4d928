"""Colorfulness of Hasler and Suesstrunk 2003 (Measuring colourfulness in natural images)."""

import torch
from torch import Tensor

from colorization.metric.base import Pair


def colorfulness(rgb: Tensor) -> Tensor:
    """M3 = sigma_rgyb + 0.3 mu_rgyb on 8-bit sRGB, with signed opponents rg = R - G, yb = (R + G) / 2 - B.

    Much published code takes absolute opponents first, which is about 8% less on photos.

    Shape: (B, 3, H, W) sRGB 0..1 -> (B,): 0 is grey, 33 moderately, 59 quite, 109 extremely colourful.
    """
    r, g, b = (255 * rgb).flatten(2).unbind(1)
    opponents = torch.stack([r - g, (r + g) / 2 - b])
    sigma = opponents.std(dim=-1, correction=0).norm(dim=0)
    mu = opponents.mean(dim=-1).norm(dim=0)
    return sigma + 0.3 * mu


def of_predicted(pair: Pair) -> Tensor:
    """Colorfulness of the prediction, (B,)."""
    return colorfulness(pair.predicted)


def of_truth(pair: Pair) -> Tensor:
    """Colorfulness of the truth, (B,): what a good prediction reaches, no more and no less."""
    return colorfulness(pair.truth)
