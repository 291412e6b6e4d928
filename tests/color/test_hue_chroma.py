"""Hue and chroma against Python's own colorsys, and the way back through Lab."""

import colorsys

import pytest
import torch

from colorization.color import hue_chroma, lab


def colours(n=500):
    rgb = torch.rand(n, 3, generator=torch.Generator().manual_seed(0))
    rgb[:8] = torch.tensor([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)], dtype=torch.float32)
    rgb[8] = 0.5
    return rgb.T.reshape(1, 3, n, 1)


def test_hue_and_chroma_are_those_of_hsv():
    rgb = colours()
    hue, chroma = hue_chroma.hue_chroma(rgb)
    for i, colour in enumerate(rgb[0, :, :, 0].T.tolist()):
        h, s, v = colorsys.rgb_to_hsv(*colour)
        assert float(hue[0, i, 0]) == pytest.approx(h, abs=1e-5)
        assert float(chroma[0, i, 0]) == pytest.approx(s * v, abs=1e-6)


def test_a_colour_comes_back_from_hue_chroma_and_lightness():
    rgb = colours()
    L, truth = lab.split(rgb)
    found = hue_chroma.ab(*hue_chroma.hue_chroma(rgb), L)
    assert truth.abs().max() > 80
    torch.testing.assert_close(found, truth, atol=0.1, rtol=0)


def test_more_chroma_than_there_is_at_a_lightness_keeps_its_hue():
    hue, L = torch.full((1, 1, 1), 0.0), torch.full((1, 1, 1, 1), 98.0)
    ab = hue_chroma.ab(hue, torch.ones(1, 1, 1), L)
    red = lab.split(torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1))[1]
    torch.testing.assert_close(ab, red, atol=0.1, rtol=0)


def test_it_has_gradients():
    hue = torch.full((1, 1, 1), 0.1, requires_grad=True)
    chroma = torch.full((1, 1, 1), 0.4, requires_grad=True)
    hue_chroma.ab(hue, chroma, torch.full((1, 1, 1, 1), 50.0)).square().sum().backward()
    assert hue.grad.abs() > 0 and chroma.grad > 0
