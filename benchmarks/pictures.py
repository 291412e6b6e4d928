"""Photo-like JPEGs for benchmarks that are given none."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def photos(folder: Path, count: int, size: tuple[int, int] = (640, 480)) -> Path:
    """A zip of pictures as large and as detailed as COCO's: noise of every scale, quality 90."""
    path = folder / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(count):
            file = io.BytesIO()
            photo(np.random.default_rng(i), size).save(file, "jpeg", quality=90)
            archive.writestr(f"{i:06}.jpg", file.getvalue())
    return path


def photo(draw: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Noise whose power falls with frequency, as a photo's does."""
    width, height = size
    total = np.zeros((height, width, 3), np.float32)
    for cells in (4, 16, 64, 256):
        noise = draw.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=np.uint8)
        total += np.asarray(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC), np.float32) / cells
    return Image.fromarray((total * 3).clip(0, 255).astype(np.uint8))
