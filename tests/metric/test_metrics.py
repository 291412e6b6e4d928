"""Every metric of pixels against a second implementation, on photos that a dependency ships."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from colorization import build
from colorization.color.lab import rgb_to_lab
from colorization.compose import composed
from colorization.config import options
from colorization.metric import colorfulness as cf
from colorization.metric.base import Absent, Metric, Pair, SetMetric, shared
from colorization.metric.chroma import GREY, ab_mae, chroma, is_grey
from colorization.metric.ciede2000 import ciede2000, ciede2000_p90, delta_e
from colorization.metric.psnr import CAP, Pooled, psnr, psnr_ab
from tests.metric.conftest import arrays

FULL = build.metrics(composed("evaluate", ["run=none", "metric=[full]"]))
LISTS = {"default", "pixels", "networks", "full"}
NETWORKS = {"lpips_alex", "lpips_vgg", "fid", "kid", "fid_lite0", "kid_lite0"}
PIXELS = {name: metric for name, metric in FULL.items() if name not in NETWORKS}
SETS = [name for name, metric in PIXELS.items() if isinstance(metric, SetMetric)]


def test_the_list_full_names_every_metric():
    assert set(FULL) == set(options("metric")) - LISTS


@pytest.mark.parametrize("name", PIXELS)
def test_every_metric_of_pixels_tells_the_better_prediction(name, large):
    """By its own direction: an exact prediction against a noisy one."""
    metric = PIXELS[name]
    noisy, exact = (
        float(metric(p)) if isinstance(metric, Metric) else measured(copy.deepcopy(metric), p)
        for p in (large, Pair(large.truth, large.truth))
    )
    assert math.isfinite(noisy) and math.isfinite(exact)
    if metric.better != "none":
        assert (exact > noisy) is (metric.better == "higher")


def part(pair, chosen):
    return Pair(pair.predicted[chosen], pair.truth[chosen])


def measured(metric, *pairs):
    metric.reset()
    for pair in pairs:
        metric.update(pair)
    return metric.compute()


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_measured_alike_in_any_batches_and_copies_keep_apart(name, pair):
    metric = copy.deepcopy(PIXELS[name])
    with pytest.raises(Absent, match="no pictures"):
        metric.compute()
    whole = measured(metric, pair)
    other = copy.deepcopy(metric)
    assert measured(other, part(pair, [0])) != pytest.approx(whole)
    assert metric.compute() == whole
    assert measured(metric, part(pair, [2]), part(pair, [0, 1])) == pytest.approx(whole, rel=1e-5)


def test_what_metrics_share_is_computed_once(pair):
    calls = []

    @shared
    def slow(pair):
        calls.append(pair)
        return len(calls)

    one, other = part(pair, [0]), part(pair, [1])
    assert [slow(one), slow(one), slow(other), slow(one)] == [1, 1, 2, 1]


def test_a_prediction_of_nan_is_no_number(pair):
    broken = Pair(torch.full_like(pair.predicted, math.nan), pair.truth)
    assert ciede2000(broken).isnan().all() and ab_mae(broken).isnan().all() and psnr(broken).isnan().all()


def test_psnr_is_per_picture(pair):
    expected = [peak_signal_noise_ratio(t, p, data_range=1.0) for p, t in arrays(pair)]
    assert np.allclose(psnr(pair), expected, atol=1e-3)


def test_psnr_of_an_exact_prediction_is_capped(pair):
    exact = Pair(pair.truth, pair.truth)
    assert psnr(exact).tolist() == psnr_ab(exact).tolist() == [CAP] * 3
    assert measured(Pooled(), exact) == CAP


def test_pooled_psnr_is_that_of_all_pictures_as_one(pair):
    predicted, truth = (np.stack(side) for side in zip(*arrays(pair), strict=True))
    expected = peak_signal_noise_ratio(truth, predicted, data_range=1.0)
    assert measured(Pooled(), pair) == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.integers(0, 255), min_size=2, max_size=6))
def test_pooled_psnr_is_never_above_the_mean(offsets):
    errors = torch.tensor(offsets)[:, None, None, None].expand(-1, 3, 2, 2) / 255
    pair = Pair(errors, torch.zeros_like(errors))
    assert measured(Pooled(), pair) <= float(psnr(pair).mean()) + 1e-4


def test_psnr_ab_by_its_formula(pair):
    for (p, t), value in zip(arrays(pair), psnr_ab(pair), strict=True):
        predicted, truth = (np.clip(np.round(rgb2lab(x)[..., 1:] + 128), 0, 255) for x in (p, t))
        expected = 10 * np.log10(255**2 / np.mean((predicted - truth) ** 2))
        assert float(value) == pytest.approx(expected, abs=1e-2)  # where rgb2lab rounds the other way


def test_ciede2000_agrees_with_scikit_image(pair):
    pixels = [deltaE_ciede2000(rgb2lab(t), rgb2lab(p)) for p, t in arrays(pair)]
    assert np.allclose(ciede2000(pair), [of.mean() for of in pixels], atol=2e-3)
    expected = [np.percentile(of, 90, method="inverted_cdf") for of in pixels]
    assert np.allclose(ciede2000_p90(pair), expected, atol=5e-3)


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


def hasler(rgb, absolute):
    """M3 of (H, W, 3) in 0..1, as the paper has it."""
    r, g, b = np.moveaxis(255 * rgb, -1, 0)
    rg, yb = r - g, (r + g) / 2 - b
    if absolute:
        rg, yb = np.abs(rg), np.abs(yb)
    return np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)


@pytest.mark.parametrize("absolute", [False, True])
def test_colorfulness_by_its_formula(pair, absolute):
    predicted, truth = zip(*([hasler(x, absolute) for x in both] for both in arrays(pair)), strict=True)
    assert np.allclose(cf.colorfulness(pair.truth, absolute), truth, rtol=1e-4)
    assert np.allclose(cf.colorfulness(pair.predicted, absolute), predicted, rtol=1e-4)
    difference = abs(np.mean(predicted) - np.mean(truth))
    assert measured(cf.Difference(absolute), pair) == pytest.approx(difference, rel=1e-3)
    if not absolute:
        assert np.allclose(cf.error(pair), np.abs(np.subtract(predicted, truth)), rtol=1e-3)


def test_the_difference_of_means_hides_errors_that_cancel(pair):
    """A picture too vivid beside one too pale: means differ by nothing, pictures do."""
    swapped = Pair(pair.truth[[1, 0]], pair.truth[[0, 1]])
    assert measured(cf.Difference(), swapped) == pytest.approx(0, abs=1e-4)
    assert (cf.error(swapped) > 1).all()


def test_chroma_and_ab_error(pair):
    for i, (p, t) in enumerate(arrays(pair)):
        predicted, truth = rgb2lab(p)[..., 1:], rgb2lab(t)[..., 1:]
        assert float(chroma(pair.truth_lab)[i]) == pytest.approx(np.hypot(*truth.T).mean(), abs=1e-3)
        assert float(ab_mae(pair)[i]) == pytest.approx(np.abs(predicted - truth).mean(), abs=1e-3)


def test_grey_pictures_are_told_from_coloured_ones(pair):
    grey = pair.truth.mean(dim=1, keepdim=True).repeat(1, 3, 1, 1)
    assert is_grey(Pair(pair.predicted, grey)).all() and chroma(rgb_to_lab(grey)).max() < GREY
    assert not is_grey(pair).any()
