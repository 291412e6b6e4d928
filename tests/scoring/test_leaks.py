"""Training pictures among the test pictures are found, and others are not taken for them."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageEnhance, ImageOps

from colorization.scoring.leaks import BITS, correlation, distances, hashed, leaks, thumbnails

WHOLES = [
    Image.fromarray(getattr(skimage.data, name)()[..., :3])
    for name in ("astronaut", "coffee", "rocket", "chelsea")
]


def parts(size, offset=0, count=24):
    """Different parts of photos, 160 pixels wide in the original, at a size."""
    made = []
    for i in range(count):
        whole = WHOLES[i % len(WHOLES)]
        x, y = ((97 * i + offset) % (whole.width - 160), (61 * i + offset) % (whole.height - 160))
        made.append(whole.crop((x, y, x + 160, y + 160)).resize((size, size), Image.Resampling.BILINEAR))
    return made


def array(pictures):
    return np.stack([np.asarray(picture) for picture in pictures])


def jpeg(picture):
    file = io.BytesIO()
    picture.save(file, "jpeg", quality=85)
    return Image.open(file).convert("RGB")


CHANGES = {
    "nothing": lambda picture: picture,
    "size": lambda picture: picture.resize((64, 64), Image.Resampling.BILINEAR),
    "jpeg": jpeg,
    "brightness": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.7),
    "colour": lambda picture: picture.convert("L").convert("RGB"),
    "crop": lambda picture: picture.crop((1, 1, picture.width - 1, picture.height - 1)).resize(picture.size),
}


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found(change, mirrored):
    train = parts(144)
    test = [CHANGES[change](picture) for picture in parts(128)]
    if mirrored:
        test = [ImageOps.mirror(picture) for picture in test]
    found = leaks(array(train), array(test))
    assert [(leak.test, leak.train, leak.mirrored) for leak in found] == [(i, i, mirrored) for i in range(24)]


def test_other_parts_of_the_same_photos_are_not():
    assert leaks(array(parts(144)), array(parts(128, offset=45))) == []


def test_flat_pictures_are_alike_to_none():
    flat = np.full((3, 32, 32, 3), 128, np.uint8)
    assert leaks(flat, flat) == [] and correlation(np.ones(3), np.arange(3.0)) == 0


def test_thumbnails_are_means_over_cells():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 48, 34, 3), np.uint8)
    luma = pictures @ np.array([0.299, 0.587, 0.114])
    expected = luma.reshape(2, 16, 3, 17, 2).mean(axis=(2, 4))
    assert thumbnails(pictures) == pytest.approx(expected, rel=1e-5)
    whole = thumbnails(np.random.default_rng(0).integers(0, 256, (1, 37, 41, 3), np.uint8))
    assert whole.shape == (1, 16, 17) and 100 < whole.mean() < 155


def test_distances_count_bits():
    hashes = hashed(array(parts(64, count=6))).bits
    unpacked = np.unpackbits(hashes.view(np.uint8), axis=1)
    expected = (unpacked[:, None] != unpacked[None]).sum(axis=2)
    assert (distances(hashes, hashes) == expected).all() and unpacked.shape[1] == BITS
