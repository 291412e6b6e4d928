"""Every metric against a second implementation, on photos that a dependency ships."""

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from colorization.color.lab import rgb_to_lab
from colorization.metric.base import Pair
from colorization.metric.chroma import GREY, ab_mae, chroma, is_grey
from colorization.metric.ciede2000 import ciede2000, delta_e
from colorization.metric.colorfulness import colorfulness
from colorization.metric.psnr import CAP, psnr
from colorization.metric.ssim import ssim


@pytest.fixture(scope="module")
def pair() -> Pair:
    """Predicted and true pictures, 8-bit levels, (3, 3, 128, 128): no two errors alike."""
    crops = [skimage.data.astronaut()[:128, 100:228], skimage.data.coffee()[100:228, 200:328]]
    crops.append(skimage.data.chelsea()[50:178, 100:228])
    truth = torch.from_numpy(np.stack(crops)).movedim(-1, 1) / 255
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor([0.02, 0.05, 0.2])[:, None, None, None]
    return Pair(((truth + scale * noise).clamp(0, 1) * 255).round() / 255, truth)


def arrays(pair):
    return zip(*(x.movedim(1, -1).double().numpy() for x in (pair.predicted, pair.truth)), strict=True)


def test_psnr_is_per_picture(pair):
    expected = [peak_signal_noise_ratio(t, p, data_range=1.0) for p, t in arrays(pair)]
    assert np.allclose(psnr(pair), expected, atol=1e-3)


def test_psnr_of_an_exact_prediction_is_capped(pair):
    assert psnr(Pair(pair.truth, pair.truth)).tolist() == [CAP] * 3


def test_ssim_agrees_with_scikit_image(pair):
    expected = [
        structural_similarity(
            t,
            p,
            data_range=1.0,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for p, t in arrays(pair)
    ]
    assert np.allclose(ssim(pair), expected, atol=1e-3)


def test_ciede2000_agrees_with_scikit_image(pair):
    expected = [deltaE_ciede2000(rgb2lab(t), rgb2lab(p)).mean() for p, t in arrays(pair)]
    assert np.allclose(ciede2000(pair), expected, atol=2e-3)


# The rows of table 1 of Sharma, Wu and Dalal 2005 that test the hue arithmetic.
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, -0.0010, 2.4900), (50.0, 0.0011, -2.4900), 4.7461),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "expected"), SHARMA)
def test_ciede2000_of_the_published_table(one, other, expected):
    pixels = [torch.tensor(colour, dtype=torch.float64).reshape(1, 3, 1, 1) for colour in (one, other)]
    assert delta_e(*pixels).item() == pytest.approx(expected, abs=1e-4)


colours = st.tuples(st.floats(0, 100), st.floats(-110, 110), st.floats(-110, 110))


@given(colours, colours)
def test_ciede2000_is_symmetric_and_agrees_anywhere(one, other):
    x, y = (torch.tensor(colour, dtype=torch.float64).reshape(1, 3, 1, 1) for colour in (one, other))
    expected = deltaE_ciede2000(np.array(one), np.array(other))
    assert delta_e(x, y).item() == pytest.approx(delta_e(y, x).item(), abs=1e-6)
    assert delta_e(x, y).item() == pytest.approx(float(expected), abs=1e-4)


def test_colorfulness_by_its_formula(pair):
    for rgb, value in zip(
        pair.truth.movedim(1, -1).double().numpy() * 255, colorfulness(pair.truth), strict=True
    ):
        rg = rgb[..., 0] - rgb[..., 1]
        yb = (rgb[..., 0] + rgb[..., 1]) / 2 - rgb[..., 2]
        expected = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
        assert float(value) == pytest.approx(expected, rel=1e-4)


def test_chroma_and_ab_error(pair):
    for i, (p, t) in enumerate(arrays(pair)):
        predicted, truth = rgb2lab(p)[..., 1:], rgb2lab(t)[..., 1:]
        assert float(chroma(pair.truth_lab)[i]) == pytest.approx(np.hypot(*truth.T).mean(), abs=1e-3)
        assert float(ab_mae(pair)[i]) == pytest.approx(np.abs(predicted - truth).mean(), abs=1e-3)


def test_grey_pictures_are_told_from_coloured_ones(pair):
    grey = pair.truth.mean(dim=1, keepdim=True).repeat(1, 3, 1, 1)
    assert is_grey(Pair(pair.predicted, grey)).all() and chroma(rgb_to_lab(grey)).max() < GREY
    assert not is_grey(pair).any()
