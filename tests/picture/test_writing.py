"""Files that other readers give back as they were written."""

import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from colorization.picture.layer import LUMA, colour_layer
from colorization.picture.metadata import Metadata, metadata, srgb
from colorization.picture.original import Original
from colorization.picture.png import write_png
from colorization.picture.sheet import contact_sheet
from colorization.picture.tiffs import write_tiff
from colorization.picture.writing import Writer

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 30))


def noise(shape, deep, channels):
    high = 65536 if deep else 256
    made = np.random.default_rng(0).integers(0, high, (*shape, channels))
    return made.astype(np.uint16 if deep else np.uint8)


@settings(max_examples=25, deadline=None)
@given(SHAPES, st.booleans(), st.booleans(), st.integers(20, 400))
def test_every_bit_is_given_back(shape, deep, transparent, strip):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("colorization.picture.original.STRIP", strip)
        pixels = noise(shape, deep, 3)
        alpha = noise(shape, deep, 1)[..., 0] if transparent else None
        whole = pixels if alpha is None else np.dstack([pixels, alpha])
        png, tiff = io.BytesIO(), io.BytesIO()
        write_png(png, pixels, alpha)
        write_tiff(tiff, [Original(pixels, alpha), Original(pixels[::-1], alpha)])
    assert np.array_equal(imagecodecs.png_decode(png.getvalue()), whole)
    tiff.seek(0)
    with tifffile.TiffFile(tiff) as file:
        assert np.array_equal(file.pages[0].asarray(), whole)
        assert np.array_equal(file.pages[1].asarray()[..., :3], pixels[::-1])
        assert file.pages[0].tags["InterColorProfile"].value == srgb()


def test_pillow_reads_the_pngs_too():
    pixels, file = noise((9, 7), False, 3), io.BytesIO()
    write_png(
        file, pixels, profile=srgb(), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", xmp=b"<x/>", dpi=(300, 300)
    )
    with Image.open(file) as read:
        assert np.array_equal(np.asarray(read), pixels)
        assert read.info["icc_profile"] == srgb() and round(read.info["dpi"][0]) == 300


@pytest.mark.parametrize(
    ("file", "said"),
    [("a.jpg", {"a JPEG holds no alpha: it lies on white", "a JPEG holds 8 bits of 16"}), ("a.png", set()),
     ("a.webp", {"a WEBP holds 8 bits of 16"}), ("a.tif", set())],
)  # fmt: skip
def test_what_a_kind_cannot_hold_is_said(file, said, tmp_path):
    original = Original(noise((4, 5), True, 3), noise((4, 5), True, 1)[..., 0])
    assert set(Writer().write(tmp_path / file, [original])) == said


def test_quality_and_subsampling_reach_the_file(tmp_path):
    original = Original(noise((40, 50), False, 3))
    for subsampling, factors in (("444", (1, 1)), ("422", (2, 1)), ("420", (2, 2))):
        Writer(quality=80, subsampling=subsampling).write(tmp_path / "a.jpg", [original])
        with Image.open(tmp_path / "a.jpg") as read:
            assert read.layer[0][1:3] == factors
    sizes = []
    for quality in (30, 95):
        Writer(quality=quality).write(tmp_path / "a.jpg", [original])
        sizes.append((tmp_path / "a.jpg").stat().st_size)
    assert sizes[0] < sizes[1] / 2


def test_a_side_that_is_too_long_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"a WEBP holds 16383 pixels a side; choose format=png"):
        Writer().write(tmp_path / "a.webp", [Original(noise((1, 20_000), False, 3))])


def test_marks_are_made_once_and_orientation_is_put_right():
    packet = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
    <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""
    made = Image.new("RGB", (3, 2))
    made.info["xmp"] = packet
    twice = metadata(made).marked("one").marked("other & more")
    assert b'tiff:Orientation="1"' in twice.xmp
    assert twice.xmp.count(b"DigitalSourceType=") == 1 and b'"other &amp; more"' in twice.xmp
    assert b'"one"' not in twice.xmp
    assert Metadata().marked("one").xmp.startswith(b"<?xpacket")


def test_the_layer_gives_the_colouring_back_by_colour_blending():
    """SetLum of ISO 32000-1, 11.3.5.3, written out."""
    coloured = noise((30, 30), False, 3)
    layer = colour_layer(coloured).astype(float) / 255
    blended = layer + (coloured @ LUMA / 255 - layer @ LUMA)[..., None]
    assert np.abs(blended * 255 - coloured).max() <= 1.01
    assert np.abs(layer @ LUMA - 0.5).mean() < np.abs(coloured @ LUMA / 255 - 0.5).mean()


def test_a_sheet_has_room_for_all():
    sheet = contact_sheet(
        [Image.new("RGB", (30, 20), colour) for colour in ("red", "green", "blue", "white")]
    )
    assert sheet.size == (2 * 38 + 8, 2 * 28 + 8)
    seen = [sheet.getpixel((8 + 15 + 38 * x, 8 + 10 + 28 * y)) for y in (0, 1) for x in (0, 1)]
    assert seen == [(255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)]
