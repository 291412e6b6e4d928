"""A picture as it came: every bit of its lightness, its alpha, and what was written beside it."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorization.picture.metadata import Metadata

STRIP = 1 << 18  # pixels that are worked on at a time


@dataclass(frozen=True, eq=False)
class Original:
    """One picture or frame, upright, in sRGB.

    Attributes:
        pixels: uint8 or uint16, (H, W, 1) grey or (H, W, 3) RGB.
        alpha: (H, W) of the same type, or None.
        metadata: what is written beside the pixels.
        duration: of an animation's frame, ms.
        said: what a person should know of how it was read.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    metadata: Metadata = field(default_factory=Metadata)
    duration: int | None = None
    said: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def saying(self, *words: str) -> "Original":
        """The same with more to know of it."""
        return replace(self, said=(*self.said, *words))

    def shown(self, size: tuple[int, int] | None = None) -> Image.Image:
        """8-bit RGB on white, of (width, height), as a network sees it."""
        picture = Image.fromarray(
            eight_bits(self.pixels).squeeze(-1) if self.grey else eight_bits(self.pixels)
        )
        if self.alpha is not None:
            white = Image.new("RGB", picture.size, "white")
            white.paste(picture, mask=Image.fromarray(eight_bits(self.alpha)))
            picture = white
        picture = picture.resize(size, Image.Resampling.BILINEAR) if size else picture
        return picture.convert("RGB")

    @property
    def grey(self) -> bool:
        """Whether there is one channel alone."""
        return self.pixels.shape[-1] == 1

    def strips(self) -> list[slice]:
        """The rows that are worked on at a time."""
        return strips(*self.size)


def strips(width: int, height: int) -> list[slice]:
    """Rows of about STRIP pixels, which cover a picture."""
    rows = max(STRIP // width, 1)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]


def eight_bits(values: np.ndarray) -> np.ndarray:
    """uint8 or uint16 -> uint8, rounded, a strip at a time."""
    if values.dtype == np.uint8:
        return values
    kept = np.empty(values.shape, np.uint8)
    for rows in strips(values.shape[1], values.shape[0]):
        kept[rows] = (values[rows].astype(np.uint32) + 128) // 257
    return kept


def without_colour(pixels: np.ndarray) -> np.ndarray:
    """One channel of three that are all alike; else the three, as they are."""
    if pixels.shape[-1] != 3:
        return pixels
    for rows in strips(pixels.shape[1], pixels.shape[0]):
        red, green, blue = np.moveaxis(pixels[rows], -1, 0)
        if not (np.array_equal(red, green) and np.array_equal(green, blue)):
            return pixels
    return np.ascontiguousarray(pixels[..., :1])


def tensor(pixels: np.ndarray) -> Tensor:
    """(H, W, C) codes -> (1, C, H, W), 0..1."""
    values = torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max)
    return values.movedim(-1, 0)[None].contiguous()
