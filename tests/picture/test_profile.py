"""Profiles, beside LittleCMS."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorization.picture.profile import NoFit, deep_to_srgb, to_srgb
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
