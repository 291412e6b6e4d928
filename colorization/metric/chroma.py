"""Mean chroma, and the error of ab: colour alone, in CIE units."""

import torch
from torch import Tensor

from colorization.color.lab import GREY
from colorization.metric.base import Pair, metric


def chroma(lab: Tensor) -> Tensor:
    """Mean of sqrt(a^2 + b^2) over the pixels: (B, 3, H, W) Lab -> (B,) in CIE units."""
    return torch.hypot(lab[:, 1], lab[:, 2]).mean(dim=(1, 2))


def is_grey(pair: Pair) -> Tensor:
    """Whether the truth has no colour, (B,) bool: such pictures are counted apart."""
    return chroma(pair.truth_lab) < GREY


@metric(unit="CIE")
def of_predicted(pair: Pair) -> Tensor:
    """Mean chroma of the prediction, (B,)."""
    return chroma(pair.predicted_lab)


@metric(unit="CIE")
def of_truth(pair: Pair) -> Tensor:
    """Mean chroma of the truth, (B,)."""
    return chroma(pair.truth_lab)


@metric(unit="CIE", better="lower")
def ab_mae(pair: Pair) -> Tensor:
    """Mean absolute error of a and b, (B,) in CIE units."""
    return (pair.predicted_lab - pair.truth_lab)[:, 1:].abs().mean(dim=(1, 2, 3))
