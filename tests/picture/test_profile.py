"""Profiles, beside LittleCMS."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorization.picture.profile import NoFit, deep_to_srgb, to_srgb
from colorization.picture.reading import of_picture
from tests.picture.icc import ADOBE, P3, dot_gain, grey_profile, rgb_profile, srgb_curve

RAMP = np.arange(256, dtype=np.uint8)[None]
COLOURS = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
PROFILES = {
    "adobe": rgb_profile(ADOBE, 2.19921875),
    "p3": rgb_profile(P3, srgb_curve()),
    "linear": rgb_profile(P3, 1),
}
GREYS = {"1.8": grey_profile(1.8), "2.2": grey_profile(2.2), "dots": grey_profile(dot_gain())}


def of_littlecms(picture, profile):
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    return np.asarray(converted).astype(float)


@pytest.mark.parametrize("name", [*PROFILES, *GREYS])
def test_sixteen_bits_are_converted_as_littlecms_does_eight(name):
    profile = PROFILES.get(name) or GREYS[name]
    values = COLOURS if name in PROFILES else RAMP[..., None]
    right = of_littlecms(Image.fromarray(values if name in PROFILES else RAMP), profile)
    deep = deep_to_srgb(values.astype(np.uint16) * 257, profile) / 257
    assert np.abs(deep - right).max() <= (1.6 if name != "linear" else 2.6)


def test_a_profile_of_srgb_changes_nothing():
    made = Image.fromarray(COLOURS)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert to_srgb(made, profile) is made


@pytest.mark.parametrize(
    ("mode", "profile"), [("CMYK", PROFILES["p3"]), ("L", PROFILES["p3"]), ("RGB", b"none")]
)
def test_a_profile_that_does_not_fit_is_said(mode, profile):
    with pytest.raises(NoFit, match="its ICC profile"):
        to_srgb(Image.new(mode, (2, 2)), profile)


def test_parametric_curves_are_those_of_the_standard():
    """The sRGB curve as a para of kind 3 gives sRGB back."""
    import struct

    from colorization.picture.profile import _curve

    given = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tag = b"para\0\0\0\0" + struct.pack(">HH5i", 3, 0, *(round(v * 65536) for v in given))
    right = np.interp(np.arange(65536) / 65535, np.arange(1024) / 1023, srgb_curve())
    assert np.abs(_curve(tag) - right).max() < 1e-4


SRGB_AT = ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
D65_AT = (0.3127, 0.329)


def png(pixels, *, gamma=None, at=None, intent=None):
    """A PNG that says itself what its codes mean, opened."""
    from PIL.PngImagePlugin import PngInfo

    said, file = PngInfo(), io.BytesIO()
    if gamma:
        said.add(b"gAMA", round(gamma * 100000).to_bytes(4, "big"))
    if at:
        said.add(b"cHRM", b"".join(round(v * 100000).to_bytes(4, "big") for xy in (D65_AT, *at) for v in xy))
    if intent is not None:
        said.add(b"sRGB", bytes([intent]))
    Image.fromarray(pixels).save(file, "PNG", pnginfo=said)
    return Image.open(file)


@pytest.mark.parametrize(("gamma", "at"), [(1.0, None), (1 / 1.8, ADOBE), (1 / 2.2, P3)])
def test_a_pngs_gamma_and_chromaticities_are_a_profile(gamma, at):
    right = of_littlecms(Image.fromarray(COLOURS), rgb_profile(at or SRGB_AT, 1 / gamma))
    made = of_picture(png(COLOURS, gamma=gamma, at=at))
    assert np.abs(made.pixels - right).max() <= 1.6


def test_a_grey_png_of_linear_light_is_brightened():
    made = of_picture(png(RAMP, gamma=1.0))
    linear = RAMP[0] / 255
    right = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear) * 255
    assert made.grey and np.abs(made.pixels[0, :, 0] - right).max() <= 1


@pytest.mark.parametrize(
    "said", [{"gamma": 0.45455}, {"gamma": 0.45455, "at": SRGB_AT}, {"gamma": 1.0, "intent": 0}]
)
def test_a_png_of_srgb_keeps_its_codes(said):
    assert np.array_equal(of_picture(png(COLOURS, **said)).pixels, COLOURS)


def test_chromaticities_that_are_none_are_those_of_srgb():
    nonsense = ((0.3, 0.0), (0.3, 0.0), (0.3, 0.0))
    made, right = (of_picture(png(COLOURS, gamma=1.0, at=at)).pixels for at in (nonsense, SRGB_AT))
    assert np.array_equal(made, right)
