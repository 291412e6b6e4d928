"""TIFFs of 8 and 16 bits, of one page or more, written a strip at a time (TIFF 6.0, Adobe 1992)."""

import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2 as Directory

from colorization.picture.metadata import STRUCTURE, Metadata, srgb
from colorization.picture.original import Original

LEVEL = 6  # of zlib
DEFLATE, RGB, HORIZONTAL, UNASSOCIATED, INCH = 8, 2, 2, 2, 2
LONG, BYTES, UNDEFINED = 4, 1, 7
ALIAS = {"StripOffsets": 273, "StripByteCounts": 279, "RowsPerStrip": 278, "Predictor": 317}
LIMIT = 2**32 - 2**20  # bytes: what offsets of 32 bits reach


def write_tiff(file: BinaryIO, pages: Iterable[Original]) -> None:
    """Write every page (RGB, with alpha where it has any), its metadata and the profile of sRGB.

    Raises:
        ValueError: more than the 4 GiB that a TIFF holds.
    """
    file.write(b"II*\0" + struct.pack("<I", 0))
    link = 4
    for page in pages:
        offsets, lengths = zip(*(_strip(file, page, rows) for rows in page.strips()), strict=True)
        if file.tell() > LIMIT:
            raise ValueError("a TIFF holds 4 GiB; choose format=png")
        file.write(b"\0" * (file.tell() % 2))
        start = file.tell()
        content = bytearray(_directory(page, offsets, lengths).tobytes(start))
        _place(content, start, offsets)
        file.write(content)
        file.seek(link)
        file.write(struct.pack("<I", start))
        (entries,) = struct.unpack_from("<H", content)
        link = start + 2 + 12 * entries
        file.seek(0, 2)


def _strip(file: BinaryIO, page: Original, rows: slice) -> tuple[int, int]:
    """Where some rows were written, and how many bytes."""
    part = page.pixels[rows]
    if page.alpha is not None:
        part = np.dstack([part, page.alpha[rows]])
    part = np.array(part, part.dtype.newbyteorder("<"))  # a copy: pixels stay as they are
    part[:, 1:] -= part[:, :-1].copy()
    packed = zlib.compress(part.tobytes(), LEVEL)
    file.write(b"\0" * (file.tell() % 2))
    start = file.tell()
    file.write(packed)
    return start, len(packed)


def _place(content: bytearray, start: int, offsets: tuple[int, ...]) -> None:
    """Put the strips' places into a directory that lies at `start`: Pillow moves them."""
    (entries,) = struct.unpack_from("<H", content)
    for entry in range(2, 2 + 12 * entries, 12):
        if struct.unpack_from("<H", content, entry)[0] == ALIAS["StripOffsets"]:
            where = entry + 8
            if len(offsets) > 1:
                where = struct.unpack_from("<I", content, where)[0] - start
            struct.pack_into(f"<{len(offsets)}I", content, where, *offsets)


def _directory(page: Original, offsets: tuple[int, ...], lengths: tuple[int, ...]) -> Directory:
    pixels, beside = page.pixels, page.metadata
    samples = pixels.shape[-1] + (page.alpha is not None)
    tags = Directory(prefix=b"II")
    _metadata(tags, beside)
    tags[Base.ImageWidth], tags[Base.ImageLength] = page.size
    tags[Base.BitsPerSample] = (8 * pixels.itemsize,) * samples
    tags[Base.Compression], tags[Base.PhotometricInterpretation] = DEFLATE, RGB if samples > 2 else 1
    tags[Base.SamplesPerPixel], tags[Base.PlanarConfiguration] = samples, 1
    tags[ALIAS["Predictor"]] = HORIZONTAL
    tags[ALIAS["RowsPerStrip"]] = page.strips()[0].stop
    for name, values in (("StripOffsets", offsets), ("StripByteCounts", lengths)):
        tags.tagtype[ALIAS[name]] = LONG
        tags[ALIAS[name]] = values
    if page.alpha is not None:
        tags[Base.ExtraSamples] = UNASSOCIATED
    tags.tagtype[Base.InterColorProfile] = UNDEFINED
    tags[Base.InterColorProfile] = srgb()
    return tags


def _metadata(tags: Directory, beside: Metadata) -> None:
    for tag, value in (beside.exif or {}).items():
        if tag not in STRUCTURE:
            tags[tag] = value
    if beside.xmp:
        tags.tagtype[700] = BYTES
        tags[700] = beside.xmp
    if beside.dpi:
        tags[Base.XResolution], tags[Base.YResolution] = beside.dpi
        tags[Base.ResolutionUnit] = INCH
