"""Colour enlarged along the edges of lightness."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import avg_pool2d, interpolate

from colorization.color.upsampling import guided


def two_halves(size: int, edge: float):
    """A picture with a dark red and a bright green half, parted at a share of its width: L and ab."""
    right = (torch.arange(size) >= edge * size).float().expand(1, 1, size, size)
    return 30 + 40 * right, torch.cat([40 - 70 * right, 20 * right], dim=1)


@given(seed=st.integers(0, 2**16), height=st.integers(3, 20), width=st.integers(3, 20))
def test_at_its_own_size_colour_stays(seed, height, width):
    rng = torch.Generator().manual_seed(seed)
    ab, L = (
        torch.randn(2, 2, height, width, generator=rng),
        50 * torch.rand(2, 1, height, width, generator=rng),
    )
    torch.testing.assert_close(guided(20 * ab, L, L), 20 * ab, atol=1e-3, rtol=1e-4)


def test_an_edge_of_lightness_is_an_edge_of_colour():
    """The pixels along the edge, where bicubic smears both colours, keep their own."""
    L, ab = two_halves(96, 0.48)
    small, coarse = avg_pool2d(L, 8), avg_pool2d(ab, 8)
    smeared = interpolate(coarse, size=(96, 96), mode="bicubic", align_corners=False)
    along = slice(40, 52)
    wrong = [(made - ab)[..., along].abs().mean() for made in (guided(coarse, small, L), smeared)]
    assert wrong[0] < 0.5 * wrong[1]


def test_where_lightness_says_nothing_it_is_bicubic():
    ab = torch.randn(1, 2, 8, 8)
    flat, full = torch.full((1, 1, 8, 8), 50.0), torch.full((1, 1, 40, 56), 50.0)
    expected = interpolate(ab, size=(40, 56), mode="bicubic", align_corners=False)
    torch.testing.assert_close(guided(ab, flat, full), expected, atol=1e-4, rtol=1e-4)


def test_it_turns_and_mirrors_with_the_picture():
    ab, small, L = torch.randn(1, 2, 9, 7), 100 * torch.rand(1, 1, 9, 7), 100 * torch.rand(1, 1, 27, 21)
    straight = guided(ab, small, L)
    turned = guided(*(x.flip(-1).mT for x in (ab, small, L)))
    torch.testing.assert_close(turned.mT.flip(-1), straight, atol=1e-3, rtol=1e-4)
