"""Pictures become squares as other protocols want them, in packs of their own."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import map_coordinates
from skimage.data import coffee
from torch.nn.functional import interpolate

from colorization.data.decode import Geometry, open_square
from colorization.data.folder import Folder
from colorization.data.source import with_geometry

# Width and height; margins of 125, 124, 168, 160, 1, 167 and 0 pixels, and one that is enlarged.
SIZES = [(500, 375), (500, 376), (500, 332), (640, 480), (101, 100), (333, 500), (256, 256), (60, 91)]


def encoded(picture, kind="png", **settings):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **settings)
    return file.getvalue()


def noise(width, height):
    return np.random.default_rng(width + height).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("fit", "columns"), [("stretch", slice(None)), ("crop", slice(100, 500))])
def test_the_triangle_filter_is_that_of_a_second_implementation(fit, columns):
    part = torch.tensor(coffee()[:, columns]).movedim(-1, 0)[None].float()
    expected = interpolate(part, (96, 96), mode="bilinear", antialias=True, align_corners=False)
    found, size = open_square(encoded(coffee()), 96, geometry=Geometry(fit))
    assert size == (600, 400)
    apart = np.abs(found - expected[0].movedim(0, -1).numpy())
    assert apart[:, 1:-1].max() < 1.1  # at its own edge Pillow's crop sees the picture beside it


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_crop_first_cuts_whole_pixels_out_before_it_resizes(width, height):
    """As torchvision's CenterCrop(shorter side) and Resize(256), to the bit; JPEGs are decoded whole."""
    side = min(width, height)
    left, top = (round((full - side) / 2.0) for full in (width, height))
    for data in (encoded(noise(width, height)), encoded(noise(width, height), "jpeg", quality=95)):
        whole = np.asarray(Image.open(io.BytesIO(data)))
        part = Image.fromarray(whole[top : top + side, left : left + side])
        for size in (32, 256):
            expected = np.asarray(part.resize((size, size), Image.Resampling.BILINEAR))
            assert (open_square(data, size, geometry=Geometry("crop_first"))[0] == expected).all()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_linear_interpolates_at_half_pixel_centres_and_rounds(width, height):
    """As OpenCV's INTER_LINEAR on floats: no antialiasing, edges repeated, the nearest level."""
    picture = noise(width, height)
    for size in (32, 224):
        rows, columns = ((np.arange(size) + 0.5) * full / size - 0.5 for full in (height, width))
        grid = np.meshgrid(rows, columns, indexing="ij")
        exact = np.stack(
            [map_coordinates(picture[..., c].astype(float), grid, order=1, mode="nearest") for c in range(3)],
            axis=-1,
        )
        found = open_square(encoded(picture), size, geometry=Geometry("stretch", "linear"))[0]
        assert np.abs(found - exact).max() <= 0.5 + 1e-9
        assert abs((found - exact).mean()) < 0.01  # cut instead of rounded: 0.4


def test_linear_sees_the_crop_that_is_asked_for():
    picture = noise(64, 40)
    for fit in ("crop", "crop_first"):
        found = open_square(encoded(picture), 40, geometry=Geometry(fit, "linear"))[0]
        assert (found == picture[:, 12:52]).all()


def test_a_geometry_has_a_pack_and_a_fingerprint_of_its_own(photos, tmp_path):
    def made(**settings):
        return Folder(root=str(photos / "part0"), cache_dir=str(tmp_path), image_size=16, **settings).pack(
            "test"
        )

    v1, stretched = made(), made(fit="stretch")
    assert v1.names == stretched.names and v1.fingerprint != stretched.fingerprint
    path = photos / "part0" / stretched.names[0]
    assert (stretched.pictures[0] == open_square(path, 16, geometry=Geometry("stretch"))[0]).all()
    assert made(fit="crop", filter="triangle").fingerprint == v1.fingerprint
    with pytest.raises(ValueError, match="stretch"):
        made(fit="squash")


def test_drawn_pictures_are_squares_already():
    drawn = object()
    assert with_geometry(drawn, Geometry("stretch")) is drawn
