"""Decode on one core, prepare on 1 and 2: python -m benchmarks.decode [ZIP] [PICTURES] [ROUNDS]."""

import io
import itertools
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
import torch
from kornia_rs.io import decode_image_jpegturbo
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg

from benchmarks.pictures import photos
from benchmarks.timing import markdown, medians
from colorization.data.archive import Zip
from colorization.data.decode import open_square
from colorization.data.pack import pack

SIZE = 144


def main(archive: str | None = None, pictures: str = "500", rounds: str = "5") -> None:
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as temporary:
        source = Zip(Path(archive) if archive else photos(Path(temporary), int(pictures)))
        names = source.names[: int(pictures)]
        encoded = [source.read(name) for name in names]
        alone = {
            "this project": lambda: [open_square(data, SIZE) for data in encoded],
            "floor: Pillow decodes": lambda: [pillow(data) for data in encoded],
            "floor: simplejpeg decodes": lambda: [simplejpeg.decode_jpeg(data) for data in encoded],
            "floor: kornia_rs decodes": lambda: [decode_image_jpegturbo(data, "rgb") for data in encoded],
            "floor: torchvision decodes": lambda: [torchvision_io(data) for data in encoded],
            "simplejpeg, Pillow resizes": lambda: [resized(simplejpeg.decode_jpeg(data)) for data in encoded],
            "OpenCV, not antialiased": lambda: [opencv(data) for data in encoded],
        }
        print(
            markdown(
                f"Decode to {SIZE} px, one core", medians(alone, int(rounds)), len(names), "this project"
            )
        )
        runs = itertools.count()
        caches = Path(temporary) / "caches"
        together = {}
        for n in (1, 2):
            together[f"prepare, {n} processes"] = partial(prepared, source, caches, runs, len(names), n)
            together[f"floor: decode and resize, {n} processes"] = partial(shared, encoded, n)
        spans = medians(together, int(rounds))
        print(markdown("prepare against its floor", spans, len(names), "prepare, 1 processes"))


def pillow(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def torchvision_io(data: bytes) -> torch.Tensor:
    return decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB)


def resized(array: np.ndarray) -> np.ndarray:
    height, width = array.shape[:2]
    side = min(height, width)
    box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    return np.asarray(Image.fromarray(array).resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=box))


def opencv(data: bytes) -> np.ndarray:
    return cv2.resize(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), (SIZE, SIZE))


def squares(encoded: list[bytes]) -> int:
    """Decode and resize, and keep nothing: what no pack can be faster than."""
    return sum(open_square(data, SIZE)[0].shape[0] for data in encoded)


def shared(encoded: list[bytes], processes: int) -> None:
    """The floor on several processes: every one decodes its share."""
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(squares, [encoded[i::processes] for i in range(processes)]))


def prepared(source: Zip, caches: Path, runs: Iterator[int], count: int, processes: int) -> None:
    pack(source, SIZE, caches / str(next(runs)), "set", count, processes)


if __name__ == "__main__":
    main(*sys.argv[1:])
