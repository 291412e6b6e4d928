"""Colour that was found in a small copy of a picture, brought to the picture's size."""

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

RADIUS = 2  # pixels of the small copy: a window is 5 x 5
SMOOTHEST = 16.0  # variance of lightness in a window below which colour does not follow it


def guided(ab: Tensor, small: Tensor, L: Tensor) -> Tensor:
    """Enlarge ab, with edges where the picture's own lightness has them.

    In each window of the small copy, ab is fitted as slope * lightness + offset; slope and offset vary
    smoothly, so they are enlarged instead of ab, and full-resolution lightness puts them together (the fast
    guided filter: He and Sun 2015, arXiv:1505.00996). What the fit leaves over is enlarged with the offset:
    unlike the filter, it gives ab itself back where nothing is enlarged.

    Args:
        ab: (B, 2, h, w) in CIE units.
        small: lightness of the small copy, (B, 1, h, w), 0..100.
        L: lightness of the picture, (B, 1, H, W).

    Returns:
        (B, 2, H, W).
    """
    slope = _slope(ab, small)
    return _enlarged(slope, L, "bilinear") * L + _enlarged(ab - slope * small, L, "bicubic")


def _slope(ab: Tensor, small: Tensor) -> Tensor:
    """How ab changes with lightness, by ridge regression: the mean of the windows around each pixel."""
    variance = _mean(small * small) - _mean(small) ** 2
    covariance = _mean(small * ab) - _mean(small) * _mean(ab)
    return _mean(covariance / (variance + SMOOTHEST))


def _mean(x: Tensor) -> Tensor:
    """Over the window around each pixel."""
    return avg_pool2d(pad(x, (RADIUS,) * 4, mode="replicate"), 2 * RADIUS + 1, stride=1)


def _enlarged(x: Tensor, L: Tensor, mode: str) -> Tensor:
    return interpolate(x, size=L.shape[-2:], mode=mode, align_corners=False)
