"""Chroma matching against SciPy, and what it asks for."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from colorization.data.batch import Batch
from colorization.loss.chroma import Chroma


def batch(truth):
    return Batch(torch.zeros(len(truth), 1, *truth.shape[-2:]), truth, torch.arange(len(truth)))


@given(st.integers(0, 2**31))
def test_it_is_the_wasserstein_distance_of_each_picture(seed):
    generator = torch.Generator().manual_seed(seed)
    ab, truth = (40 * torch.randn(2, 2, 5, 7, generator=generator) for _ in range(2))
    chroma = [[x.double().norm(dim=0).flatten().numpy() for x in side] for side in (ab, truth)]
    expected = sum(wasserstein_distance(*both) for both in zip(*chroma, strict=True)) / 2 / 110
    assert Chroma()(ab, batch(truth)).item() == pytest.approx(expected, rel=1e-4)


def test_neither_place_nor_hue_counts():
    truth = 40 * torch.randn(3, 2, 6, 6)
    turned = torch.stack([-truth[:, 1], truth[:, 0]], dim=1).flip(-1)
    assert Chroma()(turned, batch(truth)).item() == pytest.approx(0, abs=1e-6)
    assert Chroma()(truth[[1, 2, 0]], batch(truth)).item() > 0.001  # but that of another picture does


def test_a_faint_tint_does_not_stand_for_a_coat():
    """Of equal mean chroma."""
    truth = torch.zeros(1, 2, 10, 10)
    truth[:, 0, :1] = 50
    tint = torch.zeros_like(truth)
    tint[:, 0] = 5
    assert Chroma()(tint, batch(truth)).item() == pytest.approx((90 * 5 + 10 * 45) / 100 / 110, rel=1e-5)


def test_it_asks_a_pale_picture_for_more_and_grey_for_nothing_that_is_not_finite():
    truth = 40 * torch.randn(2, 2, 6, 6)
    pale = (0.3 * truth).requires_grad_()
    (gradient,) = torch.autograd.grad(Chroma()(pale, batch(truth)), pale)
    assert (gradient * truth).sum() < 0
    grey = torch.zeros_like(truth).requires_grad_()
    (gradient,) = torch.autograd.grad(Chroma()(grey, batch(truth)), grey)
    assert gradient.isfinite().all()
