"""How far ab is from the truth's, in CIE units: lightness, which is given, plays no part."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from colorization.color.gamut import STEP, Gamut, in_gamut, square
from colorization.metric.base import Absent, Better, Pair, SetMetric, metric, shared

REACH = 150  # the largest threshold of Zhang et al. 2016


@metric(unit="CIE", better="lower")
def ab_rmse(pair: Pair) -> Tensor:
    """Root mean square error of a and b, sqrt(mean((da^2 + db^2) / 2)) over pixels, (B,) in CIE units."""
    return (distance(pair).square().mean(dim=(1, 2)) / 2).sqrt()


@metric(unit="%", better="higher")
def auc(pair: Pair) -> Tensor:
    """Area under the curve of `ab_error_curve` in percent, (B,): the raw accuracy of Zhang et al. 2016, 3.1.

    100 is exact; a grey prediction scores about 88 on photos. The area under every threshold from 0 to
    150, not only the whole ones, is what the distance, cut at 150, leaves of 150.
    """
    return 100 * within(pair).mean(dim=(1, 2))


def ab_error_curve(pair: Pair) -> Tensor:
    """The share of pixels whose ab is at most t = 0, 1, ..., 150 from the truth's: (B, 151), rising."""
    pixels = distance(pair).flatten(1)
    first = pixels.ceil().clamp(max=REACH + 1).long()  # the least whole threshold that takes the pixel in
    counts = pixels.new_zeros(len(pixels), REACH + 2).scatter_add_(1, first, torch.ones_like(pixels))
    return counts.cumsum(dim=1)[:, : REACH + 1] / pixels.shape[1]


@shared
def distance(pair: Pair) -> Tensor:
    """Euclidean distance in ab of each pixel, (B, H, W) in CIE units."""
    _, a, b = (pair.predicted_lab - pair.truth_lab).unbind(1)
    return torch.hypot(a, b)


@shared
def within(pair: Pair) -> Tensor:
    """The share of the thresholds 0..150 that take each pixel in, (B, H, W)."""
    return 1 - distance(pair).clamp(max=REACH) / REACH


class Rebalanced(SetMetric):
    """`auc` with each pixel weighted by 1 / prior of its true bin: rare colours count as much as common ones.

    The class-balanced accuracy of Zhang et al. 2016, 3.1 (eq. 4 with lambda 0), in percent. There the prior
    is that of ImageNet; here, unless one is given, that of the pictures measured, smoothed as in eq. 4.

    Args:
        prior: a .npy file of the shares of the 313 bins, all above 0, in the order of `gamut.in_gamut`.
    """

    unit = "%"
    better: Better = "higher"
    state = ("pixels", "within")

    def __init__(self, prior: str | None = None):
        self.gamut = Gamut(in_gamut())
        # The bins contain every cell of the grid that sRGB reaches: a colour's bin is its cell.
        side = 2 * 110 // STEP + 1
        self.bins = self.gamut.nearest(square().T[None, :, :, None]).reshape(side, side)
        self.prior = None if prior is None else self._read(Path(prior))
        self.reset()

    def reset(self) -> None:
        self.pixels = torch.zeros(len(self.gamut), dtype=torch.float64)
        self.within = torch.zeros(len(self.gamut), dtype=torch.float64)

    def update(self, pair: Pair) -> None:
        index = self.bin(pair.truth_lab[:, 1:]).flatten().cpu()
        self.pixels += torch.bincount(index, minlength=len(self.gamut))
        self.within += torch.bincount(index, within(pair).flatten().cpu().double(), len(self.gamut))

    def compute(self) -> float:
        if not self.pixels.sum():
            raise Absent("no pictures were measured")
        prior = self.gamut.smooth(self.pixels / self.pixels.sum()) if self.prior is None else self.prior
        return float(100 * (self.within / prior).sum() / (self.pixels / prior).sum())

    def bin(self, ab: Tensor) -> Tensor:
        """The bin of every pixel of sRGB pictures, (B, 2, H, W) -> (B, H, W): `Gamut.nearest`, but faster."""
        a, b = (ab / STEP).round().long().add(110 // STEP).unbind(1)
        return self.bins.to(ab.device)[a, b]

    def _read(self, path: Path) -> Tensor:
        prior = torch.from_numpy(np.load(path, allow_pickle=False)).double()
        if prior.shape != (len(self.gamut),) or not (prior > 0).all():
            raise ValueError(
                f"prior={path}: give the shares of the {len(self.gamut)} bins, all of them above 0"
            )
        return prior
