import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.ExifTags import Base

from colorization.data.decode import EXTENSIONS, UnreadablePicture, open_picture, open_square

from .conftest import encoded, picture


def saved(image, kind="png", **settings):
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def fitted(data, size):
    """Protocol v1 in Pillow's own words."""
    return np.asarray(ImageOps.fit(open_picture(data), (size, size), Image.Resampling.BILINEAR))


@pytest.mark.parametrize("size", [(60, 40), (40, 60), (41, 41), (301, 200), (1, 1), (3, 97)])
def test_the_square_is_pillows_fit(size):
    data = saved(picture(0, size))
    assert np.array_equal(open_square(data, 24)[0], fitted(data, 24))
    assert open_square(data, 24)[1] == size


def test_a_reduced_decode_stays_close_to_the_whole_one():
    data = saved(picture(1, (1003, 765)), "jpeg", quality=95)
    difference = open_square(data, 48)[0].astype(float) - fitted(data, 48)
    assert np.abs(difference).mean() < 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_to_both(orientation):
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    data = saved(picture(2, (61, 40)), "jpeg", quality=100, subsampling=0, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert np.array_equal(np.asarray(open_picture(data)), upright)
    assert np.abs(open_square(data, 16)[0].astype(int) - fitted(data, 16)).max() <= 1


GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        (Image.fromarray(GREY), "png"),
        (Image.fromarray(GREY.astype(np.uint16) * 257), "png"),
        (Image.fromarray(GREY.astype(np.int32)), "tiff"),
        (Image.fromarray(GREY.astype(np.float32) / 255), "tiff"),
        (Image.fromarray(GREY).convert("P"), "gif"),
        (Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (16, 16), 255)]), "png"),
    ],
)
def test_every_mode_of_grey_reads_the_same(stored, kind):
    assert np.array_equal(np.asarray(open_picture(saved(stored, kind))), np.repeat(GREY[..., None], 3, 2))


def test_transparency_lies_on_white():
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert np.asarray(open_picture(saved(half))).min() == 255


def test_cmyk_and_the_first_frame_of_an_animation():
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert np.abs(np.asarray(open_picture(saved(cmyk, "jpeg"))).astype(int) - (255, 0, 0)).max() < 6
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    animated = saved(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert tuple(np.asarray(open_picture(animated))[0, 0]) == (255, 0, 0)


def bomb():
    """A JPEG whose header promises 20,000 x 20,000 pixels."""
    data = bytearray(encoded(0))
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = (20_000).to_bytes(2, "big") * 2
    return bytes(data)


@pytest.mark.parametrize("data", [b"", b"not a picture", encoded(0)[:-200], bomb()])
def test_what_cannot_be_read_is_named(data, tmp_path):
    with pytest.raises(UnreadablePicture, match=r"photo.jpg: ."):
        open_square(data, 16, "photo.jpg")
    (tmp_path / "photo.jpg").write_bytes(data)
    with pytest.raises(UnreadablePicture, match=r"photo.jpg: ."):
        open_picture(tmp_path / "photo.jpg")


def test_extensions_are_what_pillow_reads():
    assert {".jpg", ".jpeg", ".png", ".webp", ".tif", ".gif", ".bmp"} <= EXTENSIONS
    assert not EXTENSIONS & {".pdf", ".eps", ".h5", ".mpg", ".txt"}


def mutations(count):
    """Damaged JPEGs of every kind, each by its number."""
    for i in range(count):
        draw = np.random.default_rng(i)
        data = bytearray(encoded(i % 7))
        match i % 5:
            case 0:
                yield bytes(data[: draw.integers(len(data))])
            case 1:
                for place in draw.integers(len(data), size=draw.integers(1, 20)):
                    data[place] ^= 1 << draw.integers(8)
                yield bytes(data)
            case 2:
                data[: draw.integers(2, 40)] = draw.bytes(8)
                yield bytes(data)
            case 3:
                start = data.index(b"\xff\xc0") + 5
                data[start : start + 4] = draw.integers(0, 65536, 2).astype(">u2").tobytes()
                yield bytes(data)
            case _:
                yield bytes(data) + draw.bytes(50)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_thousand_damaged_jpegs_are_in_or_named():
    read = 0
    for data in mutations(1000):
        try:
            assert open_square(data, 8, "photo.jpg")[0].shape == (8, 8, 3)
            read += 1
        except UnreadablePicture as error:
            assert error.reason
    assert 200 < read < 900


def test_a_damaged_png_is_refused_as_a_square_too():
    def refused(read):
        try:
            read(bytes(data))
        except UnreadablePicture:
            return True
        return False

    data, draw, fates = bytearray(saved(picture(3, (90, 70)))), np.random.default_rng(0), []
    for place in draw.integers(60, len(data), 50):
        bit = 1 << draw.integers(8)
        data[place] ^= bit
        fates.append((refused(open_picture), refused(lambda data: open_square(data, 8))))
        data[place] ^= bit
    assert all(whole == square for whole, square in fates)
    assert sum(whole for whole, _ in fates) > 40
