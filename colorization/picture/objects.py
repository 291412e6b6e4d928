"""Pictures as Python holds them: files, Pillow's, arrays and tensors in, the same kind out."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from colorization.config import InputError
from colorization.picture.original import Original, eight_bits, without_colour
from colorization.picture.reading import of_picture, one

Picture = str | PathLike[str] | Image.Image | np.ndarray | Tensor

DEEP = 65535
ROUNDING = 1e-3  # outside 0..1, which a float picture may be by what made it
ALLOWED = "a path, a picture of Pillow's, an array (H, W), (H, W, 3) or (H, W, 4), a tensor (1 or 3, H, W)"


class Taken(NamedTuple):
    """What was given, as originals, and how colourings of each become one thing of the same kind."""

    originals: list[Original]
    given_back: Callable[[Sequence[Original]], Any]


def taken(picture: Picture) -> Taken:
    """A path's first frame or page and a picture of Pillow's give Pillow's, upright, of 8 bits, in sRGB.

    An array keeps its type, and its alpha where it has four channels; a tensor keeps its type, its device and
    its batch. Both are sRGB: uint8, uint16, or float 0..1, of which 16 bits are kept.

    Raises:
        InputError: it is none of these, is empty, or has values that no picture has.
    """
    if isinstance(picture, str | PathLike):
        path = Path(picture).expanduser()
        if not path.is_file():
            raise InputError(f"{path}: {'is a folder' if path.is_dir() else 'no such picture'}")
        return Taken([one(path)], lambda made: pillow(made[0]))
    if isinstance(picture, Image.Image):
        return Taken([of_picture(ImageOps.exif_transpose(picture))], lambda made: pillow(made[0]))
    if isinstance(picture, np.ndarray):
        return Taken([_of_array(picture)], lambda made: _array(made[0], picture.dtype))
    if isinstance(picture, Tensor):
        return _of_tensor(picture)
    raise InputError(f"a picture of type {type(picture).__name__}: give {ALLOWED}")


def pillow(original: Original) -> Image.Image:
    """As a picture of Pillow's, RGB or RGBA of 8 bits: it has no RGB of 16."""
    return Image.fromarray(_array(original, np.dtype(np.uint8)))


def _of_tensor(picture: Tensor) -> Taken:
    shape = tuple(picture.shape)
    if len(shape) not in (3, 4) or shape[-3] not in (1, 3):
        raise InputError(f"a tensor of shape {shape}: give (1 or 3, H, W), or a batch of those")
    planes = picture.detach().cpu().movedim(-3, -1)
    array = (planes.float() if planes.dtype == torch.bfloat16 else planes).numpy()

    def given_back(made: Sequence[Original]) -> Tensor:
        tensors = [torch.from_numpy(_array(one, array.dtype)).movedim(-1, 0) for one in made]
        whole = torch.stack(tensors) if len(shape) == 4 else tensors[0]
        return whole.contiguous().to(picture)

    return Taken([_of_array(each) for each in (array if len(shape) == 4 else array[None])], given_back)


def _of_array(array: np.ndarray) -> Original:
    channels = array[..., None] if array.ndim == 2 else array
    if channels.ndim != 3 or channels.shape[-1] not in (1, 3, 4) or not channels.size:
        raise InputError(f"an array of shape {array.shape}: give (H, W), (H, W, 3) or (H, W, 4)")
    if np.issubdtype(array.dtype, np.floating):
        channels = _codes(channels)
    elif array.dtype not in (np.uint8, np.uint16):
        raise InputError(f"a picture of {array.dtype}: give uint8, uint16, or float 0..1")
    alpha = channels[..., 3].copy() if channels.shape[-1] == 4 else None
    return Original(without_colour(np.ascontiguousarray(channels[..., :3])), alpha)


def _codes(values: np.ndarray) -> np.ndarray:
    """0..1 -> uint16."""
    low, high = float(values.min()), float(values.max())
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):  # NaN is not, either
        raise InputError(f"a float picture with values {low:g} to {high:g}: give 0..1, or uint8 of 0..255")
    return (values.clip(0, 1).astype(np.float64) * DEEP).round().astype(np.uint16)


def _array(original: Original, dtype: np.dtype) -> np.ndarray:
    """(H, W, 3), or (H, W, 4) with alpha."""
    planes = [original.pixels] + ([] if original.alpha is None else [original.alpha[..., None]])
    values = np.concatenate(planes, axis=-1)
    if dtype == np.uint8:
        return eight_bits(values)
    return values if dtype == np.uint16 else (values / DEEP).astype(dtype)
