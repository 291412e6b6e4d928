"""Grey, toned and coloured pictures are told apart."""

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageOps

from colorization.picture.original import Original, without_colour
from colorization.picture.tone import tone_of

PHOTOS = [Image.fromarray(make()).resize((120, 80)) for make in (skimage.data.coffee, skimage.data.astronaut)]
TONES = {
    "sepia": ("#20120a", "#f4e6c8"),
    "cyanotype": ("#0a1c3c", "#eef4f8"),
    "faded": ("#3c3228", "#d8d0b8"),
}


@pytest.mark.parametrize("photo", PHOTOS)
def test_each_kind_is_what_it_is(photo):
    grey = photo.convert("L")
    noisy = np.asarray(photo.convert("L").convert("RGB")).astype(int)
    noisy = noisy + np.random.default_rng(0).integers(-1, 2, noisy.shape)
    assert tone_of(Original(np.asarray(photo))) == "colour"
    assert tone_of(Original(np.asarray(grey)[..., None])) == "grey"
    assert tone_of(Original(noisy.clip(0, 255).astype(np.uint8))) == "grey"
    for black, white in TONES.values():
        assert tone_of(Original(np.asarray(ImageOps.colorize(grey, black, white)))) == "toned"


def test_one_coloured_thing_on_grey_is_no_tone():
    picture = np.asarray(PHOTOS[0].convert("L").convert("RGB")).copy()
    picture[20:40, 30:60] = (200, 40, 30)
    assert tone_of(Original(picture)) == "colour"


def test_channels_that_are_alike_become_one():
    grey = np.asarray(PHOTOS[0].convert("L").convert("RGB"))
    assert without_colour(grey).shape == (80, 120, 1)
    odd = grey.copy()
    odd[79, 119, 2] ^= 1
    assert without_colour(odd).shape == (80, 120, 3)
