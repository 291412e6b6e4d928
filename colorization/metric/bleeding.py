"""Colour that runs over the edges of things."""

import torch
from kornia.filters import spatial_gradient
from torch import Tensor
from torch.nn.functional import max_pool2d

from colorization.metric.ab_error import distance
from colorization.metric.base import Pair, metric, shared

STEEP = 10.0  # units of L per pixel: a step of 20, or a ramp of 10


@metric(unit="CIE", better="lower")
def bleeding(pair: Pair) -> Tensor:
    """How much larger the error of ab is beside strong edges of lightness than elsewhere, (B,) in CIE units.

    The mean Euclidean distance in ab over the pixels within 2 pixels (Euclidean) of a strong edge, less that
    over all others. An edge is strong where the gradient of the true L, by Sobel's operator over 8 with the
    border repeated, is at least 10 units of L per pixel long. About 0 where errors do not heed edges, below 0
    where they are larger inside of things; NaN without strong edges, or with nothing away from them.
    """
    beside, error = beside_edges(pair), distance(pair)
    return mean_where(beside, error) - mean_where(~beside, error)


@shared
def beside_edges(pair: Pair) -> Tensor:
    """Whether a pixel is at most 2 pixels from a strong edge of the true lightness, (B, H, W) bool."""
    slope = spatial_gradient(pair.truth_lab[:, :1], "sobel", normalized=True)[:, 0].norm(dim=1, keepdim=True)
    edges = (slope >= STEEP).float()
    # The disc of radius 2 is a square of 3 pixels a side and a cross of 5.
    parts = ((3, 3), (1, 5), (5, 1))
    near = [max_pool2d(edges, part, stride=1, padding=(part[0] // 2, part[1] // 2)) for part in parts]
    return torch.stack(near).amax(dim=0)[:, 0] > 0


def mean_where(chosen: Tensor, values: Tensor) -> Tensor:
    """The mean over the chosen pixels of each picture, (B, H, W) twice -> (B,); NaN where there are none."""
    return values.where(chosen, 0).sum(dim=(1, 2)) / chosen.sum(dim=(1, 2))
