"""Bins of ab: their centres, soft labels, decodes, prior and weights, each against brute force."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from colorization.color import lab
from colorization.color.gamut import Gamut, cross_entropy, in_gamut, rebalancing, square

GAMUT = Gamut(in_gamut(), neighbours=5)
LOGITS = hnp.arrays(np.float32, (1, 313, 1, 2), elements=st.floats(-20, 20, width=32))


def dense(gamut, index, weight):
    """The soft label spread out over all bins, (B, Q, H, W)."""
    B, _, H, W = index.shape
    return torch.zeros(B, len(gamut), H, W).scatter_(1, index, weight)


def test_the_centres_are_the_313_of_the_paper():
    centres = in_gamut()
    assert centres.shape == (313, 2)
    assert centres.tolist() == sorted(centres.tolist())  # by a, then b
    assert len({tuple(c) for c in centres.tolist()}) == 313
    assert centres.amin(0).tolist() == [-90, -110] and centres.amax(0).tolist() == [100, 100]
    assert centres[[0, 4, 5, 312]].tolist() == [[-90, 50], [-90, 90], [-80, 20], [100, 0]]


def test_every_colour_of_srgb_lies_in_a_listed_cell():
    steps = torch.arange(0, 256, 5)
    rgb = torch.cartesian_prod(steps, steps, steps).T.to(torch.uint8)[None, :, :, None]
    _, ab = lab.split(rgb)
    occupied = torch.unique((ab[0, :, :, 0].T / 10).round() * 10, dim=0)
    assert {tuple(c) for c in occupied.tolist()} <= {tuple(c) for c in in_gamut().tolist()}


def test_the_square_is_the_23_by_23_grid():
    assert square().shape == (529, 2)
    index = Gamut(square(), neighbours=1).nearest(torch.tensor([-33.0, 48.0]).reshape(1, 2, 1, 1))
    assert index.item() == round((-33 + 110) / 10) * 23 + round((48 + 110) / 10)  # the authors' encoding


@pytest.mark.parametrize("neighbours", [1, 5, 10])
@pytest.mark.parametrize("centres", [in_gamut(), square()], ids=["in_gamut", "square"])
def test_soft_labels_agree_with_a_search_over_all_bins(centres, neighbours):
    torch.manual_seed(neighbours)
    gamut = Gamut(centres, neighbours)
    ab = torch.cat([torch.rand(4, 2, 32, 32) * 236 - 118, torch.randn(4, 2, 32, 32) * 20])
    index, weight = gamut.soft_encode(ab)
    squared = (ab.movedim(1, -1)[..., None, :] - centres).square().sum(-1)
    nearest = squared.sort(-1).values[..., :neighbours].movedim(-1, 1)
    torch.testing.assert_close(squared.movedim(-1, 1).gather(1, index), nearest, atol=1e-3, rtol=1e-5)
    first = squared.gather(-1, gamut.nearest(ab)[..., None])[..., 0]
    torch.testing.assert_close(first, nearest[:, 0], atol=1e-3, rtol=1e-5)
    expected = (-nearest.double() / 50).exp()
    expected /= expected.sum(1, keepdim=True)
    torch.testing.assert_close(weight.double(), expected, atol=1e-5, rtol=1e-3)


def test_ab_outside_the_table_counts_as_its_border():
    far = torch.tensor([500.0, -300.0]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(GAMUT.soft_encode(far), GAMUT.soft_encode(far.clamp(-120, 120)))


@given(hnp.arrays(np.float32, (1, 2, 3, 3), elements=st.floats(-110, 110, width=32)))
@settings(max_examples=40, deadline=None)
def test_a_soft_label_is_a_distribution_over_distinct_bins(ab):
    index, weight = GAMUT.soft_encode(torch.from_numpy(ab))
    torch.testing.assert_close(weight.sum(1), torch.ones(1, 3, 3))
    assert (weight >= 0).all()
    assert (index.sort(1).values.diff(dim=1) > 0).all()


@given(LOGITS)
@settings(max_examples=40, deadline=None)
def test_the_annealed_mean_goes_from_the_mean_to_the_mode(logits):
    logits = torch.from_numpy(logits)
    mean = (logits.double().softmax(1)[:, :, None] * GAMUT.centres[:, :, None, None]).sum(1)
    torch.testing.assert_close(GAMUT.mean(logits).double(), mean, atol=1e-3, rtol=1e-4)
    two = logits.topk(2, dim=1).values
    if (two[:, 0] - two[:, 1]).min() > 0.1:
        torch.testing.assert_close(GAMUT.mean(logits, 1e-3), GAMUT.mode(logits), atol=1e-3, rtol=1e-4)


@given(st.integers(0, 312), st.floats(0.05, 3))
@settings(max_examples=40, deadline=None)
def test_a_one_hot_decodes_to_its_centre(bin, temperature):
    logits = torch.full((1, 313, 1, 1), -1e4)
    logits[:, bin] = 0
    for ab in (GAMUT.mode(logits), GAMUT.mean(logits, temperature)):
        torch.testing.assert_close(ab[0, :, 0, 0], GAMUT.centres[bin])


def test_a_soft_label_decodes_to_about_its_colour():
    ab = torch.rand(1, 2, 8, 8) * 60 - 30
    index, weight = GAMUT.soft_encode(ab)
    decoded = GAMUT.mean(dense(GAMUT, index, weight).clamp(min=1e-12).log())
    assert (decoded - ab).norm(dim=1).max() < 6  # half of a bin's diagonal


def test_the_gradient_of_the_annealed_mean_is_its_closed_form():
    logits = torch.randn(1, 313, 1, 1, requires_grad=True)
    mean = GAMUT.mean(logits, 0.38)
    (gradient,) = torch.autograd.grad(mean[:, 0].sum(), logits)
    p = (logits.detach() / 0.38).softmax(1)
    expected = p * (GAMUT.centres[:, 0, None, None] - mean.detach()[:, :1]) / 0.38
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-4)


def test_decoding_is_exact_under_autocast():
    logits = 5 * torch.randn(1, 313, 4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        decoded = GAMUT.mean(logits, 0.38)
    torch.testing.assert_close(decoded, GAMUT.mean(logits, 0.38))


def test_cross_entropy_agrees_with_a_dense_target():
    torch.manual_seed(0)
    logits = torch.randn(2, 313, 5, 4)
    index, weight = GAMUT.soft_encode(torch.randn(2, 2, 5, 4) * 30)
    expected = -(dense(GAMUT, index, weight) * logits.log_softmax(1)).sum(1)
    torch.testing.assert_close(cross_entropy(logits, index, weight), expected)


def test_the_prior_counts_every_pixel():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (5, 16, 12, 3), dtype=np.uint8)
    pictures[3:] = pictures[3:, :1, :1]  # repeated colours count as often as they appear
    _, ab = lab.split(torch.from_numpy(pictures).movedim(-1, 1))
    counts = torch.bincount(GAMUT.nearest(ab).flatten(), minlength=313).double()
    expected = GAMUT.smooth(counts / counts.sum())
    torch.testing.assert_close(GAMUT.prior(pictures), expected)
    assert GAMUT.prior(pictures).sum() == pytest.approx(1)


def test_smoothing_keeps_the_sum_and_reaches_the_next_bin():
    shares = torch.zeros(313, dtype=torch.float64)
    shares[in_gamut().tolist().index([0.0, 0.0])] = 1
    smooth = GAMUT.smooth(shares)
    beside = smooth[in_gamut().tolist().index([10.0, 0.0])]
    assert smooth.sum() == pytest.approx(1)
    assert beside / smooth.max() == pytest.approx(np.exp(-100 / 50))


@given(hnp.arrays(np.float64, 313, elements=st.floats(1e-9, 1)), st.floats(0.01, 1))
@settings(max_examples=40, deadline=None)
def test_weights_average_to_one_and_favour_the_rare(shares, uniform):
    prior = torch.from_numpy(shares / shares.sum())
    weights = rebalancing(prior, uniform)
    assert (prior * weights).sum().item() == pytest.approx(1)
    assert (weights[prior.argsort()].diff() <= 1e-9).all()
    expected = 1 / ((1 - uniform) * prior + uniform / 313)
    torch.testing.assert_close(weights / weights[0], expected / expected[0])


def test_lambda_1_turns_rebalancing_off():
    prior = torch.rand(313, dtype=torch.float64)
    torch.testing.assert_close(rebalancing(prior / prior.sum(), 1.0), torch.ones(313, dtype=torch.float64))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Gamut(in_gamut(), neighbours=0), "neighbours=0"),
        (lambda: Gamut(in_gamut(), neighbours=314), "1..313"),
        (lambda: Gamut(in_gamut(), sigma=0), "sigma=0"),
        (lambda: GAMUT.mean(torch.zeros(1, 313, 1, 1), 0), "temperature=0"),
        (lambda: GAMUT.prior(np.zeros((0, 8, 8, 3), np.uint8)), "no pictures"),
        (lambda: rebalancing(torch.ones(3) / 3, 0), "rebalance=0"),
    ],
)
def test_errors_name_what_was_given_and_what_is_allowed(call, words):
    with pytest.raises(ValueError, match=words):
        call()
