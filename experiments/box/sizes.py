"""What predict makes of photos at each size that the network may see: python experiments/box/sizes.py RUN

On the photos that were held out of the run's training, read at 160 px, about as large as they are. Prints
Markdown. A second table merges sizes, and a photo with its mirror image, by the mean of their colours.
"""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorization.color import lab
from colorization.data.module import View
from colorization.metric.base import Pair
from colorization.metric.ciede2000 import ciede2000
from colorization.metric.psnr import psnr
from colorization.painter import Painter
from colorization.picture.reading import of_picture
from colorization.reopen import open_run

READ = 160
SIZES = (64, 96, 112, 128, 144, 160, 192, 224, 320)
MERGED = ((96, 160), (128, 160), (128, 192), (96, 128, 160))
PHOTOS = 200


def main(run: Path) -> None:
    """Colour every photo at every size."""
    opened = open_run(run)
    colorizer, data = opened.colorizer(), opened.data()
    data.view = View(READ)
    rows: dict[str, list[Tensor]] = {}
    for truth in islice(data.pack("val").pictures, PHOTOS):
        picture = Image.fromarray(np.array(truth))
        found = {str(size): colour(Painter(colorizer, size), picture) for size in SIZES}
        found |= {" + ".join(map(str, sizes)): mean([found[str(s)] for s in sizes]) for sizes in MERGED}
        mirrored = colour(Painter(colorizer, 128), picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        found["128 + mirrored"] = mean([found["128"], mirrored.flip(-1)])
        for name, coloured in found.items():
            rows.setdefault(name, []).append(scores(coloured, tensor(picture)))
    print("| size | PSNR, dB | CIEDE2000 |\n|---|---:|---:|")
    for name, numbers in rows.items():
        print(f"| {name} | {' | '.join(f'{x:.3f}' for x in torch.stack(numbers).mean(dim=0))} |")


def colour(painter: Painter, picture: Image.Image) -> Tensor:
    """What predict makes of a picture, (1, 3, H, W) uint8."""
    return tensor(next(painter.colour(of_picture(picture))).pixels)


def mean(colourings: list[Tensor]) -> Tensor:
    """The mean of their ab, as a picture."""
    labs = torch.stack([lab.rgb_to_lab(picture) for picture in colourings]).mean(dim=0)
    return lab.to_uint8(lab.lab_to_rgb(labs))


def scores(coloured: Tensor, truth: Tensor) -> Tensor:
    """PSNR and CIEDE2000, (2,)."""
    pair = Pair(coloured / 255, truth / 255, lab.rgb_to_lab(truth))
    return torch.cat([psnr(pair), ciede2000(pair)])


def tensor(picture: Image.Image) -> Tensor:
    """(1, 3, H, W) uint8."""
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
