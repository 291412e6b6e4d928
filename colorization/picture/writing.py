"""Coloured pictures -> files of the kind that came in, or of the kind that is asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from colorization.files import replaced
from colorization.picture.metadata import Metadata, dated, srgb
from colorization.picture.original import Original, eight_bits
from colorization.picture.png import write_png
from colorization.picture.tiffs import write_tiff

Format = Literal["same", "png", "jpg", "tiff", "webp"]
Subsampling = Literal["444", "422", "420"]

KINDS = {"png": ".png", "jpg": ".jpg", "tiff": ".tiff", "webp": ".webp"}
# What keeps its own suffix with format=same; what no colour or no reader is sure of becomes another.
KEPT = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"), ".png": "PNG", ".apng": "PNG",
    ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP", ".avif": "AVIF",
}  # fmt: skip
BECOMES = {".heic": ".jpg", ".heif": ".jpg", ".hif": ".jpg", ".mpo": ".jpg"}
LONGEST = {"JPEG": 65500, "WEBP": 16383}  # pixels of a side


@dataclass(frozen=True)
class Writer:
    """How pictures are written.

    Attributes:
        format: of the files; "same": that of the picture, where it can hold colour, else PNG.
        quality: of JPEG, WebP and AVIF, 1 to 100.
        subsampling: of a JPEG's colour; "444" keeps all of it.
    """

    format: Format = "same"
    quality: int = 95
    subsampling: Subsampling = "444"

    def suffix(self, source: str) -> str:
        """Of what a picture with this suffix becomes."""
        if self.format != "same":
            return KINDS[self.format]
        return source if source.lower() in KEPT else BECOMES.get(source.lower(), ".png")

    def write(self, path: Path, frames: Iterable[Original]) -> list[str]:
        """Write a picture, or all the frames or pages of one, and give it their times.

        Returns:
            what the file cannot hold, in words.
        """
        rest = iter(frames)
        first = next(rest)
        kind, said = KEPT[path.suffix.lower()], list[str]()
        with replaced(path) as partial:
            if kind == "TIFF":
                with partial.open("w+b") as file:
                    write_tiff(file, chain([first], rest))
            else:
                second = next(rest, None)
                more = chain([second], rest) if second else iter(())
                said = self._pillow(partial, kind, first, more, second is not None)
            dated(partial, first.metadata.times)
        return said

    def _pillow(
        self, path: Path, kind: str, first: Original, more: Iterator[Original], several: bool
    ) -> list[str]:
        """Write what Pillow does, and PNGs of one picture; what is lost, in words."""
        if (longest := LONGEST.get(kind, 1 << 30)) < max(first.size):
            raise ValueError(f"a {kind} holds {longest} pixels a side; choose format=png or tiff")
        lost = {
            "a JPEG holds one picture: the first of several was written": kind == "JPEG" and several,
            "a JPEG holds no alpha: it lies on white": kind == "JPEG" and first.alpha is not None,
            f"a {kind} holds 8 bits of 16": kind != "PNG" and first.pixels.dtype == np.uint16,
        }
        if kind == "JPEG":
            first, several = on_white(first), False
        beside = first.metadata
        exif = beside.written().tobytes() if beside.exif else b""
        if kind == "PNG" and not several:
            with path.open("wb") as file:
                write_png(file, first.pixels, first.alpha, srgb(), exif, beside.xmp, beside.dpi)
        else:
            settings = {"icc_profile": srgb(), "exif": exif} | self._settings(kind, beside)
            frames = [first, *more] if several else [first]
            pictures = [_picture(frame) for frame in frames]
            if several:
                durations = [frame.duration or 0 for frame in frames]
                settings |= {"save_all": True, "append_images": pictures[1:], "duration": durations}
                settings |= {"loop": beside.loop or 0}
            pictures[0].save(path, kind, **settings)
        return [words for words, true in lost.items() if true]

    def _settings(self, kind: str, beside: Metadata) -> dict[str, Any]:
        """What Pillow's writers take."""
        if kind == "PNG":
            text = PngInfo()
            text.add_itxt("XML:com.adobe.xmp", (beside.xmp or b"").decode(errors="replace"))
            return {"pnginfo": text}
        settings: dict[str, Any] = {"quality": self.quality, "xmp": beside.xmp or b""}
        if kind == "JPEG":
            settings["subsampling"] = ":".join(self.subsampling)
            if beside.dpi:
                settings["dpi"] = tuple(map(round, beside.dpi))
        return settings


def on_white(original: Original) -> Original:
    """The same without alpha."""
    most = np.iinfo(original.pixels.dtype).max
    if original.alpha is None:
        return original
    share = original.alpha[..., None].astype(np.float32) / most
    laid = (original.pixels * share + most * (1 - share)).round().astype(original.pixels.dtype)
    return replace(original, pixels=laid, alpha=None)


def _picture(original: Original) -> Image.Image:
    """8-bit RGB, or RGBA."""
    pixels = eight_bits(original.pixels)
    if original.alpha is not None:
        return Image.fromarray(np.dstack([pixels, eight_bits(original.alpha)]))
    return Image.fromarray(pixels)
