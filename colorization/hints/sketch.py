"""A sketch of colour: scribbles on a transparent picture, laid over the photo -> points."""

from pathlib import Path

import numpy as np

from colorization.config import InputError
from colorization.data.decode import open_with_alpha
from colorization.hints.clicks import SIZE, Click

MOST = 64  # points: what Points has trained on
COVERED = 0.25  # of a cell, from which it counts as scribbled on


def read_sketch(path: Path, seen: int) -> tuple[list[Click], tuple[int, int]]:
    """Points of a sketch's colours, and its (height, width), in whose pixels they are.

    Cells as large as a point, where the network sees `seen` pixels of the shorter side, become a point of the
    mean colour of what lies on them, in the middle of it. Of more than MOST cells so many, evenly.

    Raises:
        InputError: nothing is transparent, or all of it.
    """
    picture = open_with_alpha(path)
    alpha = np.asarray(picture.getchannel("A"), np.float64) / 255
    if alpha.min() > 0.5 or alpha.max() < 0.5:
        fault = "has no transparent part" if alpha.min() > 0.5 else "has no scribble on it"
        raise InputError(f"hints={path}: {fault}; give a PNG as large as the photo with scribbles on nothing")
    cell = max(min(picture.size) * SIZE / seen, 1)
    across, down = (max(round(side / cell), 1) for side in picture.size)
    colours = np.asarray(picture.convert("RGB"), np.float64)
    height, width = alpha.shape
    y, x = np.mgrid[:height, :width]
    inked = np.dstack([colours, x, y, np.ones_like(alpha)]) * alpha[..., None]
    sums, area = _cells(inked, down, across), height * width / (down * across)
    covered = sums[..., 5] >= COVERED * area
    found = sums[covered if covered.any() else sums[..., 5] > 0]  # the latter: scribbles thinner than a cell
    chosen = np.unique(np.linspace(0, len(found) - 1, min(len(found), MOST)).round().astype(int))
    means = found[chosen, :5] / found[chosen, 5:]
    clicks = [
        Click(x, y, (round(red), round(green), round(blue))) for red, green, blue, x, y in means.tolist()
    ]
    return clicks, (height, width)


def is_sketch(path: Path) -> bool:
    """Whether hints are a picture and no list of clicks."""
    return path.suffix.lower() in {".png", ".webp", ".tif", ".tiff"}


def _cells(values: np.ndarray, down: int, across: int) -> np.ndarray:
    """Sums over a grid of cells, (H, W, C) -> (down, across, C)."""
    H, W, _ = values.shape
    values = np.add.reduceat(values, np.arange(down) * H // down, axis=0)
    return np.add.reduceat(values, np.arange(across) * W // across, axis=1)
