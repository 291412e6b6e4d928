"""TIFFs of every kind that tifffile writes: read as they are, from a path and from bytes."""

import io
from itertools import product

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.Image import Transpose

from colorization.data import tiff
from colorization.data.decode import UnreadablePicture, open_picture, open_square

H, W = 20, 13
VALUES = np.kron(np.random.default_rng(0).integers(0, 256, (5, 4, 4)), np.ones((4, 4, 1)))[:H, :W]
CHANNELS = {"grey": [0], "grey alpha": [0, 3], "rgb": [0, 1, 2], "rgba": [0, 1, 2, 3], "cmyk": [0, 1, 2, 3]}
DEPTHS = ("u1", "u2", "u4", "i2", "f2", "f4", "f8")
COMPRESSIONS = [{"compression": name} for name in (None, "zlib", "lzw", "packbits", "zstd")]
COMPRESSIONS.append({"compression": "zlib", "predictor": True})


def stored(values, kind):
    """0..255 as numbers of a type, whose white is what it usually is."""
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        return (values / 255).astype(dtype)
    return (values * (np.iinfo(dtype).max // 255 if dtype.kind == "u" else 1)).astype(dtype)


def expected(values, kind, white_is_zero):
    """8-bit RGB on white, written out; of CMYK both usual ways to combine it."""
    colours = values[..., :1] if "grey" in kind else values[..., :3]
    if white_is_zero:
        colours = 255 - colours
    if kind == "cmyk":
        ink = values / 255
        return [255 * (1 - ink[..., :3]) * (1 - ink[..., 3:]),
                255 * (1 - np.minimum(1, ink[..., :3] + ink[..., 3:]))]  # fmt: skip
    alpha = values[..., -1:] / 255 if kind in ("grey alpha", "rgba") else 1
    return [np.broadcast_to(colours * alpha + 255 * (1 - alpha), (H, W, 3))]


def written(pixels, kind, photometric, planar, compression, order):
    settings = {"photometric": photometric, "byteorder": order, "metadata": None} | compression
    if len(CHANNELS[kind]) > 1:
        settings["planarconfig"] = planar
        pixels = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    else:
        pixels = pixels[..., 0]
    if kind in ("grey alpha", "rgba"):
        settings["extrasamples"] = ["unassalpha"]
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **settings)
    return file.getvalue()


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", CHANNELS)
def test_every_kind_is_read_right(kind, depth, tmp_path):
    values = VALUES[..., CHANNELS[kind]]
    meanings = {"rgb": ["rgb"], "rgba": ["rgb"], "cmyk": ["separated"]}.get(
        kind, ["minisblack", "miniswhite"]
    )
    planes = ["contig"] if kind == "grey" else ["contig", "separate"]
    for meaning, planar, compression, order in product(meanings, planes, COMPRESSIONS, "<>"):
        data = written(stored(values, depth), kind, meaning, planar, compression, order)
        (tmp_path / "a.tif").write_bytes(data)
        right = expected(values, kind, meaning == "miniswhite")
        for source in (data, tmp_path / "a.tif"):
            read = np.asarray(open_picture(source)).astype(float)
            apart = min(np.abs(read - way).max() for way in right)
            assert apart <= 2, (meaning, planar, compression, order)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_every_orientation_is_a_turn_from_a_path_too(mode, compression, tmp_path):
    made = Image.fromarray(VALUES[..., :3].astype(np.uint8))
    made = Image.fromarray(VALUES[..., 0].astype(np.uint16) * 257) if mode == "I;16" else made.convert(mode)
    if mode == "F":
        made = made.point(lambda value: value / 255)
    made.save(tmp_path / "upright.tif")
    upright = np.asarray(open_picture(tmp_path / "upright.tif"))
    turns = [upright, upright[:, ::-1], upright[::-1, ::-1], upright[::-1], upright.swapaxes(0, 1),
             np.rot90(upright, -1), upright[::-1, ::-1].swapaxes(0, 1), np.rot90(upright)]  # fmt: skip
    for orientation, right in enumerate(turns, 1):
        made.save(tmp_path / "a.tif", compression=compression, tiffinfo={274: orientation})
        for source in (tmp_path / "a.tif", (tmp_path / "a.tif").read_bytes()):
            assert np.array_equal(np.asarray(open_picture(source)), right), orientation


def test_planes_that_only_tifffile_reads_are_turned(tmp_path):
    for orientation in (6, 8):
        tifffile.imwrite(tmp_path / "a.tif", VALUES[..., 0].astype(np.uint16) * 257, photometric="miniswhite",
                         metadata=None, extratags=[(274, 3, 1, orientation, True)])  # fmt: skip
        turn = {6: Transpose.ROTATE_270, 8: Transpose.ROTATE_90}[orientation]
        right = np.asarray(Image.fromarray(255 - VALUES[..., 0].astype(np.uint8)).transpose(turn))
        assert np.array_equal(np.asarray(open_picture(tmp_path / "a.tif"))[..., 0], right)
        assert open_square(tmp_path / "a.tif", 8)[1] == (H, W)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_bits_that_fill_no_bytes_keep_their_white(bits, tmp_path):
    values = (VALUES[..., 0] * ((2**bits - 1) / 255)).round().astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, bitspersample=bits, photometric="minisblack", metadata=None)
    read = np.asarray(open_picture(tmp_path / "a.tif"))[..., 0].astype(float)
    assert np.abs(read - VALUES[..., 0]).max() <= 1


@pytest.mark.parametrize("odd", [1.02, 40.0, np.inf, -np.inf, np.nan])
def test_a_few_odd_floats_change_nothing_else(odd, tmp_path):
    values = np.linspace(0, 1, H * W, dtype=np.float32).reshape(H, W)
    values[3, 4] = odd
    tifffile.imwrite(tmp_path / "a.tif", values, metadata=None)
    right = np.nan_to_num(values, nan=0).clip(0, 1) * 255
    for read in (
        open_picture(tmp_path / "a.tif"),
        tiff.eight_bits(tiff.read((tmp_path / "a.tif").open("rb"))),
    ):
        assert np.abs(np.asarray(read.convert("L")) - right).max() <= 0.51


def test_alpha_that_colours_were_multiplied_by_is_divided_out(tmp_path):
    colours, alpha = VALUES[..., :3] / 255, (VALUES[..., 3:] / 255).clip(0.2)
    stored = np.concatenate([colours * alpha, alpha], axis=-1).astype(np.float32)
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"], metadata=None
    )
    with (tmp_path / "a.tif").open("rb") as file:
        page = tiff.read(file)
    assert np.abs(page.pixels / 65535 - colours).max() < 1e-4
    assert np.abs(page.alpha / 65535 - alpha[..., 0]).max() < 1e-4


def test_what_is_no_picture_of_light_is_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", VALUES[..., :3].astype(np.uint16), photometric="cielab", metadata=None
    )
    with pytest.raises(UnreadablePicture, match=r"a\.tif: a TIFF of 16 bits and CIELAB colours is not read"):
        open_picture(tmp_path / "a.tif")


def test_a_missing_decoder_is_named(tmp_path, monkeypatch):
    def refuses(page):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", refuses)
    values = VALUES[..., 0].astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite", metadata=None)
    with pytest.raises(UnreadablePicture, match=r"pip install 'colorization-lab\[pictures\]'"):
        open_picture(tmp_path / "a.tif")
