"""What people have: files of every kind, and what came out: python -m tests.picture.kinds prints it.

Files are made by Pillow, tifffile and imagecodecs, and read by them again; lightness is scikit-image's.
"""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import pillow_heif
import skimage.data
import tifffile
import torch
from PIL import Image, ImageCms
from skimage.color import rgb2lab

from colorization.album import photos
from colorization.color.lightness import lightness
from colorization.color.upsampling import Guided
from colorization.darkroom import Darkroom
from colorization.picture.join import joined
from colorization.picture.writing import Writer
from tests.picture.icc import ADOBE, P3, dot_gain, grey_profile, rgb_profile, srgb_curve

pillow_heif.register_heif_opener()
PHOTO = Image.fromarray(skimage.data.coffee()).resize((60, 40))
RGB, GREY = np.asarray(PHOTO), np.asarray(PHOTO.convert("L"))
ALPHA = np.linspace(0, 255, GREY.size).astype(np.uint8).reshape(GREY.shape)
DEEP = (np.linspace(0, 1, GREY.size).reshape(GREY.shape) * 65535).astype(np.uint16)
DEEP_RGB = np.dstack([DEEP, DEEP[::-1], DEEP[:, ::-1]])
DEEP_ALPHA = ALPHA.astype(np.uint16) * 257
EIGHT, LOSSY, SIXTEEN = 0.9, 4.0, 0.003  # of L: what rounding to 8 bits, a JPEG, rounding to 16 bits can do


class Kind(NamedTuple):
    """A file to be coloured, and what must come out.

    Attributes:
        file: its name.
        save: writes it.
        codes: its sRGB codes (H, W) or (H, W, 3), or the 8-bit ones that ImageCms gives.
        out: the name of what comes out, and the most that L may be off.
        alpha: (H, W), or None.
        frames: how many.
        dpi: kept, or None.
    """

    file: str
    save: Callable[[Path], Any]
    codes: np.ndarray
    out: str
    apart: float = EIGHT
    alpha: np.ndarray | None = None
    frames: int = 1
    dpi: float | None = None


def pillow(picture, **settings):
    return lambda path: picture.save(path, **settings)


def tiff(pixels, **settings):
    return lambda path: tifffile.imwrite(path, pixels, metadata=None, **settings)


def png(pixels):
    return lambda path: path.write_bytes(imagecodecs.png_encode(pixels))


def profiled(picture, profile):
    """Its sRGB codes, as ImageCms converts them."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(picture, source, target, outputMode="RGB"))


def exif(orientation=1):
    made = Image.Exif()
    made[0x0112], made[0x010F] = orientation, "Maker"
    made.get_ifd(0x8769)[0x9003] = "1951:02:03 04:05:06"
    return made


def unended(path):
    PHOTO.save(path, "JPEG", progressive=True, quality=95)
    path.write_bytes(path.read_bytes()[:-2])


grey, rgba = Image.fromarray(GREY), Image.fromarray(np.dstack([RGB, ALPHA]))
palette = PHOTO.convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
cmyk = PHOTO.convert("CMYK")
bits = grey.convert("1")
adobe, p3, gamma, dots = (
    rgb_profile(ADOBE, 563 / 256), rgb_profile(P3, srgb_curve()), grey_profile(2.2), grey_profile(dot_gain()),
)  # fmt: skip
one_pixel, strip = Image.new("L", (1, 1), 90), Image.fromarray(np.tile(GREY[:1], (1, 80)))
moving = {"save_all": True, "append_images": [grey.transpose(Image.Transpose.ROTATE_180)], "duration": 70}
lab_tiff = ImageCms.profileToProfile(
    PHOTO, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
)

KINDS = {
    "grey PNG": Kind("grey.png", pillow(grey, dpi=(300, 300)), GREY, "grey.png", dpi=300),
    "RGB PNG with EXIF": Kind("rgb.png", pillow(PHOTO, exif=exif()), RGB, "rgb.png"),
    "grey and alpha PNG": Kind("la.png", png(np.dstack([GREY, ALPHA])), GREY, "la.png", alpha=ALPHA),
    "RGBA PNG": Kind("rgba.png", pillow(rgba), RGB, "rgba.png", alpha=ALPHA),
    "palette PNG": Kind("p.png", pillow(palette), np.asarray(palette.convert("RGB")), "p.png"),
    "1-bit PNG": Kind("bits.png", pillow(bits), np.asarray(bits.convert("L")), "bits.png"),
    "16-bit grey PNG": Kind("u16.png", png(DEEP), DEEP, "u16.png", SIXTEEN),
    "16-bit RGB PNG": Kind("rgb16.png", png(DEEP_RGB), DEEP_RGB, "rgb16.png", SIXTEEN),
    "16-bit grey and alpha PNG": Kind(
        "la16.png", png(np.dstack([DEEP, DEEP_ALPHA])), DEEP, "la16.png", SIXTEEN, DEEP_ALPHA
    ),
    "16-bit RGBA PNG": Kind(
        "rgba16.png", png(np.dstack([DEEP_RGB, DEEP_ALPHA])), DEEP_RGB, "rgba16.png", SIXTEEN, DEEP_ALPHA
    ),
    "grey JPEG": Kind("g.jpg", pillow(grey, quality=98, dpi=(72, 72)), GREY, "g.jpg", LOSSY, dpi=72),
    "JPEG, turned by EXIF": Kind(
        "turned.JPG", pillow(grey, quality=98, exif=exif(6)), np.rot90(GREY, -1), "turned.JPG", LOSSY
    ),
    "CMYK JPEG": Kind("cmyk.jpg", pillow(cmyk, quality=98), np.asarray(cmyk.convert("RGB")), "cmyk.jpg", 7),
    "JPEG without its end": Kind("end.jpg", unended, RGB, "end.jpg", 7),
    "two pictures of a stereo camera": Kind("s.mpo", pillow(PHOTO, quality=98), RGB, "s.jpg", 7),
    "LZW TIFF": Kind(
        "lzw.tif", pillow(grey, compression="tiff_lzw", dpi=(600, 600)), GREY, "lzw.tif", dpi=600
    ),
    "16-bit grey TIFF": Kind("u16.tif", tiff(DEEP), DEEP, "u16.tif", SIXTEEN),
    "16-bit TIFF, white is zero": Kind(
        "white.tif", tiff(65535 - DEEP, photometric="miniswhite"), DEEP, "white.tif", SIXTEEN
    ),
    "16-bit RGB TIFF, planes, big-endian": Kind(
        "planes.tiff",
        tiff(np.moveaxis(DEEP_RGB, -1, 0), photometric="rgb", planarconfig="separate", byteorder=">"),
        DEEP_RGB, "planes.tiff", SIXTEEN,
    ),
    "16-bit RGBA TIFF, deflate": Kind(
        "deflate.tif",
        tiff(np.dstack([DEEP_RGB, DEEP_ALPHA]), photometric="rgb", extrasamples=["unassalpha"],
             compression="zlib", predictor=True),
        DEEP_RGB, "deflate.tif", SIXTEEN, DEEP_ALPHA,
    ),
    "float TIFF": Kind("f32.tif", tiff((DEEP / 65535).astype(np.float32)), DEEP, "f32.tif", SIXTEEN),
    "half float TIFF": Kind("f16.tif", tiff((GREY / 255).astype(np.float16)), GREY, "f16.tif", 0.05),
    "12-bit TIFF": Kind(
        "u12.tif", tiff(DEEP >> 4, bitspersample=12, photometric="minisblack"), DEEP, "u12.tif", 0.2
    ),
    "CMYK TIFF": Kind("cmyk.tif", pillow(cmyk), np.asarray(cmyk.convert("RGB")), "cmyk.tif"),
    "CIELAB TIFF": Kind("lab.tif", pillow(lab_tiff), RGB, "lab.tif", 2),
    "fax TIFF": Kind("fax.tif", pillow(bits, compression="group4"), np.asarray(bits.convert("L")), "fax.tif"),
    "TIFF of two pages": Kind(
        "pages.tif",
        pillow(grey, save_all=True, append_images=[grey.resize((20, 30))]),
        GREY,
        "pages.tif",
        frames=2,
    ),
    "GIF animation": Kind("a.gif", pillow(grey, **moving), GREY, "a.png", frames=2),
    "PNG animation": Kind("apng.png", pillow(grey, **moving), GREY, "apng.png", frames=2),
    "WebP animation": Kind(
        "a.webp", pillow(grey.convert("RGB"), lossless=True, **moving), GREY, "a.webp", LOSSY, frames=2
    ),
    "WebP with alpha": Kind(
        "w.webp", pillow(rgba, lossless=True, exact=True), RGB, "w.webp", 7, ALPHA
    ),
    "AVIF": Kind("a.avif", pillow(grey, quality=100), GREY, "a.avif", LOSSY),
    "HEIC": Kind("h.heic", pillow(grey.convert("RGB"), quality=-1), GREY, "h.jpg", LOSSY),
    "JPEG 2000": Kind("j.jp2", pillow(grey), GREY, "j.png"),
    "BMP": Kind("b.bmp", pillow(PHOTO), RGB, "b.png"),
    "16-bit PGM": Kind("g.pgm", pillow(Image.fromarray(DEEP)), DEEP, "g.png", SIXTEEN),
    "Adobe RGB JPEG": Kind(
        "adobe.jpg", pillow(PHOTO, quality=98, icc_profile=adobe), profiled(PHOTO, adobe), "adobe.jpg", 7
    ),
    "Display P3 PNG": Kind("p3.png", pillow(PHOTO, icc_profile=p3), profiled(PHOTO, p3), "p3.png"),
    "grey PNG, gamma 2.2": Kind(
        "gamma.png", pillow(grey, icc_profile=gamma), profiled(grey, gamma), "gamma.png"
    ),
    "grey TIFF, dot gain 20%": Kind(
        "dots.tif", pillow(grey, icc_profile=dots), profiled(grey, dots), "dots.tif"
    ),
    "16-bit Adobe RGB TIFF": Kind(
        "adobe16.tif", tiff(RGB.astype(np.uint16) * 257, photometric="rgb", iccprofile=adobe),
        profiled(PHOTO, adobe), "adobe16.tif", 0.5,
    ),
    "strip of 4800 x 1": Kind("strip.png", pillow(strip), np.asarray(strip), "strip.png"),
    "one pixel": Kind("one.png", pillow(one_pixel), np.asarray(one_pixel), "one.png"),
}  # fmt: skip


class Found(NamedTuple):
    """What came out of a kind: in words, and what is wrong with it."""

    came_in: str
    came_out: str
    wrong: list[str]


class Stub:
    """Paints everything in one warm colour, by no network."""

    def colour(self, original):
        small = lightness(original.pixels[:1, :1])
        ab = torch.tensor([12.0, 9.0])[None, :, None, None]
        yield joined(original, Guided(ab, small, original.pixels.shape[:2]))


def found(kind: Kind, folder: Path) -> Found:
    """Colour a kind in an empty folder."""
    kind.save(folder / kind.file)
    writer = Writer()
    (photo,) = photos([folder / kind.file], folder / "out", writer=writer)
    (outcome,) = Darkroom(Stub(), "stub", writer).develop([photo])
    if outcome.fault:
        return Found(described(folder / kind.file), "", [outcome.fault])
    target = photo.targets[0]
    return Found(described(folder / kind.file), described(target), list(faults(kind, folder, target)))


def faults(kind: Kind, folder: Path, target: Path):
    """What is not as it should be, with scikit-image and the files' own readers."""
    if target.name != kind.out:
        yield f"is called {target.name}"
    codes, alpha = stored(target)
    if codes.shape[:2] != kind.codes.shape[:2]:
        yield f"has shape {codes.shape}"
        return
    off = np.abs(L_of(codes) - L_of(kind.codes))
    if alpha is not None and kind.alpha is not None:
        off = off[kind.alpha > 0]
    if (off.mean() if kind.apart > 1 else off.max()) > kind.apart:
        yield f"L is off by {off.max():.3f}"
    if rgb2lab(codes / np.iinfo(codes.dtype).max)[..., 1].std() == 0 and codes.size > 3:
        yield "has no colour"
    if (alpha is None) != (kind.alpha is None) or (alpha is not None and (alpha != kind.alpha).any()):
        yield "alpha differs"
    with looked_at(target) as after, looked_at(folder / kind.file) as before:
        if getattr(after, "n_frames", 1) != kind.frames:
            yield f"has {getattr(after, 'n_frames', 1)} frames"
        if kind.dpi and abs(after.info["dpi"][0] - kind.dpi) > 1:
            yield f"dpi is {after.info['dpi']}"
        if not after.info.get("icc_profile"):
            yield "names no profile"
        kept, came = after.getexif(), before.getexif()
        if "guess of the model stub" not in str(kept.get(0x000B)):
            yield "lacks the mark in EXIF"
        if kept.get(0x0112, 1) != 1 or kept.get(0x010F) != came.get(0x010F):
            yield "EXIF differs"
        if dict(kept.get_ifd(0x8769)).get(0x9003) != dict(came.get_ifd(0x8769)).get(0x9003):
            yield "the date of the photo differs"
    if b"compositeWithTrainedAlgorithmicMedia" not in target.read_bytes():
        yield "lacks the mark in XMP"
    if abs(target.stat().st_mtime - (folder / kind.file).stat().st_mtime) > 1e-3:
        yield "the file's date differs"


def stored(path):
    """Codes (H, W, 3) and alpha of a file, with all its bits, by readers that are not the project's."""
    if path.suffix in (".tif", ".tiff"):
        pixels = tifffile.imread(path, key=0)
    elif path.suffix == ".png" and "_" not in path.stem and getattr(Image.open(path), "n_frames", 1) == 1:
        pixels = imagecodecs.png_decode(path.read_bytes())
    else:
        picture = Image.open(path)
        pixels = np.asarray(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
    return (pixels[..., :3], pixels[..., 3]) if pixels.shape[-1] == 4 else (pixels, None)


def L_of(codes):
    values = codes / np.iinfo(codes.dtype).max
    return rgb2lab(values if codes.ndim == 3 else np.repeat(values[..., None], 3, -1))[..., 0]


def described(path):
    """Mode, depth, profile, alpha and what stands beside the pixels, as a reader sees it."""
    with looked_at(path) as picture:
        words = [
            picture.format or "",
            picture.mode,
            f"{depth(path, picture)} bit",
            f"{picture.width}x{picture.height}",
        ]
        words += [f"{n} frames"] if (n := getattr(picture, "n_frames", 1)) > 1 else []
        words += [word for word in ("icc_profile", "dpi", "exif", "xmp") if picture.info.get(word)]
    return " ".join(words).replace("icc_profile", "ICC")


def looked_at(path):
    """A file in Pillow; of one that Pillow refuses, its pixels alone."""
    try:
        return Image.open(path)
    except Image.UnidentifiedImageError:
        return Image.fromarray(tifffile.imread(path).astype(np.float32))


def depth(path, picture):
    if path.suffix in (".tif", ".tiff"):
        with tifffile.TiffFile(path) as file:
            return file.pages[0].bitspersample
    if path.suffix == ".png":
        return path.read_bytes()[24]
    return {"1": 1, "I;16": 16, "I": 16}.get(picture.mode, 8)


def main() -> None:
    """A table of all kinds."""
    print("| what | came in | came out | |\n|---|---|---|---|")
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            row = found(kind, Path(folder))
        print(f"| {name} | {row.came_in} | {row.came_out} | {'; '.join(row.wrong) or 'right'} |", flush=True)


if __name__ == "__main__":
    main()
