"""Structural similarity, with each window and constant that published numbers were made with.

All see only places where the whole window lies inside the picture, as the paper and scikit-image do;
torchmetrics' own mean counts mirrored borders, too. A grey prediction scores 0.92 to 0.95 on photos: it
keeps all the structure. Read them beside their floor.

    Shape: sRGB (B, 3, H, W) 0..1 twice -> (B,), -1..1: the mean over R, G and B.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from colorization.metric.base import Pair, TooSmall, inner, metric, shared

K1, K2 = 0.01, 0.03  # of Wang et al. 2004
GAUSSIAN = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2))
UNIFORM = torch.ones(7)
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # the exponents of Wang, Simoncelli and Bovik 2003


class Moments(NamedTuple):
    """Means, variances and covariance of two pictures under a window, (B, 3, H', W') each."""

    mean_x: Tensor
    mean_y: Tensor
    var_x: Tensor
    var_y: Tensor
    cov: Tensor


@metric(better="higher")
def ssim(pair: Pair) -> Tensor:
    """SSIM of each picture (Wang et al. 2004): Gaussian window of 11 x 11, sigma 1.5."""
    return _means(pair, GAUSSIAN, 1.0)[0]


@metric(better="higher")
def ssim_inner(pair: Pair) -> Tensor:
    """`ssim` without 4 pixels at each edge, as `psnr.psnr_inner`."""
    return ssim(inner(pair))


@metric(better="higher")
def ssim_uniform(pair: Pair) -> Tensor:
    """SSIM with scikit-image's defaults: 7 x 7 pixels of equal weight, variances over n - 1."""
    return _uniform(pair)[0]


@metric(better="higher")
def ssim_225(pair: Pair) -> Tensor:
    """`ssim_uniform` with a data range of 225 where 255 is meant, as CT2's segm/metrics.py has it."""
    return _uniform(pair)[1]


@metric(better="higher")
def ms_ssim(pair: Pair) -> Tensor:
    """Multi-scale SSIM (Wang, Simoncelli and Bovik 2003) over five scales, each half the last.

    The product of the scales is taken for R, G and B each; a negative term, which has no such power,
    counts as 0. Raises TooSmall below 176 pixels a side, where the fifth scale is smaller than the window.
    """
    x, y = pair.predicted, pair.truth
    side, needed = min(x.shape[-2:]), len(GAUSSIAN) * 2 ** (len(SCALES) - 1)
    if side < needed:
        raise TooSmall(side, needed, "its five scales need")
    product = torch.ones_like(x[:, :, 0, 0])
    for scale, exponent in enumerate(SCALES, start=1):
        luminance, structure = _terms(moments(x, y, GAUSSIAN))
        term = luminance * structure if scale == len(SCALES) else structure
        product = product * term.mean(dim=(2, 3)).clamp(min=0) ** exponent
        x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
    return product.mean(dim=1)


def moments(x: Tensor, y: Tensor, window: Tensor, correction: int = 0) -> Moments:
    """Local means, variances and covariance under a separable window, (B, 3, H, W) twice.

    Variances are over n - correction. Two depthwise passes over all five sums at once, in float32
    whatever the precision of the training: in bfloat16 the variances are lost.
    """
    if min(x.shape[-2:]) < len(window):
        raise TooSmall(min(x.shape[-2:]), len(window), "its window needs")
    with torch.autocast(x.device.type, enabled=False), torch.backends.cudnn.flags(allow_tf32=False):
        x, y = x.float() - 0.5, y.float() - 0.5  # nearer to 0, squares keep more digits
        sums = torch.cat([x, y, x * x, y * y, x * y], dim=1)
        kernel = (window / window.sum()).to(sums).expand(sums.shape[1], 1, 1, -1)
        sums = conv2d(conv2d(sums, kernel, groups=len(kernel)), kernel.mT, groups=len(kernel))
    mean_x, mean_y, xx, yy, xy = sums.chunk(5, dim=1)
    n = len(window) ** 2
    spread = [
        (square - one * other) * (n / (n - correction))
        for square, one, other in ((xx, mean_x, mean_x), (yy, mean_y, mean_y), (xy, mean_x, mean_y))
    ]
    return Moments(mean_x + 0.5, mean_y + 0.5, *spread)


@shared
def _uniform(pair: Pair) -> Tensor:
    """Under the uniform window, for both data ranges, (2, B)."""
    return _means(pair, UNIFORM, 1.0, 225 / 255, correction=1)


def _means(pair: Pair, window: Tensor, *data_ranges: float, correction: int = 0) -> Tensor:
    """Mean SSIM of each picture for each data range, (len(data_ranges), B)."""
    at_once = 1 if pair.truth.device.type == "cpu" else len(pair.truth)  # a CPU's cache holds one picture
    found = []
    for x, y in zip(pair.predicted.split(at_once), pair.truth.split(at_once), strict=True):
        local = moments(x, y, window, correction)
        terms = (_terms(local, data_range) for data_range in data_ranges)
        found.append(torch.stack([(one * other).mean(dim=(1, 2, 3)) for one, other in terms]))
    return torch.cat(found, dim=1)


def _terms(m: Moments, data_range: float = 1.0) -> tuple[Tensor, Tensor]:
    """Luminance, and contrast times structure, whose product is SSIM (eq. 13), (B, 3, H', W') each."""
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    luminance = (2 * m.mean_x * m.mean_y + c1) / (m.mean_x**2 + m.mean_y**2 + c1)
    return luminance, (2 * m.cov + c2) / (m.var_x + m.var_y + c2)
