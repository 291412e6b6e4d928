"""sRGB <-> Lab against scikit-image, the gamut mapping against its laws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kornia.color import lab_to_rgb as kornia_lab_to_rgb
from skimage.color import lab2rgb, rgb2lab

from colorization.color import lab


def cube(step: int = 5) -> torch.Tensor:
    """The 8-bit cube, sampled, corners included: (1, 3, N, 1) uint8."""
    levels = torch.tensor(sorted({*range(0, 256, step), 255}))
    return torch.cartesian_prod(levels, levels, levels).T[None, :, :, None].to(torch.uint8)


def flat(x: torch.Tensor) -> np.ndarray:
    return x[0, :, :, 0].T.double().numpy()


def test_lab_agrees_with_scikit_image_over_the_cube():
    rgb = cube()
    expected = rgb2lab(flat(rgb) / 255)
    assert np.abs(flat(lab.rgb_to_lab(rgb)) - expected).max() < 1e-3


def test_rgb_agrees_with_scikit_image_inside_the_gamut():
    values = lab.rgb_to_lab(cube())
    assert np.abs(flat(lab.lab_to_rgb(values)) - lab2rgb(flat(values))).max() < 1e-3


@pytest.mark.parametrize("gamut", ["chroma", "clip"])
def test_round_trip_is_exact_to_8_bits(gamut):
    rgb = cube(3)
    L, ab = lab.split(rgb)
    assert torch.equal(lab.to_uint8(lab.merge(L, ab, gamut)), rgb)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_does_not_reach_the_conversion(dtype):
    rgb = cube(17)
    with torch.autocast("cpu", dtype=dtype):
        values = lab.rgb_to_lab(rgb)
        back = lab.lab_to_rgb(values)
    assert values.dtype == back.dtype == torch.float32
    assert torch.equal(values, lab.rgb_to_lab(rgb))


colours = st.tuples(st.floats(0, 100), st.floats(-128, 128), st.floats(-128, 128))


@given(colours)
def test_chroma_reduction_keeps_lightness_and_hue(colour):
    given_lab = torch.tensor(colour).reshape(1, 3, 1, 1)
    mapped = lab.rgb_to_lab(lab.lab_to_rgb(given_lab)).flatten()
    L, a, b = given_lab.flatten()
    assert abs(mapped[0] - L) < 0.5
    chroma, wanted = torch.hypot(mapped[1], mapped[2]), torch.hypot(a, b)
    assert chroma <= wanted + 1.0
    if chroma > 5:  # below, rounding leaves no hue to speak of
        turn = torch.atan2(mapped[1] * b - mapped[2] * a, mapped[1] * a + mapped[2] * b)
        assert abs(turn * chroma) < 1.0


def test_clipping_is_what_it_says():
    outside = torch.tensor([60.0, 110.0, -100.0]).reshape(1, 3, 1, 1)
    clipped = lab.lab_to_rgb(outside, gamut="clip").flatten()
    assert np.allclose(clipped.numpy(), lab2rgb([60.0, 110.0, -100.0]), atol=1e-3)
    assert abs(lab.rgb_to_lab(lab.lab_to_rgb(outside, "clip")).flatten()[0] - 60) > 1


def test_mapping_finds_the_most_chromatic_colour():
    colour = torch.tensor([50.0, 120.0, 60.0]).reshape(1, 3, 1, 1)
    found = lab.rgb_to_lab(lab.lab_to_rgb(colour)).flatten()
    shares = torch.linspace(0, 1, 2001)
    ray = torch.cat([torch.full((2001,), 50.0)[:, None], shares[:, None] * colour.flatten()[1:]], dim=1)
    rgb = lab2rgb(ray.numpy(), channel_axis=-1)
    back = rgb2lab(rgb)
    inside = np.abs(back - ray.numpy()).max(axis=1) < 0.5  # scikit-image clips: what survives was inside
    best = np.hypot(*ray[inside][:, 1:].numpy().T).max()
    assert abs(float(torch.hypot(found[1], found[2])) - best) < 1.0


def test_gradients_are_finite_at_black_and_white():
    rgb = (
        torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.5, 0.5, 0.5]])
        .T.reshape(1, 3, 3, 1)
        .requires_grad_()
    )
    lab.rgb_to_lab(rgb).sum().backward()
    assert rgb.grad.isfinite().all()


def test_rounding_is_to_the_nearest():
    values = torch.tensor([0.0, 0.49, 0.51, 254.6, 255.4]) / 255
    assert lab.to_uint8(values).tolist() == [0, 0, 1, 255, 255]
    assert torch.equal(lab.quantize(values) * 255, lab.to_uint8(values).float())


def test_an_unknown_gamut_mapping_is_named():
    with pytest.raises(ValueError, match=r"chroma.*clip"):
        lab.lab_to_rgb(torch.zeros(1, 3, 1, 1), gamut="nearest")


@pytest.mark.parametrize("gamut", ["chroma", "clip"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_what_is_not_finite_is_no_colour(gamut, value, channel):
    """Not black: the pixel is NaN throughout, its neighbours keep their colours, and 8 bits refuse it."""
    values = torch.tensor([[50.0, 20.0, 10.0], [50.0, 150.0, 10.0]]).T.reshape(1, 3, 2, 1)
    values = torch.cat([values, values], dim=3)
    broken = values.clone()
    broken[0, channel, :, 1] = value
    rgb, whole = lab.lab_to_rgb(broken, gamut), lab.lab_to_rgb(values, gamut)
    assert rgb[..., 1].isnan().all()
    assert torch.equal(rgb[..., 0], whole[..., 0])
    assert lab.quantize(rgb)[..., 1].isnan().all()
    with pytest.raises(lab.NotFinite, match="6 of 12 colour values are NaN"):
        lab.to_uint8(rgb)


@pytest.mark.parametrize("length", [3e2, 1e5, 1e8, 1e20, 3e38])
def test_absurd_chroma_becomes_the_same_colour_as_much_chroma(length):
    """With steps as fine as for ordinary colours."""
    angles = torch.linspace(0, 6.28, 100)
    hues = torch.stack([angles.cos(), angles.sin()])[None, ..., None]
    L = torch.full((1, 1, 100, 1), 50.0)
    mapped, expected = (lab.rgb_to_lab(lab.merge(L, size * hues)) for size in (length, 180.0))
    assert (mapped - expected).abs().max() < 0.2


def test_colours_are_mapped_by_halvings_of_the_way_from_grey():
    """Recorded numbers rest on this mapping. In linear light a colour of a thousand may be a halving off."""
    generator = torch.Generator().manual_seed(0)
    L = torch.rand(1, 1, 100, 100, generator=generator) * 100
    ab = (torch.rand(1, 2, 100, 100, generator=generator) - 0.5) * 400
    low, high = torch.zeros_like(L), torch.ones_like(L)
    for _ in range(12):
        middle = (low + high) / 2
        rgb = kornia_lab_to_rgb(torch.cat([L, middle * ab], dim=1), clip=False)
        inside = ((rgb >= -0.4 / 255) & (rgb <= 1 + 0.4 / 255)).all(dim=1, keepdim=True)
        low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
    whole = kornia_lab_to_rgb(torch.cat([L, ab], dim=1), clip=False)
    inside = ((whole >= -0.4 / 255) & (whole <= 1 + 0.4 / 255)).all(dim=1, keepdim=True)
    mapped = kornia_lab_to_rgb(torch.cat([L, low * ab], dim=1), clip=False)
    difference = (lab.merge(L, ab) - torch.where(inside, whole, mapped).clamp(0, 1)).abs().amax(dim=1)
    assert (difference > 1e-6).float().mean() < 1e-3 and difference.max() < 0.4 / 255
