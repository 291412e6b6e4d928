"""Histograms counted pixel by pixel, the loss from scipy, and decodings of distributions that are known."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from colorization.color import hue_chroma, lab
from colorization.config import ConfigError
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.model.units import Units
from colorization.objective.hue_chroma import HueChroma, divergence


class Fixed(Network):
    """Gives the logits that it was made with, at a stride."""

    units = Units()

    def __init__(self, logits, stride):
        super().__init__()
        self.logits, self.stride = logits, stride

    def forward(self, x):
        return self.logits.expand(len(x), -1, *(-(-side // self.stride) for side in x.shape[-2:]))


@pytest.mark.parametrize("stride", [1, 3, 4])
def test_a_label_is_the_histogram_of_the_window(stride):
    objective = HueChroma(bins=4, window=5)
    values = torch.rand(2, 11, 14)
    shares = objective.histogram(values, stride)
    for b in range(2):
        for i in range(-(-11 // stride)):
            for j in range(-(-14 // stride)):
                row, column = i * stride + stride // 2, j * stride + stride // 2
                around = values[b, max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
                counts, _ = np.histogram(around, bins=4, range=(0, 1))
                assert shares[b, :, i, j].tolist() == pytest.approx((counts / counts.sum()).tolist())


def test_the_largest_value_is_in_the_last_bin():
    assert HueChroma(bins=8, window=1).histogram(torch.ones(1, 2, 2), 1)[0, 7].eq(1).all()


def test_divergence_is_scipy_s():
    shares, logits = torch.rand(2, 6, 3, 3), torch.randn(2, 6, 3, 3)
    shares[:, 2] = 0
    shares = shares / shares.sum(dim=1, keepdim=True)
    expected = entropy(shares.numpy(), logits.softmax(dim=1).numpy(), axis=1)
    torch.testing.assert_close(divergence(shares, logits), torch.from_numpy(expected), atol=1e-5, rtol=1e-4)


def test_the_loss_weighs_hue_by_chroma_and_by_five():
    L, ab = torch.full((1, 1, 4, 4), 60.0), torch.zeros(1, 2, 4, 4)
    ab[:, 0, :, :2], ab[:, 1, :, 2:] = 30.0, -20.0
    objective = HueChroma(window=1)
    logits = torch.randn(1, 64, 1, 1)
    losses = objective.loss(Fixed(logits, 1), Batch(L, ab, torch.arange(1)))
    hue, chroma = hue_chroma.hue_chroma(lab.merge(L, ab))
    expected = 0.0
    of_hue, of_chroma = (-part[0, :, 0, 0].log_softmax(dim=0) for part in logits.split(32, dim=1))
    for h, c in zip(hue.flatten().tolist(), chroma.flatten().tolist(), strict=True):
        expected += of_chroma[int(c * 32)].item() + 5 * c * of_hue[int(h * 32)].item()
    assert losses.total.item() == pytest.approx(expected / 16, rel=1e-4)


def peaked(bin, bins=32):
    logits = torch.full((bins,), -30.0)
    logits[bin] = 0.0
    return logits


def decoded(hue, chroma, L=60.0, **settings):
    objective = HueChroma(**settings)
    logits = torch.cat([hue, chroma]).reshape(1, -1, 1, 1)
    return objective.predict(Fixed(logits, 2), Given(torch.full((1, 1, 6, 6), L)))


@pytest.mark.parametrize("hue_by", ["expectation", "mode"])
@pytest.mark.parametrize("chroma_by", ["median", "expectation", "mode"])
def test_a_sure_distribution_is_its_bin_however_it_is_decoded(hue_by, chroma_by):
    found = decoded(peaked(3), peaked(10), hue_by=hue_by, chroma_by=chroma_by)
    of_bin = torch.full((1, 6, 6), 3.5 / 32), torch.full((1, 6, 6), 10.5 / 32)
    torch.testing.assert_close(
        found, hue_chroma.ab(*of_bin, torch.full((1, 1, 6, 6), 60.0)), atol=0.1, rtol=0
    )


def test_chroma_is_the_median_of_a_histogram():
    """Halfway through the pixels, which lie evenly in each bin."""
    shares = torch.rand(32)
    shares = shares / shares.sum()
    edges = np.linspace(0, 1, 33)
    expected = np.interp(0.5, np.concatenate([[0], shares.cumsum(0)]), edges)
    found = HueChroma()._chroma_of(shares.reshape(1, 32, 1, 1))
    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_hue_that_could_be_anything_fades_and_its_mean_is_of_the_circle():
    anything, some = torch.zeros(32), peaked(16)
    assert decoded(anything, some).abs().max() < 0.5
    assert decoded(anything, some, fading=0.0).norm(dim=1).min() > 10
    around_red = torch.full((32,), -30.0)
    around_red[[0, 31]] = 0.0
    red = hue_chroma.ab(
        torch.zeros(1, 1, 1), torch.full((1, 1, 1), 16.5 / 32), torch.full((1, 1, 1, 1), 60.0)
    )
    torch.testing.assert_close(decoded(around_red, some)[..., :1, :1], red, atol=0.2, rtol=0)


def test_decoding_may_be_set_afterwards_and_names_what_it_takes():
    objective = HueChroma()
    objective.decode(chroma_by="mode", hue_by="mode", fading=0.1)
    assert (objective.chroma_by, objective.hue_by, objective.fading) == ("mode", "mode", 0.1)
    for setting, value, words in (
        ("chroma_by", "mean", "'median', 'expectation' or 'mode'"),
        ("hue_by", "median", "'expectation' or 'mode'"),
        ("fading", 2.0, "fading=2.0: choose 0"),
    ):
        with pytest.raises(ConfigError, match=words):
            objective.decode(**{setting: value})
    with pytest.raises(ValueError, match="window=4"):
        HueChroma(window=4)
