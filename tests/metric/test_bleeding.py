"""Bleeding against SciPy and scikit-image, and on edges that are known."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from colorization.metric.base import Pair
from colorization.metric.bleeding import beside_edges, bleeding
from tests.metric.conftest import arrays


def brute_force(predicted, truth):
    predicted, truth = rgb2lab(predicted), rgb2lab(truth)
    slope = np.hypot(*(ndimage.sobel(truth[..., 0], axis, mode="nearest") / 8 for axis in (0, 1)))
    beside = ndimage.distance_transform_edt(slope < 10) <= 2
    error = np.hypot(*np.moveaxis(predicted - truth, -1, 0)[1:])
    return beside, error[beside].mean() - error[~beside].mean()


def test_bleeding_agrees_with_a_second_implementation(pair):
    masks, expected = zip(*(brute_force(p, t) for p, t in arrays(pair)), strict=True)
    assert all(0.02 < mask.mean() < 0.98 for mask in masks)
    assert (
        beside_edges(pair).numpy() == np.stack(masks)
    ).mean() > 0.9999  # but for slopes of 10 to six digits
    assert np.allclose(bleeding(pair), expected, atol=5e-3)


def sides(step=40.0, width=32):
    """A picture of two greys side by side, (1, 3, 16, width) Lab, whose right half is lighter by `step`."""
    lab = torch.zeros(1, 3, 16, width)
    lab[:, 0] = 40
    lab[:, 0, :, width // 2 :] += step
    return lab


def shown(lab):
    rgb = lab2rgb(lab.movedim(1, -1).double().numpy())
    return torch.from_numpy((255 * rgb).round() / 255).movedim(-1, 1).float()


@pytest.mark.parametrize(("step", "strong"), [(19, False), (21, True)])
def test_a_step_of_20_is_a_strong_edge_and_2_pixels_beside_it_are_meant(step, strong):
    """Sobel sees the two columns at the step; within 2 pixels of those there are 6 columns."""
    truth = shown(sides(step))
    beside = beside_edges(Pair(truth, truth))
    assert beside[0, :, 13:19].all() if strong else not beside.any()
    assert beside.sum() == (6 * 16 if strong else 0)


def test_colour_over_the_edge_bleeds_and_colour_inside_does_not():
    truth = sides()
    over, inside, everywhere = truth.clone(), truth.clone(), truth.clone()
    over[:, 1, :, 14:18] = 20
    inside[:, 1, :, 2:6] = 20
    everywhere[:, 1] = 20
    bled, apart, even = (bleeding(Pair(shown(x), shown(truth))).item() for x in (over, inside, everywhere))
    assert bled == pytest.approx(20 * 4 / 6, abs=0.3)
    assert apart == pytest.approx(-20 * 4 / 26, abs=0.3)
    assert even == pytest.approx(0, abs=0.5)


def test_where_nothing_is_compared_there_is_no_number(pair):
    flat = torch.full_like(pair.truth, 0.5)
    assert bleeding(Pair(pair.predicted, flat)).isnan().all()
    stripes = torch.zeros(1, 3, 8, 8)
    stripes[..., ::4], stripes[..., 1::4] = 1, 1
    assert bleeding(Pair(stripes, stripes)).isnan().all()
