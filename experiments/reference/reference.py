"""Does matching things with things pay? The colours of a photo that looks alike, taken on in several ways.

    python experiments/reference/reference.py data.root=PHOTOS data.val_root=TEST

with the photos of experiment=box, which held VAL of them out. Each is given the photo nearest to it among
POOL of training, by what ImageNet's encoder sees in their grey; box colours it, and that photo's colours are
taken on: as a whole (`predict reference=`), place by place where the encoder's features agree, in part or
instead of box's own, or as points of colour at the places that agree most. Prints Markdown; differences in
CIEDE2000 are to box alone, paired over photos.
"""

import sys
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, normalize, pad

from colorization import build
from colorization.color import lab
from colorization.color.transport import statistics, transported
from colorization.compose import composed
from colorization.data.decode import to_tensor
from colorization.hints.clicks import Click
from colorization.metric.base import Pair
from colorization.metric.ciede2000 import ciede2000
from colorization.metric.psnr import psnr
from colorization.model.encoder import Normalisation, Pretrained
from colorization.painter import Painter
from colorization.picture.reading import of_picture
from colorization.reopen import open_run
from colorization.report.statistics import compare_pairs

VAL, POOL = 200, 6000
SIZE = 160  # of the network's copy
CELL = 16  # pixels of a place that is matched
SHARPNESS = 0.05  # of the soft choice among a reference's places: over cosines
SHARES = (0.25, 0.5, 1.0)
POINTS, ALIKE = 5, (0.5, 0.6, 0.7)  # how many places become points, and the cosine that they need


class Seen:
    """What ImageNet's encoder sees in a picture's grey: places (C, h, w) and the whole (C,), of length 1."""

    def __init__(self) -> None:
        pretrained = Pretrained("tf_efficientnet_lite0", "package", "model")
        self.encoder = pretrained.network()
        pretrained.start(self.encoder)
        self.encoder.eval()
        self.normalise = Normalisation(self.encoder)

    @torch.no_grad()
    def __call__(self, picture: Image.Image) -> tuple[Tensor, Tensor]:
        grey = torch.from_numpy(np.asarray(picture.convert("L").convert("RGB")) / np.float32(255))
        height, width = grey.shape[:2]
        grey = pad(grey.movedim(-1, 0)[None], (0, -width % 32, 0, -height % 32), mode="replicate")
        *_, fine, middle, coarse = self.encoder(self.normalise(grey))
        size = middle.shape[-2:]
        stages = (interpolate(fine, size=size, mode="area"), middle, interpolate(coarse, size=size))
        places = torch.cat([normalize(x - x.mean((2, 3), keepdim=True), dim=1) for x in stages], dim=1)
        places = normalize(places, dim=1)[0, :, : -(-height // CELL), : -(-width // CELL)]
        return places, normalize(coarse.mean((2, 3)), dim=1)[0]


def main(*settings: str) -> None:
    """Colour the held-out photos in every way."""
    data = build.data(composed("train", ["experiment=box", *settings]))
    pool, val = ([large(picture) for picture in data.pack(split).pictures[:count]]
                 for split, count in (("train", POOL), ("val", VAL)))  # fmt: skip
    seen, painter = Seen(), Painter(open_run("box").colorizer(), SIZE)
    wholes = torch.stack([seen(picture)[1] for picture in pool])
    rows: dict[str, list[Tensor]] = {}
    for picture in val:
        places, whole = seen(picture)
        reference = pool[int((wholes @ whole).argmax())]
        L, truth = lab.split(to_tensor(picture))[0], to_tensor(picture)
        for name, ab in colourings(painter, picture, reference, places, seen(reference)[0]).items():
            rows.setdefault(name, []).append(scores(L, ab, truth))
    print("| | PSNR, dB | CIEDE2000 | difference | 95% | p |\n|---|---:|---:|---:|---|---:|")
    alone = torch.stack(rows["box alone"])
    for name, found in rows.items():
        values = torch.stack(found)
        means = " | ".join(f"{x:.3f}" for x in values.mean(dim=0))
        (c,) = compare_pairs((values - alone)[:, 1:].numpy(), ["lower"])
        print(f"| {name} | {means} | {c.difference:+.3f} | {c.low:+.3f} to {c.high:+.3f} | {c.p:.4f} |")


def colourings(
    painter: Painter, picture: Image.Image, reference: Image.Image, places: Tensor, others: Tensor
) -> dict[str, Tensor]:
    """Ab (1, 2, H, W) of a picture by each way."""
    original = of_picture(picture)
    _, alone = painter.found(original)
    _, colours = lab.split(to_tensor(reference))
    alike = places.flatten(1).T @ others.flatten(1)
    small = interpolate(colours, size=others.shape[-2:], mode="area").flatten(2)[0]
    matched = (small @ (alike / SHARPNESS).softmax(dim=1).T).unflatten(1, places.shape[1:])[None]
    matched = interpolate(matched, size=alone.shape[-2:], mode="bilinear")
    made = {"box alone": alone, "as a whole": transported(alone, statistics(colours[0]))}
    made |= {f"matched, {share:.0%} of it": alone.lerp(matched, share) for share in SHARES}
    for least in ALIKE:
        clicks = points(picture, alike, small, places.shape[-1], least)
        told = replace(painter, clicks=clicks).found(original)[1] if clicks else alone
        made[f"{POINTS} points, cosine {least}"] = told
    return made


def points(picture: Image.Image, alike: Tensor, colours: Tensor, width: int, least: float) -> list[Click]:
    """The places that agree most, each the other's nearest, with the reference's colour."""
    best, back = alike.max(dim=1), alike.argmax(dim=0)
    mutual = [i for i in range(len(alike)) if back[best.indices[i]] == i and best.values[i] >= least]
    L = lab.split(to_tensor(picture))[0]
    found = []
    for i in sorted(mutual, key=lambda i: -float(best.values[i]))[:POINTS]:
        y, x = (min(CELL * place + CELL // 2, SIZE - 1) for place in divmod(i, width))
        ab = colours[:, best.indices[i]].reshape(1, 2, 1, 1)
        rgb = lab.to_uint8(lab.merge(L[..., y : y + 1, x : x + 1], ab)).flatten().tolist()
        found.append(Click(x, y, (rgb[0], rgb[1], rgb[2]), 9))
    return found


def scores(L: Tensor, ab: Tensor, truth: Tensor) -> Tensor:
    """PSNR and CIEDE2000, (2,)."""
    pair = Pair(lab.quantize(lab.merge(L, ab)), truth / 255, lab.rgb_to_lab(truth))
    return torch.cat([psnr(pair), ciede2000(pair)])


def large(picture: np.ndarray) -> Image.Image:
    """A packed square at the size that the network sees."""
    return Image.fromarray(np.array(picture)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)


if __name__ == "__main__":
    main(*sys.argv[1:])
