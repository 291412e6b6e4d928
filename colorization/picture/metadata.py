"""What stands beside a picture's pixels, carried over, with a mark that the colour is a model's guess."""

import os
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base

from colorization import __version__
from colorization.config import DISTRIBUTION

# https://cv.iptc.org/newscodes/digitalsourcetype/
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MARKED = ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed")
SRGB = 1  # of EXIF's ColorSpace

# What says where a TIFF's own pixels are, and no more.
STRUCTURE = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 282, 283, 284),
    *(
        290,
        291,
        292,
        293,
        296,
        301,
        317,
        318,
        319,
        320,
        321,
        322,
        323,
        324,
        325,
        330,
        332,
        334,
        336,
        338,
        339,
    ),
    *(340, 341, 347, 512, 513, 514, 529, 530, 531, 532, 700, 34675, 34377),
}


@dataclass(frozen=True)
class Metadata:
    """What is kept of a file beside its pixels.

    Attributes:
        exif: tags of the main directory, Exif, GPS and Interop among them as mappings.
        xmp: a packet of XMP.
        dpi: pixels per inch, horizontally and vertically.
        times: of last access and change, ns.
        loop: how often an animation is played; 0: for ever.
    """

    exif: dict[int, Any] | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    times: tuple[int, int] | None = None
    loop: int | None = None

    def marked(self, model: str) -> "Metadata":
        """With the mark that the colour is this model's guess: in EXIF's ProcessingSoftware, and in XMP."""
        software = f"{DISTRIBUTION} {__version__}"
        note = f"colour is a guess of the model {model} ({software}); lightness is the original's"
        exif = dict(self.exif or {}) | {Base.ProcessingSoftware.value: note}
        return replace(self, exif=exif, xmp=_with_mark(self.xmp, model, software))

    def written(self) -> Image.Exif:
        """The EXIF as Pillow writes it."""
        exif = Image.Exif()
        for tag, value in (self.exif or {}).items():
            exif[tag] = value
        return exif


def metadata(picture: Image.Image, path: Path | None = None) -> Metadata:
    """What stands beside an open picture's pixels, as it is after the picture has been turned upright."""
    loop = picture.info.get("loop", 1 if picture.format == "GIF" else 0)
    stat = path.stat() if path else None
    times = (stat.st_atime_ns, stat.st_mtime_ns) if stat else None
    return Metadata(_exif(picture), _upright_xmp(picture.info), _dpi(picture.info), times, loop)


def dated(path: Path, times: tuple[int, int] | None) -> None:
    """Give a file the times of another."""
    if times:
        os.utime(path, ns=times)


@cache
def srgb() -> bytes:
    """The ICC profile of sRGB, the same bytes whenever it is made."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + bytes([7, 208, 0, 1, 0, 1] + 6 * [0]) + made[36:]  # the date of its making


def _exif(picture: Image.Image) -> dict[int, Any] | None:
    """Tags without orientation and structure; what is damaged is left out."""
    tags: dict[int, Any]
    try:
        exif = picture.getexif()
        tags = {tag: value for tag, value in exif.items() if tag not in STRUCTURE | set(IFD)}
        for directory in (IFD.Exif, IFD.GPSInfo):
            if inner := dict(exif.get_ifd(directory)):
                tags[directory.value] = inner
    except Exception:
        return None
    orientation = tags.pop(Base.Orientation, 1)
    if shot := tags.get(IFD.Exif.value):
        shot.pop(IFD.Interop.value, None)
        if Base.ColorSpace in shot:
            shot[Base.ColorSpace.value] = SRGB
        sides = (Base.ExifImageWidth.value, Base.ExifImageHeight.value)
        if orientation in range(5, 9) and all(side in shot for side in sides):
            shot[sides[0]], shot[sides[1]] = shot[sides[1]], shot[sides[0]]
    return tags or None


def _dpi(info: dict[Any, Any]) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if x > 0 and y > 0 else None


def _upright_xmp(info: dict[Any, Any]) -> bytes | None:
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if not packet:
        return None
    packet = packet.encode() if isinstance(packet, str) else bytes(packet)
    packet = re.sub(rb'(tiff:Orientation\s*=\s*["\'])[2-8]', rb"\g<1>1", packet)
    return re.sub(rb"(<tiff:Orientation>\s*)[2-8]", rb"\g<1>1", packet)


def _with_mark(packet: bytes | None, model: str, software: str) -> bytes:
    """A packet of XMP in which the mark stands, once."""
    values = (SOURCE_TYPE, model, software)
    pairs = " ".join(f"Iptc4xmpExt:{k}={quoteattr(v)}" for k, v in zip(MARKED, values, strict=True))
    node = f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{IPTC}" {pairs}/>'
    old = (packet or b"").decode(errors="replace")
    for name in MARKED:
        old = re.sub(rf"\s+Iptc4xmpExt:{name}\s*=\s*(\"[^\"]*\"|'[^']*')", "", old)
        old = re.sub(rf"<Iptc4xmpExt:{name}>[^<]*</Iptc4xmpExt:{name}>", "", old)
    if "</rdf:RDF>" in old:
        return old.replace("</rdf:RDF>", f"{node}</rdf:RDF>", 1).encode()
    body = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">{node}</rdf:RDF></x:xmpmeta>'
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="w"?>'.encode()
