"""Damaged and odd pictures through prepare: python -m benchmarks.mutants [ZIP] [COUNT] [SEED].

Each is made of a photo of ZIP, or of a made one. Every kind says what must become of it: packed, skipped by
name, or either of the two.
"""

import io
import json
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from benchmarks.pictures import photos
from benchmarks.proof import finished, started, table, verdict, workplace
from colorization.data.archive import Zip
from colorization.data.pack import read_index

Fate = Literal["packed", "skipped", "either"]
Draw = np.random.Generator
CRASH = "its decoder crashed or ran out of memory"


def truncated(data: bytes, draw: Draw) -> bytes:
    """At most nine tenths of it: the end of some formats is not needed."""
    return data[: draw.integers(1, len(data) * 9 // 10)]


def flipped(data: bytes, draw: Draw) -> bytes:
    changed = np.frombuffer(data, np.uint8).copy()
    changed[draw.integers(len(data), size=draw.integers(1, 50))] ^= np.uint8(1 << draw.integers(8))
    return changed.tobytes()


def headless(data: bytes, draw: Draw) -> bytes:
    return draw.bytes(8) + data[draw.integers(2, 200) :]


def spliced(data: bytes, draw: Draw) -> bytes:
    """A span of it lost, as a bad copy loses it."""
    start, stop = np.sort(draw.integers(2, len(data), 2))
    return data[:start] + data[stop:]


def resized(data: bytes, draw: Draw) -> bytes:
    """A JPEG whose header lies about its size."""
    return _with_size(data, *draw.integers(0, 65_536, 2))


def enormous(data: bytes, draw: Draw) -> bytes:
    return _with_size(data, 20_000, 20_000)


def _with_size(data: bytes, height: int, width: int) -> bytes:
    start = next(i for i in range(len(data)) if data[i : i + 2] in (b"\xff\xc0", b"\xff\xc2")) + 5
    return data[:start] + struct.pack(">HH", height, width) + data[start + 4 :]


def enormous_png(data: bytes, draw: Draw) -> bytes:
    """20,000 x 20,000 pixels, whose checksums are right."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(60_001)))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def saved(kind: str, mode: str = "RGB", size: tuple[int, int] | None = None, **settings) -> Callable:
    """The photo in another format, mode or size."""

    def mutate(data: bytes, draw: Draw) -> bytes:
        picture, file = Image.open(io.BytesIO(data)).convert(mode), io.BytesIO()
        (picture.resize(size) if size else picture).save(file, kind, **settings)
        return file.getvalue()

    return mutate


def sixteen_bits(data: bytes, draw: Draw) -> bytes:
    grey, file = np.asarray(Image.open(io.BytesIO(data)).convert("L")), io.BytesIO()
    Image.fromarray(grey.astype(np.uint16) * 257).save(file, "png")
    return file.getvalue()


def rotated(data: bytes, draw: Draw) -> bytes:
    exif = Image.Exif()
    exif[Base.Orientation] = int(draw.integers(2, 9))
    return saved("jpeg", exif=exif)(data, draw)


def bad_exif(data: bytes, draw: Draw) -> bytes:
    """EXIF data that is noise behind its name."""
    noise = b"Exif\0\0" + draw.bytes(64)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(noise) + 2) + noise + data[2:]


def bad_profile(data: bytes, draw: Draw) -> bytes:
    return saved("jpeg", icc_profile=draw.bytes(400))(data, draw)


def animated(data: bytes, draw: Draw) -> bytes:
    frames = [Image.fromarray(draw.integers(0, 256, (9, 9, 3), dtype=np.uint8)) for _ in range(3)]
    return saved("gif", save_all=True, append_images=frames)(data, draw)


def then(first: Callable, second: Callable) -> Callable:
    """One after the other."""
    return lambda data, draw: second(first(data, draw), draw)


def constant(content: bytes) -> Callable:
    """No picture at all."""
    return lambda data, draw: content


KINDS: dict[str, tuple[Callable[[bytes, Draw], bytes], Fate]] = {
    "untouched": (lambda data, draw: data, "packed"),
    "progressive": (saved("jpeg", progressive=True), "packed"),
    "EXIF-rotated": (rotated, "packed"),
    "grey": (saved("jpeg", "L"), "packed"),
    "CMYK": (saved("jpeg", "CMYK"), "packed"),
    "16-bit PNG": (sixteen_bits, "packed"),
    "GIF named .jpg": (saved("gif"), "packed"),
    "animation": (animated, "packed"),
    "palette PNG": (saved("png", "P"), "packed"),
    "transparent WebP": (saved("webp", "RGBA"), "packed"),
    "one bit TIFF": (saved("tiff", "1"), "packed"),
    "1 x 1": (saved("png", size=(1, 1)), "packed"),
    "5000 x 1": (saved("png", size=(5000, 1)), "packed"),
    "bytes behind the end": (lambda data, draw: data + draw.bytes(5000), "packed"),
    "noise for EXIF": (bad_exif, "packed"),
    "noise for a colour profile": (bad_profile, "packed"),
    "flipped bits": (flipped, "either"),
    "a span lost": (spliced, "either"),
    "flipped bits, GIF": (then(saved("gif"), flipped), "either"),
    "flipped bits, WebP": (then(saved("webp"), flipped), "either"),
    "flipped bits, TIFF": (then(saved("tiff", compression="tiff_lzw"), flipped), "either"),
    "wrong size in the header": (resized, "either"),
    "flipped bits, PNG": (then(saved("png"), flipped), "skipped"),  # its checksums tell
    "truncated": (truncated, "skipped"),
    "truncated, progressive": (then(saved("jpeg", progressive=True), truncated), "skipped"),
    "truncated, PNG": (then(saved("png"), truncated), "skipped"),
    "truncated, GIF": (then(saved("gif"), truncated), "skipped"),
    "truncated, WebP": (then(saved("webp"), truncated), "skipped"),
    "truncated, TIFF": (then(saved("tiff"), truncated), "skipped"),
    "wrong header": (headless, "skipped"),
    "20,000 x 20,000 in the header": (enormous, "skipped"),
    "20,000 x 20,000 PNG": (enormous_png, "skipped"),
    "empty file": (constant(b""), "skipped"),
    "zero bytes": (constant(bytes(10_000)), "skipped"),
    "a web page": (constant(b"<!doctype html><title>404</title>"), "skipped"),
    "PostScript": (constant(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "skipped"),
}
NAMES = ("{i:04}.jpg", "below/{i:04} (1).JPG", "färbung-{i:04}.jpeg", "{i:04}\n.jpg", "{i:04}\udcff.jpg")


def main(archive: str | None = None, count: str = "1000", seed: str = "0") -> None:
    with workplace() as folder:
        source = Zip(Path(archive) if archive else photos(folder, 100, size=(160, 120)))
        kinds = written(folder / "mutants", source, int(count), np.random.default_rng(int(seed)))
        data = ("data=folder", "data.root=mutants", "data.cache_dir=cache", "data.image_size=32")
        finished(started("prepare", folder, *data), folder)
        packed, skipped = outcomes(folder / "cache")
    counts = dict.fromkeys(KINDS, (0, 0))
    for name, kind in kinds.items():
        counts[kind] = counts[kind][0] + packed[name], counts[kind][1] + (name in skipped)
    rows = [(kind, *counts[kind], KINDS[kind][1]) for kind in KINDS]
    total = ("all", *(sum(column) for column in zip(*counts.values(), strict=True)), "")
    print(table("Damaged and odd pictures", ("kind", "packed", "skipped by name", "must be"), [*rows, total]))
    once = packed + Counter(list(skipped)) == Counter(list(kinds))
    fates = {(kind, "packed" if packed[name] else "skipped") for name, kind in kinds.items()}
    verdict(
        {
            "each picture is packed once or skipped by name": once,
            "each kind is packed or skipped as it must be": all(
                KINDS[kind][1] in ("either", fate) for kind, fate in fates
            ),
            "no decoder crashed": CRASH not in skipped.values(),
        }
    )


def written(root: Path, source: Zip, count: int, draw: Draw) -> dict[str, str]:
    """Write mutants in turn of their kinds, under common and odd names; the kind of each."""
    (root / "below").mkdir(parents=True)
    kinds = {}
    for i in range(count):
        kind, name = list(KINDS)[i % len(KINDS)], NAMES[i % len(NAMES)].format(i=i)
        photo = source.read(source.names[i % len(source.names)])
        (root / name).write_bytes(KINDS[kind][0](photo, draw))
        kinds[name] = kind
    return kinds


def outcomes(cache: Path) -> tuple[Counter[str], dict[str, str]]:
    """How often each name is in a pack, and why the others were skipped."""
    rows = [
        row for path in cache.glob("*/rows.jsonl") for row in path.read_text(encoding="utf-8").splitlines()
    ]
    indices = [read_index(path) for path in cache.glob("*")]
    skipped = {name: reason for index in indices for _, name, reason in index.skipped}
    return Counter(json.loads(row)[0] for row in rows), skipped


if __name__ == "__main__":
    main(*sys.argv[1:])
