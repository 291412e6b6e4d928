"""Colour enlarged from a small copy, by several filters: python -m benchmarks.edges [SIDE] [PHOTOS].

The true colour of a copy of 128 px stands for a perfect network's: what is measured is enlarging alone.
Without a folder of PHOTOS, on those that scikit-image and matplotlib ship.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import skimage.data
import torch
from kornia.filters import guided_blur, joint_bilateral_blur
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from benchmarks.timing import medians
from colorization.color import lab
from colorization.color.upsampling import guided
from colorization.metric.ab_error import distance
from colorization.metric.base import Pair
from colorization.metric.bleeding import beside_edges, mean_where
from colorization.metric.ciede2000 import ciede2000

SMALL = 128


def main(side: int = 512, folder: str = "") -> None:
    torch.set_num_threads(1)
    photos = opened(side, Path(folder)) if folder else shipped(side)
    print(f"### {len(photos)} photos of {side} px, colour from {SMALL} px\n")
    print("| | CIEDE2000 | ab error beside edges | elsewhere | ms per megapixel |\n|---|---:|---:|---:|---:|")
    scores = {name: torch.stack([measured(f, photo) for photo in photos]) for name, f in FILTERS.items()}
    seconds = speed(photos[0])
    for name, rows in scores.items():
        numbers = " | ".join(f"{number:.3f}" for number in rows.nanmean(dim=0))
        print(f"| {name} | {numbers} | {1e3 * seconds[name]:.0f} |")


def measured(enlarge: Callable[..., Tensor], photo: Tensor) -> Tensor:
    """CIEDE2000, and the error of ab beside strong edges of lightness and elsewhere."""
    L, _ = lab.split(photo)
    rgb = lab.quantize(lab.merge(L, enlarge(*found(photo), L)))
    pair = Pair(rgb, photo / 255, lab.rgb_to_lab(photo))
    beside, error = beside_edges(pair), distance(pair)
    return torch.cat([ciede2000(pair), mean_where(beside, error), mean_where(~beside, error)])


def speed(photo: Tensor) -> dict[str, float]:
    """Seconds per megapixel of each filter, in turn."""
    L, _ = lab.split(photo)
    ab, small = found(photo)
    calls = {name: lambda enlarge=enlarge: enlarge(ab, small, L) for name, enlarge in FILTERS.items()}
    return {name: span / (L.numel() / 1e6) for name, span in medians(calls, 5).items()}


def found(photo: Tensor) -> tuple[Tensor, Tensor]:
    """Colour and lightness of the small copy."""
    picture = Image.fromarray(photo[0].movedim(0, -1).numpy())
    scale = SMALL / min(picture.size)
    size = [round(length * scale) for length in picture.size]
    L, ab = lab.split(tensor(picture.resize(size, Image.Resampling.BILINEAR)))
    return ab, L


def bicubic(ab: Tensor, small: Tensor, L: Tensor) -> Tensor:
    return interpolate(ab, size=L.shape[-2:], mode="bicubic", align_corners=False)


def joint_bilateral(ab: Tensor, small: Tensor, L: Tensor) -> Tensor:
    """Of the enlarged colour: a window as wide as two pixels of the small copy (Kopf et al. 2007)."""
    width = 2 * round(L.shape[-1] / small.shape[-1]) + 1
    return joint_bilateral_blur(bicubic(ab, small, L), L, (width, width), 10.0, (width / 4, width / 4))


def guided_filter(ab: Tensor, small: Tensor, L: Tensor) -> Tensor:
    """Of the enlarged colour: He, Sun and Tang 2013."""
    width = 4 * round(L.shape[-1] / small.shape[-1]) + 1
    return guided_blur(L, bicubic(ab, small, L), (width, width), 16.0)


FILTERS: dict[str, Callable[..., Tensor]] = {
    "bicubic": bicubic,
    "joint bilateral (Kornia)": joint_bilateral,
    "guided (Kornia)": guided_filter,
    "this project": guided,
}


def shipped(side: int) -> list[Tensor]:
    data = [getattr(skimage.data, name)() for name in ("astronaut", "coffee", "chelsea", "rocket")]
    data.append(skimage.data.stereo_motorcycle()[0])
    hopper = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return [reduced(picture, side) for picture in (*map(Image.fromarray, data), Image.open(hopper))]


def opened(side: int, folder: Path) -> list[Tensor]:
    return [reduced(Image.open(path), side) for path in sorted(folder.iterdir())]


def reduced(picture: Image.Image, side: int) -> Tensor:
    """A picture with its shorter side reduced, never enlarged, to `side`: (1, 3, H, W) uint8."""
    scale = min(side / min(picture.size), 1)
    size = [round(length * scale) for length in picture.size]
    return tensor(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS))


def tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None]


if __name__ == "__main__":
    main(*(int(word) if word.isdigit() else word for word in sys.argv[1:]))
