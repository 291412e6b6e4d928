"""Any file of pictures -> originals, one for each frame or page."""

import logging
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from colorization.config import installation
from colorization.data import tiff
from colorization.data.decode import UnreadablePicture, ended, opened, orientation
from colorization.picture.gamma import png_profile
from colorization.picture.metadata import Metadata, metadata
from colorization.picture.original import Original, strips, without_colour
from colorization.picture.profile import NoFit, deep_to_srgb, to_srgb

RAW = {".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw"}
HEIF = {".heic", ".heif", ".hif"}
SECOND_IS_OTHER = {"MPO", "HEIF", "JPEG", "ICO", "ICNS", "CUR"}  # what follows is the same picture otherwise
TURNS = {  # of arrays, by EXIF orientation
    2: lambda x: x[:, ::-1], 3: lambda x: x[::-1, ::-1], 4: lambda x: x[::-1], 5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1), 7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}  # fmt: skip

log = logging.getLogger(__name__)


def frames(path: Path) -> Iterator[Original]:
    """Every frame of an animation and page of a TIFF, upright and in sRGB; of other files the one picture.

    A JPEG without the marker of its end is read, and says so.

    Raises:
        UnreadablePicture: no picture, damaged, truncated, of more than 179 million pixels, or of a kind for
            which there is no reader.
    """
    if path.suffix.lower() in RAW:
        raise UnreadablePicture(path, "a camera's raw file is not read here; convert it to TIFF or PNG first")
    if path.suffix.lower() in HEIF and not heif():
        raise UnreadablePicture(path, f"HEIC needs pillow-heif: {installation('pictures')}")
    try:
        yield from _frames(path, path)
    except UnreadablePicture:
        if (whole := ended(path.read_bytes())) is None:
            raise
        for original in _frames(whole, path):
            yield original.saying("lacks the marker of its end, and no more")


def one(path: Path) -> Original:
    """The first frame or page of a file."""
    return next(frames(path))


def heif() -> bool:
    """Let Pillow read HEIC, where pillow-heif is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def of_picture(picture: Image.Image) -> Original:
    """A picture of Pillow's, of any mode, upright as it is."""
    return _original(picture, Metadata(), _profile(picture), 1)


def _frames(source: Path | bytes, path: Path) -> Iterator[Original]:
    with opened(source, path) as picture:
        count = 1 if picture.format in SECOND_IS_OTHER else getattr(picture, "n_frames", 1)
        if picture.format is None:  # read by tifffile alone
            count = _pages(path)
        for number in range(count):
            if picture.format:
                picture.seek(number)
            yield _frame(picture, source, path, number)


def _pages(path: Path) -> int:
    with path.open("rb") as file:
        return tiff.read(file).of


def _frame(picture: Image.Image, source: Path | bytes, path: Path, number: int) -> Original:
    """The frame that an open picture stands at."""
    profile = _profile(picture)
    if tiff.depth(picture) > 8 or picture.format is None:
        kept = metadata(picture, path)
        with path.open("rb") as file:
            page = tiff.read(file, number)
        return _deep(page.pixels, page.alpha, kept, profile, page.orientation)
    if _is_deep_png(picture):
        kept, turn = metadata(picture, path), orientation(picture)
        data = np.fromfile(path, np.uint8) if isinstance(source, Path) else np.frombuffer(source, np.uint8)
        pixels, alpha = _decoded(data)
        return _deep(pixels, alpha, kept, profile, turn)
    picture.load()
    turn, kept = orientation(picture), metadata(picture, path)
    original = _original(picture, kept, profile, turn)
    duration = picture.info.get("duration")
    return Original(original.pixels, original.alpha, kept, duration and int(duration), original.said)


def _profile(picture: Image.Image) -> bytes | None:
    """What says which colours its codes are: an ICC profile, or a PNG's own words."""
    grey = picture.mode.startswith(("1", "L", "I"))
    return picture.info.get("icc_profile") or png_profile(picture.info, grey)


def _original(picture: Image.Image, kept: Metadata, profile: bytes | None, turn: int) -> Original:
    """What Pillow has loaded, of any of its modes."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture)
        deep = values.dtype == np.uint16
        page = tiff.whole_numbers(values[..., None], 65535 if deep else tiff.white_of(values))
        return _deep(page, None, kept, profile, turn)
    alpha = None
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = np.asarray(picture.getchannel("A"))
        alpha = None if alpha.min() == 255 else alpha
        picture = picture.convert("RGB")
    if picture.mode not in ("L", "RGB", "CMYK", "LAB"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    said: tuple[str, ...] = ()
    if profile:
        try:
            picture = to_srgb(picture, profile)
        except NoFit as error:
            said = (f"{error}; taken for sRGB",)
    if picture.mode not in ("L", "RGB"):
        picture = picture.convert("RGB")
    return _upright(Original(without_colour(_array(picture)), alpha, kept, said=said), turn)


def _deep(
    pixels: np.ndarray, alpha: np.ndarray | None, kept: Metadata, profile: bytes | None, turn: int
) -> Original:
    """Pixels with all their bits."""
    if pixels.dtype == np.uint8 or pixels.shape[-1] == 4:
        eight = _original(tiff.eight_bits(tiff.Page(pixels, alpha, 1)), kept, profile, turn)
        return eight.saying("CMYK of 16 bits: 8 of them are used") if pixels.dtype == np.uint16 else eight
    said: tuple[str, ...] = ()
    if profile:
        try:
            pixels = deep_to_srgb(pixels, profile)
        except NoFit as error:
            said = (f"{error}; taken for sRGB",)
    return _upright(Original(without_colour(pixels), alpha, kept, said=said), turn)


def _upright(original: Original, turn: int) -> Original:
    if turn not in TURNS:
        return original
    alpha = None if original.alpha is None else np.ascontiguousarray(TURNS[turn](original.alpha))
    pixels = np.ascontiguousarray(TURNS[turn](original.pixels))
    return Original(pixels, alpha, original.metadata, original.duration, original.said)


def _array(picture: Image.Image) -> np.ndarray:
    """(H, W, 1 or 3) uint8, copied a strip at a time: Pillow's own way holds it three times over."""
    bands = len(picture.getbands())
    pixels = np.empty((picture.height, picture.width, bands), np.uint8)
    for rows in strips(*picture.size):
        strip = picture.crop((0, rows.start, picture.width, rows.stop))
        pixels[rows] = np.asarray(strip).reshape(-1, picture.width, bands)
    return pixels


def _is_deep_png(picture: Image.Image) -> bool:
    """Whether a PNG has 16 bits, of which Pillow keeps 8 where there is colour or alpha."""
    return picture.format == "PNG" and any("16" in str(tile) for tile in getattr(picture, "tile", ()))


def _decoded(data: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """A PNG of 16 bits, (H, W, 1 or 3), and its alpha (H, W)."""
    from torchvision.io import ImageReadMode, decode_image

    planes = decode_image(torch.from_numpy(data), mode=ImageReadMode.UNCHANGED).numpy()
    colours = 3 if len(planes) > 2 else 1
    alpha = planes[colours] if len(planes) > colours else _transparent(data.tobytes()[:4096], planes)
    return np.ascontiguousarray(np.moveaxis(planes[:colours], 0, -1)), alpha


def _transparent(beginning: bytes, planes: np.ndarray) -> np.ndarray | None:
    """The alpha of the one colour that a tRNS chunk names."""
    place = beginning.partition(b"IDAT")[0].find(b"tRNS")
    if place < 0:
        return None
    colour = struct.unpack_from(f">{len(planes)}H", beginning, place + 4)
    there = np.all([plane == code for plane, code in zip(planes, colour, strict=True)], axis=0)
    return np.where(there, 0, 65535).astype(np.uint16)
