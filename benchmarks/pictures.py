"""Photo-like JPEGs for benchmarks that are given none."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def photos(folder: Path, count: int, size: tuple[int, int] = (640, 480)) -> Path:
    """A zip of pictures as large as COCO's: 640 x 480, about 150 kB each (train2017 is 18 GB of 118,287)."""
    path = folder / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(count):
            file = io.BytesIO()
            photo(np.random.default_rng(i), size).save(file, "jpeg", quality=90)
            archive.writestr(f"{i:06}.jpg", file.getvalue())
    return path


def photo(draw: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Noise whose power falls with frequency, as a photo's does, and grain."""
    width, height = size
    total = draw.normal(0, 16, (height, width, 1)).repeat(3, axis=2)
    for cells, weight in ((4, 0.4), (16, 0.2), (64, 0.1), (256, 0.05)):
        noise = draw.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=np.uint8)
        total += weight * np.asarray(
            Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC), np.float32
        )
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))
