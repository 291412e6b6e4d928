"""Peak signal-to-noise ratio, of a picture, of a whole set, and of colour alone."""

import math

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

from colorization.metric.base import Absent, Better, Pair, SetMetric, inner, metric

# One 8-bit step in every value is 48.1 dB. The cap keeps the mean finite when a grey picture is
# predicted exactly.
CAP = 60.0


@metric(unit="dB", better="higher", cap=CAP)
def psnr(pair: Pair) -> Tensor:
    """PSNR in dB over R, G and B, peak 1, of each picture by itself, at most 60 dB.

    Pooling the squared error over pictures first, which is torchmetrics' default, gives other
    numbers (`Pooled`): the field averages dB over pictures.

    Returns: (B,).
    """
    return _decibel(pair.predicted, pair.truth, peak=1.0)


@metric(unit="dB", better="higher", cap=CAP)
def psnr_inner(pair: Pair) -> Tensor:
    """`psnr` without 4 pixels at each edge, which BasicSR's crop_border leaves out for DDColor, (B,)."""
    return psnr(inner(pair))


@metric(unit="dB", better="higher", cap=CAP)
def psnr_ab(pair: Pair) -> Tensor:
    """PSNR in dB over a + 128 and b + 128 rounded to 8 bits, peak 255.

    L is the same on both sides and not counted, so a grey prediction scores 3 to 4 dB more on photos than on
    R, G and B.

    Returns: (B,), at most 60 dB.
    """
    predicted, truth = (
        (lab[:, 1:] + 128).round().clamp(0, 255) for lab in (pair.predicted_lab, pair.truth_lab)
    )
    return _decibel(predicted, truth, peak=255.0)


class Pooled(SetMetric):
    """PSNR in dB of the mean squared error over all pictures' pixels, at most 60 dB.

    Never above the mean of the pictures' own PSNRs, for pictures of one size: the worst of them decide.
    """

    unit = "dB"
    better: Better = "higher"
    state = ("squared", "values")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.squared, self.values = torch.zeros((), dtype=torch.float64), 0

    def update(self, pair: Pair) -> None:
        error = (pair.predicted - pair.truth).double().square().sum()
        self.squared = self.squared.to(error.device) + error
        self.values += pair.truth.numel()

    def compute(self) -> float:
        if not self.values:
            raise Absent("no pictures were measured")
        mean = float(self.squared) / self.values
        return min(CAP, -10 * math.log10(mean)) if mean else CAP


def _decibel(predicted: Tensor, truth: Tensor, peak: float) -> Tensor:
    return peak_signal_noise_ratio(predicted, truth, data_range=peak, reduction="none", dim=(1, 2, 3))
