"""Mean chroma, and the error of ab: colour alone, in CIE units."""

import torch
from torch import Tensor

from colorization.color.lab import split

# A picture whose mean chroma is below this has no colour to find (8-bit noise of a grey one: < 0.1).
GREY = 1.0


def chroma(rgb: Tensor) -> Tensor:
    """Mean of sqrt(a^2 + b^2) over the pixels: (B, 3, H, W) sRGB 0..1 -> (B,) in CIE units."""
    _, ab = split(rgb)
    return torch.linalg.vector_norm(ab, dim=1).mean(dim=(1, 2))


def is_grey(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) sRGB 0..1 -> (B,) bool: counted apart, for there is nothing to predict."""
    return chroma(rgb) < GREY


def of_predicted(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean chroma of the prediction, (B,)."""
    return chroma(predicted)


def of_truth(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean chroma of the truth, (B,)."""
    return chroma(truth)


def ab_mae(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of a and b: (B, 3, H, W) sRGB 0..1 twice -> (B,) in CIE units."""
    return (split(predicted)[1] - split(truth)[1]).abs().mean(dim=(1, 2, 3))
