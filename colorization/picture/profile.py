"""ICC profiles: colours and greys that a profile gives a meaning to, as sRGB.

Colours of 8 bits go through Pillow's ImageCms (LittleCMS). It has no way for those of 16, and is up to 10
levels from the truth in the dark of a linear grey: colours of 16 bits, and greys, go through the profile's
own curves and matrix (ICC.1:2010, 8.3.3 and 10.5 to 10.15) here, where it has no more than that.
"""

import io
import struct

import numpy as np
from PIL import Image, ImageCms

from colorization.picture.metadata import srgb
from colorization.picture.original import eight_bits, strips

# The colorants of sRGB in the profile connection space, D50 (IEC 61966-2-1, Bradford-adapted).
COLORANTS = np.array([
    [0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733],
])  # fmt: skip
CODES = 65536
SPACES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK", "Lab ": "LAB"}


class NoFit(ValueError):
    """A profile that is damaged, or of other colours than the picture's; the message says which."""


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """An 8-bit picture of mode L, RGB, CMYK or LAB, whose codes mean what its profile says -> L or RGB.

    Raises:
        NoFit: the profile is of other colours.
    """
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space
        if SPACES.get(space) == "L" and picture.mode == "RGB":
            picture = picture.convert("L")
        if SPACES.get(space) != picture.mode:
            raise NoFit(f"its ICC profile is of {space.strip()} and its pixels are {picture.mode}")
        if picture.mode == "L" and (table := _grey(profile)):
            return picture.point(table)
        target = ImageCms.getOpenProfile(io.BytesIO(srgb()))
        transform = ImageCms.buildTransform(source, target, picture.mode, "RGB")
        if picture.mode == "RGB" and _is_srgb(transform):
            return picture
        return ImageCms.applyTransform(picture, transform) or picture
    except (ImageCms.PyCMSError, OSError) as error:
        raise NoFit(f"its ICC profile cannot be used ({error})") from error


def deep_to_srgb(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """uint16 (H, W, 1 or 3), whose codes mean what a profile says -> the same shape in sRGB.

    Raises:
        NoFit: the profile is of other colours, or has tables of more than one dimension.
    """
    tags = _tags(profile)
    names = (b"kTRC",) if pixels.shape[-1] == 1 else (b"rTRC", b"gTRC", b"bTRC")
    if b"A2B0" in tags or not set(names) <= set(tags):
        raise NoFit("its ICC profile is not of curves and a matrix")
    curves = np.stack([_curve(tags[name]) for name in names])
    matrix = np.eye(1)
    if len(names) == 3:
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        matrix = np.linalg.inv(COLORANTS) @ np.stack(columns, axis=1)
    converted = np.empty_like(pixels)
    for rows in strips(pixels.shape[1], pixels.shape[0]):
        linear = np.stack([curve[pixels[rows, :, i]] for i, curve in enumerate(curves)], axis=-1)
        converted[rows] = (_encoded((linear @ matrix.T).clip(0, 1)) * (CODES - 1)).round().astype(np.uint16)
    return converted


def _grey(profile: bytes) -> list[int] | None:
    """What each of 256 greys is in sRGB; None where a profile is more than a curve."""
    codes = np.arange(256, dtype=np.uint16)
    try:
        made = deep_to_srgb(codes[None, :, None] * 257, profile)
    except NoFit:
        return None
    table = eight_bits(made)[0, :, 0]
    return (codes if np.abs(table - codes.astype(int)).max() <= 1 else table).tolist()


def _is_srgb(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a transform changes a ramp and pure colours by no more than rounding does."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    zero = np.zeros_like(ramp)
    planes = [(ramp, ramp, zero, zero), (ramp, zero, ramp, zero), (ramp, zero, zero, ramp)]
    made = Image.merge("RGB", [Image.fromarray(np.concatenate(plane, 1)) for plane in planes])
    after = np.asarray(ImageCms.applyTransform(made, transform)).astype(int)
    return bool(np.abs(after - np.asarray(made)).max() <= 1)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    try:
        (count,) = struct.unpack_from(">I", profile, 128)
        entries = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(min(count, 200))]
        return {name: profile[start : start + length] for name, start, length in entries}
    except struct.error as error:
        raise NoFit("its ICC profile is damaged") from error


def _xyz(tag: bytes) -> np.ndarray:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> np.ndarray:
    """What each of 65,536 codes means, linear, 0..1."""
    x = np.arange(CODES) / (CODES - 1)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = np.frombuffer(tag, ">u2", count, 12)
        if count == 0:
            return x
        if count == 1:
            return x ** (values[0] / 256)
        return np.interp(x, np.linspace(0, 1, count), values / 65535)
    if tag[:4] != b"para":
        raise NoFit("its ICC profile has curves of an unknown kind")
    (kind,) = struct.unpack_from(">H", tag, 8)
    given = np.frombuffer(tag, ">i4", (1, 3, 4, 5, 7)[kind], 12) / 65536
    g, a, b, c, d, e, f = np.concatenate([given, [1, 0, 0, 0, 0, 0][len(given) - 1 :]])
    if kind in (1, 2):  # the line ends where the power is 0; kind 2 adds c everywhere
        e = f = c if kind == 2 else 0
        c, d = 0, -b / a
    return np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f).clip(0, 1)


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Linear 0..1 -> sRGB 0..1 (IEC 61966-2-1)."""
    return np.where(linear > 0.0031308, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * linear)
