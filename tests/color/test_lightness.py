"""Lightness of codes, and codes of a lightness."""

import numpy as np
import torch
from skimage.color import rgb2lab
from torch.nn.functional import interpolate

from colorization.color import lab
from colorization.color.lightness import exact, lightness
from colorization.color.upsampling import Guided, guided


def test_lightness_is_scikit_images():
    for dtype, most in ((np.uint8, 255), (np.uint16, 65535)):
        codes = np.random.default_rng(0).integers(0, most + 1, (40, 40, 3)).astype(dtype)
        assert np.abs(lightness(codes)[0, 0].numpy() - rgb2lab(codes / most)[..., 0]).max() < 2e-3
        grey = codes[..., :1]
        assert np.abs(lightness(grey) - lightness(np.repeat(grey, 3, -1))).max() < 2e-3


def test_sixteen_bits_of_grey_come_back_to_the_last_bit():
    grey = np.random.default_rng(1).integers(0, 65536, (100, 100, 1)).astype(np.uint16)
    L = lightness(grey)
    ab = 30 * torch.randn(1, 2, 100, 100, generator=torch.Generator().manual_seed(0))
    rgb = lab.merge(L, ab)[0].movedim(0, -1).numpy()
    codes = exact(rgb, L[0, 0].numpy())
    linear = np.where(
        codes > 0.04045 * 65535, ((codes / 65535 + 0.055) / 1.055) ** 2.4, codes / 65535 / 12.92
    )
    Y = linear @ np.array([0.212671, 0.715160, 0.072169])
    back = np.where(Y > 0.0031308, 1.055 * Y ** (1 / 2.4) - 0.055, 12.92 * Y) * 65535
    assert (back.round() == grey[..., 0]).all()
    assert np.abs(codes / 65535 - rgb).mean() < 1e-3 and (codes.max(-1) != codes.min(-1)).mean() > 0.99


def test_strips_are_the_whole_and_the_whole_is_pytorchs():
    draw = torch.Generator().manual_seed(0)
    ab, small = torch.randn(1, 2, 9, 12, generator=draw) * 20, torch.rand(1, 1, 9, 12, generator=draw) * 100
    L = torch.rand(1, 1, 50, 31, generator=draw) * 100
    whole = guided(ab, small, L)
    guide = Guided(ab, small, (50, 31))
    parts = torch.cat([guide.rows(L[..., top : top + 7, :], top) for top in range(0, 50, 7)], dim=-2)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0)
    flat = Guided(ab, torch.full_like(small, 50), (50, 31)).rows(torch.full_like(L, 50), 0)
    right = interpolate(ab, size=(50, 31), mode="bicubic", align_corners=False)
    torch.testing.assert_close(flat, right, atol=1e-3, rtol=0)
