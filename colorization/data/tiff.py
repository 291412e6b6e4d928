"""The TIFFs that Pillow refuses, or reads wrong without a word, read by tifffile.

Wrong are, with Pillow 13: 16 bits and floats whose white is zero (a negative); 32 bits unsigned (wrapped);
9 to 15 bits (far too dark); signed numbers and floats, compressed, most significant byte first (swapped);
planes of 16 bits one after another, uncompressed; grey and alpha as planes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image, TiffImagePlugin
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, TiffFile, TiffPage

from colorization.config import InputError, installation

BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
RAW, BIG, PLANES = 1, b"MM", 2  # values of tags: no compression; most significant byte first; planar
UNSIGNED, WHITE_IS_ZERO = 1, 0
BRIGHT = 1.5  # a float picture whose 90th percentile is above is not one of 0..1
COLOURS = {PHOTOMETRIC.RGB: 3, PHOTOMETRIC.YCBCR: 3, PHOTOMETRIC.SEPARATED: 4}
GREYS = (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE)


class Page(NamedTuple):
    """One picture of a TIFF, as it is stored: not turned upright, its ICC profile not applied.

    Attributes:
        pixels: uint8 or uint16, (H, W, 1) grey, (H, W, 3) RGB or (H, W, 4) CMYK.
        alpha: (H, W), of the same type, where there is any; colours are not multiplied by it.
        orientation: of EXIF, 1 to 8.
        info: what Pillow would call icc_profile, xmp and dpi.
        of: how many pictures the file has.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    orientation: int = 1
    info: Mapping[Any, Any] = MappingProxyType({})
    of: int = 1


def is_tiff(beginning: bytes) -> bool:
    """Whether a file that begins so is a TIFF."""
    return beginning[:4] in BEGINNINGS


def is_misread(picture: Image.Image) -> bool:
    """Whether an open picture is a TIFF that Pillow would load wrong."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return False
    tags = picture.tag_v2
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    form = max(tags.get(TiffImagePlugin.SAMPLEFORMAT, (UNSIGNED,)))
    samples = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    compressed = tags.get(TiffImagePlugin.COMPRESSION, RAW) != RAW
    planes = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == PLANES and samples > 1
    return (
        bits in {*range(9, 16), 24}
        or (bits > 8 and tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == WHITE_IS_ZERO)
        or (bits == 32 and form == UNSIGNED)
        or (form != UNSIGNED and compressed and tags.prefix == BIG)
        or (planes and (samples == 2 or (bits > 8 and not compressed)))
    )


def depth(picture: Image.Image) -> int:
    """Bits of each sample of an open picture, where it is a TIFF; else 8."""
    tags = picture.tag_v2 if isinstance(picture, TiffImagePlugin.TiffImageFile) else {}
    return max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (8,)))


def read(file: BinaryIO, number: int = 0) -> Page:
    """One picture of a TIFF, with all its bits; floats as 16 bits of their values, clipped to 0..1.

    Raises:
        InputError: of a kind that is not read, or compressed as only the extra `pictures` reads it.
    """
    with TiffFile(file) as tiff:
        page = tiff.pages[number].aspage()
        meaning, bits = PHOTOMETRIC(page.photometric), page.bitspersample
        count = 1 if meaning in GREYS else COLOURS.get(meaning, 0)
        if not count or count > page.samplesperpixel:
            raise InputError(f"a TIFF of {bits} bits and {meaning.name} colours is not read here")
        values = _samples(page)
        white = white_of(values, bits)
        kept = np.uint8 if white == 255 and values.dtype.kind in "ui" else np.uint16
        pixels = whole_numbers(values[..., :count], white, kept)
        if meaning == PHOTOMETRIC.MINISWHITE:
            pixels = np.iinfo(kept).max - pixels
        alpha = None
        if page.extrasamples and page.extrasamples[0] != EXTRASAMPLE.UNSPECIFIED:
            alpha = whole_numbers(values[..., count], 1 if values.dtype.kind == "f" else white, kept)
            if page.extrasamples[0] == EXTRASAMPLE.ASSOCALPHA:
                pixels = _divided(pixels, alpha)
        return Page(pixels, alpha, _value(page, "Orientation", 1), _info(page), len(tiff.pages))


def eight_bits(page: Page) -> Image.Image:
    """A page as Pillow would have opened it."""
    planes = [*np.moveaxis(_eight(page.pixels), -1, 0)]
    if page.alpha is not None:
        planes.append(_eight(page.alpha))
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA" if page.alpha is not None else "CMYK"}.get(len(planes))
    if mode is None:  # CMYK and alpha
        planes, mode = planes[:4], "CMYK"
    picture = Image.merge(mode, [Image.fromarray(plane) for plane in planes])
    picture.info |= dict(page.info)
    return picture


def white_of(values: np.ndarray, bits: int = 0) -> float:
    """What stands for white: of numbers that were stored with `bits`, or where that does not tell.

    Of floats 1, unless more than a tenth are well above it; else, as of whole numbers of unknown bits, 255,
    65535 or 2**32 - 1, the least that holds them all. NaN and infinite numbers do not count.
    """
    if values.dtype.kind == "u" and 0 < bits <= 16:
        return 2**bits - 1
    known = values[np.isfinite(values)]
    if values.dtype.kind == "f" and (not known.size or np.percentile(known, 90) <= BRIGHT):
        return 1
    most = known.max(initial=0)
    return next((white for white in (255, 65535) if most <= white), 2**32 - 1)


def _samples(page: TiffPage) -> np.ndarray:
    """(H, W, samples) as stored."""
    try:
        values = page.asarray()
    except (ValueError, ImportError) as error:
        if "imagecodecs" not in str(error):
            raise
        how = f"{COMPRESSION(page.compression).name} of {page.bitspersample} bits"
        raise InputError(
            f"a TIFF compressed by {how} needs imagecodecs: {installation('pictures')}"
        ) from error
    axes = page.axes
    values = np.moveaxis(values, axes.index("S"), -1) if "S" in axes else values[..., None]
    return values.reshape(-1, *values.shape[-3:])[0]


def whole_numbers(values: np.ndarray, white: float, kind: type = np.uint16) -> np.ndarray:
    """Values of 0..white as whole numbers of all the bits of `kind`; NaN is black."""
    most = np.iinfo(kind).max
    if white == most and values.dtype == kind:
        return values
    if values.dtype.kind == "f":
        values = np.nan_to_num(values.astype(np.float32), nan=0, posinf=white, neginf=0)
    return (values.clip(0, white) * (most / white)).round().astype(kind)


def _divided(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours that were multiplied by alpha, as they were before."""
    most = np.iinfo(pixels.dtype).max
    whole = pixels * (most / np.maximum(alpha, 1)[..., None])
    return whole.round().clip(0, most).astype(pixels.dtype)


def _eight(values: np.ndarray) -> np.ndarray:
    return values if values.dtype == np.uint8 else ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _value(page: TiffPage, name: str, other: Any = None) -> Any:
    tag = page.tags.get(name)
    return tag.value if tag else other


def _info(page: TiffPage) -> dict[str, Any]:
    found = {"icc_profile": _value(page, "InterColorProfile"), "xmp": _value(page, "XMP")}
    across = _value(page, "XResolution")
    if across and across[1] and (unit := {2: 1.0, 3: 2.54}.get(int(_value(page, "ResolutionUnit", 2)))):
        found["dpi"] = (across[0] / across[1] * unit,) * 2
    return {name: value for name, value in found.items() if value}
