"""Colorfulness of Hasler and Suesstrunk 2003 (Measuring colourfulness in natural images)."""

import torch
from torch import Tensor

from colorization.metric.base import Absent, Better, Pair, SetMetric, metric, shared


def colorfulness(rgb: Tensor, absolute: bool = False) -> Tensor:
    """M3 = sigma_rgyb + 0.3 mu_rgyb on 8-bit sRGB, with opponents rg = R - G, yb = (R + G) / 2 - B.

    Args:
        rgb: (B, 3, H, W) sRGB 0..1.
        absolute: take |rg| and |yb| first, as much published code does (DDColor, CT2) and the paper does
            not: 8 to 10% less on photos.

    Returns: (B,): 0 is grey, 33 moderately, 59 quite, 109 extremely colourful.
    """
    r, g, b = (255 * rgb).flatten(2).unbind(1)
    opponents = torch.stack([r - g, (r + g) / 2 - b])
    if absolute:
        opponents = opponents.abs()
    mean = opponents.mean(dim=-1, keepdim=True)
    variance = (opponents - mean).square().mean(dim=-1)  # torch.std takes six times as long on a CPU
    return variance.sum(dim=0).sqrt() + 0.3 * mean[..., 0].norm(dim=0)


@metric(unit="M3")
@shared
def of_predicted(pair: Pair) -> Tensor:
    """Colorfulness of the prediction, (B,)."""
    return colorfulness(pair.predicted)


@metric(unit="M3")
@shared
def of_truth(pair: Pair) -> Tensor:
    """Colorfulness of the truth, (B,): what a good prediction reaches, no more and no less."""
    return colorfulness(pair.truth)


@metric(unit="M3")
@shared
def absolute_of_predicted(pair: Pair) -> Tensor:
    """Colorfulness of the prediction from absolute opponents, (B,)."""
    return colorfulness(pair.predicted, absolute=True)


@metric(unit="M3")
@shared
def absolute_of_truth(pair: Pair) -> Tensor:
    """Colorfulness of the truth from absolute opponents, (B,)."""
    return colorfulness(pair.truth, absolute=True)


@metric(unit="M3", better="lower")
def error(pair: Pair) -> Tensor:
    """How far each prediction's colorfulness is from its truth's, either way, (B,)."""
    return (of_predicted(pair) - of_truth(pair)).abs()


class Difference(SetMetric):
    """|mean colorfulness of the predictions - mean of the truths|, the "delta CF" of DDColor's tables.

    Pictures too vivid and pictures too pale cancel out in it; in the mean of `error` they do not.

    Args:
        absolute: from absolute opponents, as those tables have it.
    """

    unit = "M3"
    better: Better = "lower"
    state = ("surplus", "pictures")

    def __init__(self, absolute: bool = False):
        self.absolute = absolute
        self.reset()

    def reset(self) -> None:
        self.surplus, self.pictures = torch.zeros((), dtype=torch.float64), 0

    def update(self, pair: Pair) -> None:
        one, other = (absolute_of_predicted, absolute_of_truth) if self.absolute else (of_predicted, of_truth)
        surplus = (one(pair) - other(pair)).double().sum()
        self.surplus = self.surplus.to(surplus.device) + surplus
        self.pictures += len(pair.truth)

    def compute(self) -> float:
        if not self.pictures:
            raise Absent("no pictures were measured")
        return abs(float(self.surplus) / self.pictures)
