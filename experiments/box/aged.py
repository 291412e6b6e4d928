"""What age does to a photo's colours: python experiments/box/aged.py data.root=PHOTOS data.val_root=TEST

Photos that were held out of box's training, as the network sees them when they are faded, grainy, blurred,
scratched or stained. The colour that it finds is scored on the sound photo's lightness. Prints Markdown.
"""

import sys
from itertools import islice

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from colorization import build
from colorization.color import lab
from colorization.compose import composed
from colorization.data.decode import to_tensor
from colorization.metric.base import Pair
from colorization.metric.ciede2000 import ciede2000
from colorization.metric.psnr import psnr
from colorization.painter import Painter
from colorization.picture.reading import of_picture
from colorization.reopen import open_run

PHOTOS = 200
SIZE = 160  # of the network's copy, as predict shows it


def faded(grey: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Black is a dark grey, white a light one: half the contrast."""
    return 80 + grey / 2


def grainy(grey: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Noise of 5 levels in what the network sees, as of 50 in a scan of ten times the size."""
    return grey + random.normal(0, 5, grey.shape)


def blurred(grey: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Out of focus, by a standard deviation of a pixel of what the network sees."""
    return gaussian_filter(grey, 1)


def scratched(grey: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Twelve white lines from top to bottom."""
    scratched, rows = grey.copy(), np.arange(len(grey))
    for _ in range(12):
        first, last = random.uniform(0, grey.shape[1], 2)
        drift = np.linspace(first, first + (last - first) / 8, len(grey))
        scratched[rows, drift.astype(int).clip(0, grey.shape[1] - 1)] = 245
    return scratched


def stained(grey: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Darker towards one side, in soft spots."""
    spots = gaussian_filter(random.normal(0, 1, grey.shape), 12)
    return grey + 60 * spots / np.abs(spots).max() - np.linspace(0, 50, grey.shape[1])


def stretched(grey: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """No age but its remedy: from black to white, all but a half percent of the pixels at each end."""
    low, high = np.percentile(grey, (0.5, 99.5))
    return (grey - low) * 255 / max(high - low, 1)


AGES = {
    "sound": (),
    "sound, then stretched": (stretched,),
    "faded": (faded,),
    "faded, then stretched": (faded, stretched),
    "grainy": (grainy,),
    "blurred": (blurred,),
    "scratched": (scratched,),
    "stained": (stained,),
    "all of it": (blurred, stained, faded, scratched, grainy),
}


def main(*settings: str) -> None:
    """Colour every photo at every age."""
    painter = Painter(open_run("box").colorizer(), SIZE)
    pictures = build.data(composed("train", ["experiment=box", *settings])).pack("val").pictures
    rows: dict[str, list[Tensor]] = {name: [] for name in AGES}
    for number, truth in enumerate(islice(pictures, PHOTOS)):
        picture = Image.fromarray(np.array(truth))
        colours, grey = to_tensor(picture), np.asarray(picture.convert("L")).astype(float)
        for name, ages in AGES.items():
            aged, random = grey, np.random.default_rng(number)
            for age in ages:
                aged = age(aged, random)
            rows[name].append(scores(painter, aged.clip(0, 255).round().astype(np.uint8), colours))
    print("| photos | PSNR, dB | CIEDE2000 | mean chroma |\n|---|---:|---:|---:|")
    for name, found in rows.items():
        print(f"| {name} | {' | '.join(f'{x:.3f}' for x in torch.stack(found).mean(dim=0))} |")


def scores(painter: Painter, aged: np.ndarray, truth: Tensor) -> Tensor:
    """PSNR, CIEDE2000 and chroma of an aged photo's colour on the sound lightness: (3,)."""
    original = of_picture(Image.fromarray(aged))
    small, ab = painter.found(original)
    _, found = lab.split(torch.from_numpy(painter.laid(original, small, ab).pixels).movedim(-1, 0)[None])
    true = lab.rgb_to_lab(truth)
    rgb = lab.quantize(lab.merge(true[:, :1], found))
    pair = Pair(rgb, truth / 255, true)
    return torch.cat([psnr(pair), ciede2000(pair), found.norm(dim=1).mean()[None]])


if __name__ == "__main__":
    main(*sys.argv[1:])
