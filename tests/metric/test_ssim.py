"""Structural similarity against scikit-image, and its five scales against the formula in NumPy."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from skimage.metrics import structural_similarity

from colorization.metric.base import Absent, Pair
from colorization.metric.ssim import ms_ssim, ssim, ssim_225, ssim_uniform
from tests.metric.conftest import arrays

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.mark.parametrize(
    ("metric", "settings"),
    [
        (ssim, GAUSSIAN | {"data_range": 1.0}),
        (ssim_uniform, {"data_range": 1.0}),
        (ssim_225, {"data_range": 225 / 255}),
    ],
)
def test_agrees_with_scikit_image(pair, metric, settings):
    expected = [structural_similarity(t, p, channel_axis=-1, **settings) for p, t in arrays(pair)]
    assert np.allclose(metric(pair), expected, atol=1e-6)


def test_flat_pictures_keep_their_digits():
    """Where variances are far below float32's last digit of the squares."""
    flat = torch.full((1, 3, 32, 32), 250 / 255)
    flat[..., ::2, ::2] += 1 / 255
    pair = Pair(flat.flip(-1), flat)
    ((p, t),) = arrays(pair)
    expected = structural_similarity(t, p, channel_axis=-1, data_range=1.0, **GAUSSIAN)
    assert float(ssim(pair)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("metric", [ssim, ssim_uniform, ms_ssim])
def test_mixed_precision_changes_nothing(large, metric):
    with torch.autocast("cpu", torch.bfloat16):
        inside = metric(Pair(large.predicted, large.truth))
    assert torch.equal(inside, metric(large))


def halved(x):
    height, width = (n // 2 * 2 for n in x.shape)
    return x[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def wang(x, y, exponents=(0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
    """Eq. 7 of Wang, Simoncelli and Bovik 2003 for one channel in 0..1."""
    window = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)
    window /= window.sum()

    def blur(z):
        return correlate1d(correlate1d(z, window, 0), window, 1)[5:-5, 5:-5]

    product = 1.0
    for scale, exponent in enumerate(exponents, 1):
        mx, my = blur(x), blur(y)
        sx, sy, sxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
        term = (2 * sxy + 0.03**2) / (sx + sy + 0.03**2)
        if scale == 5:
            term = term * (2 * mx * my + 0.01**2) / (mx**2 + my**2 + 0.01**2)
        product *= max(term.mean(), 0) ** exponent
        x, y = halved(x), halved(y)
    return product


def test_five_scales_by_the_formula(large):
    ((p, t),) = arrays(large)
    expected = np.mean([wang(p[..., c], t[..., c]) for c in range(3)])
    assert float(ms_ssim(large)) == pytest.approx(expected, abs=1e-6)


def test_a_negative_scale_counts_as_nothing(large):
    assert float(ms_ssim(Pair(1 - large.truth, large.truth))) == 0


@pytest.mark.parametrize(("metric", "needed"), [(ms_ssim, 176), (ssim, 11), (ssim_225, 7)])
def test_small_pictures_have_none(metric, needed):
    picture = torch.rand(1, 3, needed, needed)
    assert metric(Pair(picture, picture)).item() == pytest.approx(1)
    with pytest.raises(Absent, match=f"{needed - 1} pixels.* {needed}"):
        metric(Pair(picture[..., 1:], picture[..., 1:]))
