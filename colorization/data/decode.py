"""Pictures of any kind -> 8-bit sRGB, whole or at the size that a network sees."""

import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

EXTENSIONS = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif")
)
LARGEST = 200_000_000  # pixels; more is a decompression bomb or no photo


class UnreadablePicture(ValueError):
    """A picture that cannot be decoded, with its name and the reason."""

    def __init__(self, name: object, reason: object):
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = str(name), str(reason)


def open_picture(source: Path | bytes | BinaryIO, name: object = None, at_least: int = 0) -> Image.Image:
    """Decode a picture to upright 8-bit RGB: grey, palette, RGBA (on white), CMYK, 16-bit, EXIF-rotated.

    Args:
        source: a path, the encoded bytes, or a file.
        name: what errors call it; the path by default.
        at_least: a JPEG may be decoded at 1/2, 1/4 or 1/8 as long as its shorter side stays at
            twice this many pixels; 0 decodes it whole. Below twice, up to 10 dB are lost.

    Raises:
        UnreadablePicture: not a picture, truncated, or larger than 200 million pixels.
    """
    name = name or (source if isinstance(source, Path) else "picture")
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            if picture.width * picture.height > LARGEST:
                raise ValueError(f"{picture.width} x {picture.height} pixels, more than {LARGEST:,}")
            if at_least and picture.format == "JPEG" and min(picture.size) >= 4 * at_least:
                scale = 2 * at_least / min(picture.size)
                picture.draft(None, (int(picture.width * scale) + 1, int(picture.height * scale) + 1))
            picture.load()
            return to_rgb(ImageOps.exif_transpose(picture))
    except Exception as error:  # damaged files fail in every way a decoder can
        raise UnreadablePicture(name, error) from error


def to_rgb(picture: Image.Image) -> Image.Image:
    """Any Pillow mode -> 8-bit RGB."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, dtype=np.float64)
        scale = 257.0 if values.max() > 255 else 1.0
        picture = Image.fromarray((values / scale).round().clip(0, 255).astype(np.uint8))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def square(picture: Image.Image, size: int) -> np.ndarray:
    """The central square of a picture at `size` pixels, uint8 (size, size, 3).

    Resized with an antialiased triangle filter: no overshoot, so no colours that the picture lacks.
    """
    side = min(picture.size)
    left, top = (picture.width - side) / 2, (picture.height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR, box=box))
