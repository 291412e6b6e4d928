"""Pictures of any kind -> 8-bit sRGB, whole or at the size that a network sees."""

import io
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import torch
from PIL import Image
from PIL.ExifTags import Base
from PIL.Image import Resampling, Transpose
from torch import Tensor

from colorization.config import InputError
from colorization.data import tiff

Encoded = Path | bytes | BinaryIO
Fit = Literal["crop", "crop_first", "stretch"]
Filter = Literal["triangle", "linear"]
Box = tuple[float, float, float, float]  # left, top, right, bottom


class Geometry(NamedTuple):
    """How a picture becomes a square; the defaults are protocol v1's.

    Attributes:
        fit: "crop" takes the central square, to fractions of a pixel, and the filter sees what lies beside
            it; "crop_first" cuts it out at whole pixels before it is resized (torchvision's CenterCrop and
            Resize); "stretch" takes all of the picture, in other proportions.
        filter: "triangle" covers all the pixels that an output pixel stands for (Pillow's BILINEAR,
            which torchvision takes); "linear" looks at four of them only, however many there are, which
            aliases (OpenCV's INTER_LINEAR of floats, rounded; of 8 bits OpenCV itself is up to a level
            darker, 0.12 on average).
    """

    fit: Fit = "crop"
    filter: Filter = "triangle"

    def describe(self) -> dict[str, Any]:
        """What distinguishes it from protocol v1's, with the version of what it does; {} is v1's."""
        return {} if self == V1 else self._asdict() | {"geometry_version": GEOMETRY_VERSION}


V1 = Geometry()
GEOMETRY_VERSION = 2  # of every other one: whole crops, rounded interpolation, JPEGs decoded whole

# What Pillow's plugins call their own, less the kinds that it only recognises or hands to another program.
Image.init()
FOREIGN = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
READ = {*Image.OPEN, "MPO"} - FOREIGN  # MPO opens as the JPEG that it begins with
EXTENSIONS = frozenset(e for e, kind in Image.EXTENSION.items() if kind in READ)

END = b"\xff\xd9"  # of a JPEG

# A JPEG may be decoded at 1/2, 1/4 or 1/8 while its shorter side stays at this many times the target:
# below 2, up to 10 dB are lost against a full decode.
HEADROOM = 2

# What the EXIF orientations 2 to 8 ask for.
UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}

# Pillow warns from 89 million pixels and refuses from 179 million: where a photo ends and a bomb begins.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class UnreadablePicture(InputError):
    """A picture that cannot be decoded, with its name and the reason."""

    def __init__(self, name: object, reason: object):
        super().__init__(str(name), str(reason))
        self.name, self.reason = str(name), str(reason)

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def open_picture(source: Encoded, name: object = None) -> Image.Image:
    """Decode a picture whole, to upright 8-bit RGB.

    Grey, palette, CMYK, 16-bit and float pictures become RGB; transparency lies on white; of an
    animation the first frame is taken; the EXIF orientation is applied. An ICC profile is not: its pixels
    are taken for sRGB, as every published method takes them.

    Args:
        source: a path, the encoded bytes, or a file.
        name: what errors call it; the path by default.

    Raises:
        UnreadablePicture: no picture, damaged or truncated, or of more than 179 million pixels.
    """
    with opened(source, name) as picture:
        picture.load()
        turn = orientation(picture)
        return _turned(to_rgb(picture), turn)


def open_with_alpha(path: Path) -> Image.Image:
    """Decode a picture whole, to upright 8-bit RGBA. Raises UnreadablePicture."""
    with opened(path, path) as picture:
        picture.load()
        return _turned(picture.convert("RGBA"), orientation(picture))


def to_tensor(picture: Image.Image) -> Tensor:
    """An RGB picture -> (1, 3, H, W) uint8."""
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None]


def ended(jpeg: bytes) -> bytes | None:
    """A JPEG that lacks nothing but the marker of its end, with that marker; None for any other file.

    Where more is missing, whatever follows is decoded in its place: other bytes give other pixels.
    """
    if not jpeg.startswith(b"\xff\xd8"):
        return None
    whole = jpeg + END
    try:
        same = open_picture(whole).tobytes() == open_picture(jpeg + bytes(range(1, 64)) + END).tobytes()
    except UnreadablePicture:
        return None
    return whole if same else None


def open_square(
    source: Encoded, size: int, name: object = None, geometry: Geometry = V1
) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode a picture as a square of `size` pixels a side.

    With protocol v1's geometry it is equal to
    `ImageOps.fit(open_picture(source), (size, size), Image.Resampling.BILINEAR)`: an antialiased
    triangle filter, which never overshoots into colours that the picture lacks. Large JPEGs are
    decoded at a reduced size first, where that does not hurt; with any other geometry, which follows
    somebody's code to the bit, whole.

    Returns:
        uint8 (size, size, 3), and the stored picture's (width, height).

    Raises:
        UnreadablePicture: as `open_picture`.
    """
    with opened(source, name) as picture:
        width, height = picture.size
        if geometry == V1:
            picture.draft(None, (HEADROOM * size, HEADROOM * size))
        picture.load()
        reduction = round(width / picture.width)
        turn = orientation(picture)
        rgb = to_rgb(picture)
        box = _box(width / reduction, height / reduction, geometry.fit)
        if geometry.fit == "crop_first":
            rgb = rgb.crop(box)
            box = (0, 0, *rgb.size)
        if geometry.filter == "triangle":
            small = rgb.resize((size, size), Resampling.BILINEAR, box=box)
        else:
            small = Image.fromarray(_linear(np.asarray(rgb), box, size))
        return np.asarray(_turned(small, turn)), (width, height)


def to_rgb(picture: Image.Image) -> Image.Image:
    """Any Pillow mode -> 8-bit RGB, transparency on white."""
    if picture.mode.startswith(("I", "F")):
        picture = Image.fromarray(_to_8_bits(np.asarray(picture)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _box(width: float, height: float, fit: Fit) -> Box:
    """The part of a picture that is seen: left, top, right, bottom."""
    if fit == "stretch":
        return 0, 0, width, height
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    if fit == "crop_first":
        left, top = round(left), round(top)
    return left, top, left + side, top + side


def _linear(pixels: np.ndarray, box: Box, size: int) -> np.ndarray:
    """Bilinear interpolation without antialiasing: uint8 (H, W, 3) -> uint8 (size, size, 3)."""
    left, top, right, bottom = box
    rows = _interpolated(pixels, top, bottom, size)
    return np.rint(_interpolated(rows.swapaxes(0, 1), left, right, size)).astype(np.uint8).swapaxes(0, 1)


def _interpolated(values: np.ndarray, start: float, end: float, size: int) -> np.ndarray:
    """Values along the first axis at the centres of `size` equal parts of start..end; edges are repeated."""
    place = start + (np.arange(size) + 0.5) * ((end - start) / size) - 0.5
    first = np.floor(place)
    share = (place - first)[:, None, None]
    one, other = (values[(first + k).astype(int).clip(0, len(values) - 1)] for k in (0, 1))
    return one * (1 - share) + other * share


def _to_8_bits(values: np.ndarray) -> np.ndarray:
    """Grey values, whose white `tiff.white_of` knows -> uint8."""
    white = 65535 if values.dtype == np.uint16 else tiff.white_of(values)
    return (
        (np.nan_to_num(values, posinf=white, neginf=0) * (255 / white)).round().clip(0, 255).astype(np.uint8)
    )


def orientation(picture: Image.Image) -> int:
    """How a loaded picture is to be turned, 1 to 8; damaged EXIF data says nothing about the pixels."""
    try:
        return picture.getexif().get(Base.Orientation, 1)
    except Exception:
        return 1


def _turned(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else picture


@contextmanager
def opened(source: Encoded, name: object) -> Iterator[Image.Image]:
    """An open picture; whatever a damaged file makes of its decoder becomes UnreadablePicture.

    A path is opened here: Pillow would map its file into memory, and scramble a TIFF that is to be turned.
    """
    name = name or (source if isinstance(source, Path) else "picture")
    try:
        with _file(source) as file, _picture(file) as picture:
            yield picture
    except Exception as error:  # a damaged file can fail in every way that a decoder knows
        raise UnreadablePicture(name, _reason(error)) from error


def _file(source: Encoded) -> AbstractContextManager[BinaryIO]:
    if isinstance(source, Path):
        return source.open("rb")
    return nullcontext(io.BytesIO(source) if isinstance(source, bytes) else source)


def _picture(file: BinaryIO) -> Image.Image:
    """The first picture of a file; those TIFFs that Pillow refuses or misreads come from tifffile."""
    try:
        picture = Image.open(file)
        if not tiff.is_misread(picture):
            return picture
    except Image.UnidentifiedImageError:
        file.seek(0)
        if not tiff.is_tiff(file.read(4)):
            raise
    file.seek(0)
    page = tiff.read(file)
    return _turned(tiff.eight_bits(page), page.orientation)


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "no picture that Pillow can read"
    return str(error) or type(error).__name__
