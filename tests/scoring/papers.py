"""What the code of the protocols' papers prints, told a second time.

    python -m tests.scoring.papers PHOTOS [NAME]...    the program's numbers | their code's (difference)

The files that are followed are named in conf/protocol/NAME.yaml. What a network predicts is the true ab times
0 (grey), 0.5 or 1.8, of which the last leaves sRGB. Pictures are (H, W, 3), 0..255.
"""

import sys
from collections.abc import Collection
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from scipy.ndimage import map_coordinates
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from colorization import build
from colorization.color import lab
from colorization.compose import composed
from colorization.config import options
from colorization.data.decode import open_square
from colorization.protocol import Protocol
from colorization.scorer import Scorer

FACTORS = (0.0, 0.5, 1.8)
SIZE = 96  # of v1 and pooled, which leave it to the data
WEIGHTS = [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
WHITE = torch.tensor([0.95047, 1, 1.08883])[:, None, None]
CONVERTED = ("chromagan_224", "ctest10k_256", "ddcolor_256")  # whose truth goes through Lab, too


@cache
def protocol(name: str) -> Protocol:
    """A protocol as the program has it."""
    return build.protocol(composed("evaluate", [f"protocol={name}"]))


def ours(name: str, pictures: list[Path], factor: float, shorts: Collection[str]) -> dict[str, float]:
    """What the program reports under a protocol, by these short names."""
    chosen = protocol(name)
    reported = {short: metric for short, metric in chosen.reported.items() if short in shorts}
    scorer = Scorer(chosen, {metric: chosen.metrics[metric] for metric in reported.values()})
    for i, path in enumerate(pictures):
        square = open_square(path, chosen.size or SIZE, geometry=chosen.geometry)[0]
        truth = torch.from_numpy(square.copy()).movedim(-1, 0)[None]
        scorer.add([i], truth, lab.split(truth)[1] * factor)
    scores = scorer.result().model
    numbers = scores.means | scores.sets
    return {short: numbers[metric] for short, metric in reported.items()}


def theirs(name: str, pictures: list[Path], factor: float, stored: bool = False) -> dict[str, float]:
    """What the paper's code prints, means over pictures; `stored`: the truth stays as it was read."""
    settings = {"stored": stored} if name in CONVERTED else {}
    tell = v1 if name == "pooled" else globals()[name]
    rows = [row for path in pictures if (row := tell(path, factor, **settings))]
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    if name == "pooled":
        means["psnr"] = 10 * np.log10(255**2 / means["squared"])
    return means


def stretched(path, size):
    """PIL's antialiased bilinear filter, as torchvision's Resize((size, size))."""
    return np.asarray(Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BILINEAR))


def interpolated(path, size):
    """OpenCV's INTER_LINEAR in floating point: half-pixel centres, edges repeated."""
    whole = np.asarray(Image.open(path).convert("RGB")).astype(float)
    rows, columns = ((np.arange(size) + 0.5) * full / size - 0.5 for full in whole.shape[:2])
    grid = np.meshgrid(rows, columns, indexing="ij")
    channels = [map_coordinates(whole[..., c], grid, order=1, mode="nearest") for c in range(3)]
    return np.stack(channels, axis=-1)


def coloured(picture, factor):
    """The same lightness, ab times a factor, R, G and B clipped, not rounded."""
    return levels(rgb2lab(picture / 255) * [1, factor, factor])


def levels(colours):
    return 255 * lab2rgb(colours).clip(0, 1)


def decibel(predicted, truth, cap=60.0):
    error = np.mean((predicted.astype(float) - truth) ** 2)
    return min(cap, 10 * np.log10(255**2 / error)) if error else cap


def gaussian_ssim(predicted, truth):
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    return structural_similarity(predicted, truth, channel_axis=-1, **settings)


def colorfulness(picture, absolute):
    r, g, b = picture.reshape(-1, 3).astype(float).T
    opponents = [r - g, 0.5 * (r + g) - b]
    if absolute:
        opponents = [np.absolute(opponent) for opponent in opponents]
    spread, mean = (np.hypot(*(f(opponent) for opponent in opponents)) for f in (np.std, np.mean))
    return spread + 0.3 * mean


def mean_chroma(picture):
    return np.hypot(*rgb2lab(picture)[..., 1:].reshape(-1, 2).T).mean()


def in_gamut(colours):
    """Outside sRGB, the largest share of ab that is inside, by bisection, at the same L and hue."""
    low, high = np.zeros(colours.shape[:2]), np.ones(colours.shape[:2])
    outside = ~inside(colours)
    for _ in range(20):
        middle = (low + high) / 2
        fits = inside(colours * np.stack([np.ones_like(middle), middle, middle], axis=-1))
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    share = np.where(outside, low, 1)
    return colours * np.stack([np.ones_like(share), share, share], axis=-1)


def inside(colours):
    """Whether sRGB has the colours, to 0.4 of a level."""
    fy = (colours[..., :1] + 16) / 116
    f = np.concatenate([fy + colours[..., 1:2] / 500, fy, fy - colours[..., 2:] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 16 / 116) / 7.787) * [0.95047, 1, 1.08883]
    linear = xyz @ np.linalg.inv(WEIGHTS).T
    rgb = np.where(linear > 0.0031308, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055, 12.92 * linear)
    return ((rgb >= -0.4 / 255) & (rgb <= 1 + 0.4 / 255)).all(axis=-1)


def v1(path, factor):
    truth = np.asarray(ImageOps.fit(Image.open(path).convert("RGB"), (SIZE, SIZE), Image.Resampling.BILINEAR))
    if mean_chroma(truth) < 1:
        return None
    predicted = np.rint(levels(in_gamut(rgb2lab(truth) * [1, factor, factor])))
    return {
        "psnr": decibel(predicted, truth),
        "ssim": gaussian_ssim(predicted, truth.astype(float)),
        "ciede2000": deltaE_ciede2000(rgb2lab(truth), rgb2lab(predicted / 255)).mean(),
        "colorfulness": colorfulness(predicted, absolute=False),
        "squared": np.mean((predicted - truth) ** 2),
    }


def ct2(path, factor):
    """CT2's prediction and truth: CenterCrop and Resize, float32 Lab, truncation."""
    whole = Image.open(path).convert("RGB")
    side = min(whole.size)
    left, top = (round((full - side) / 2.0) for full in whole.size)
    square = whole.crop((left, top, left + side, top + side)).resize((256, 256), Image.Resampling.BILINEAR)
    truth = np.asarray(square)
    colours = rgb2lab(truth).astype(np.float32) * np.float32([1, factor, factor])
    return levels(colours).astype(np.uint8), truth


def val5k_256(path, factor):
    """CT2's metrics: scikit-image's PSNR, and its SSIM with data_range=225."""
    predicted, truth = ct2(path, factor)
    return {
        "psnr": peak_signal_noise_ratio(truth, predicted, data_range=255),
        "ssim": structural_similarity(truth, predicted, data_range=225, channel_axis=-1),
        "colorfulness": colorfulness(predicted, absolute=True),
    }


def ctest10k_256(path, factor, stored=False):
    """Zhang et al. 2017: prediction and truth come from Lab in PyTorch's float32, and both are truncated."""
    picture = stretched(path, 256)
    L, ab = to_lab(torch.tensor(picture).movedim(-1, 0).float() / 255).split([1, 2])
    predicted, truth = (
        (255 * from_lab(torch.cat([L, f * ab])).clamp(0, 1)).byte().movedim(0, -1).numpy()
        for f in (factor, 1)
    )
    return {"psnr": decibel(predicted, picture if stored else truth)}


def to_lab(rgb):
    """Lab of sRGB (3, H, W), each step in float32, whose last digits decide what a truncation takes."""
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = torch.stack([sum(w * c for w, c in zip(row, linear, strict=True)) for row in WEIGHTS])
    xyz = xyz / WHITE
    x, y, z = torch.where(xyz > 0.008856, xyz ** (1 / 3), 7.787 * xyz + 16 / 116)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def from_lab(colours):
    """SRGB (3, H, W) of Lab, likewise; nothing is clipped from above."""
    L, a, b = colours
    y = (L + 16) / 116
    f = torch.stack([a / 500 + y, y, (y - b / 200).clamp(min=0)])
    xyz = torch.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787) * WHITE
    rows = np.linalg.inv(WEIGHTS)
    rgb = torch.stack([sum(float(w) * c for w, c in zip(row, xyz, strict=True)) for row in rows]).clamp(min=0)
    return torch.where(rgb > 0.0031308, 1.055 * rgb ** (1 / 2.4) - 0.055, 12.92 * rgb)


def ddcolor_256(path, factor, stored=False):
    """DDColor: nothing is rounded before the end; BasicSR's PSNR and SSIM with crop_border=4."""
    picture = np.rint(interpolated(path, 256)) if stored else interpolated(path, 256)
    predicted, truth = np.rint(coloured(picture, factor)), np.rint(coloured(picture, 1))
    inner = (slice(4, -4), slice(4, -4))
    return {
        "psnr": decibel(predicted[inner], truth[inner]),
        "ssim": gaussian_ssim(predicted[inner], truth[inner]),
        "colorfulness": colorfulness(predicted, absolute=True),
    }


def chromagan_224(path, factor, stored=False):
    """ChromaGAN: tf.image's PSNR and SSIM of two pictures that come from 8-bit Lab.

    The prediction's a and b are truncated; a colour is rounded on its way into 8-bit Lab and out of it.
    """
    picture = np.rint(interpolated(path, 224))
    codes = np.rint(rgb2lab(picture / 255) * [2.55, 1, 1] + [0, 128, 128])
    found = np.floor(rgb2lab(picture / 255)[..., 1:] * factor + 128).clip(0, 255)
    predicted, truth = (
        np.rint(levels((c - [0, 128, 128]) / [2.55, 1, 1]))
        for c in (np.concatenate([codes[..., :1], found], axis=-1), codes)
    )
    truth = picture if stored else truth
    return {"psnr": decibel(predicted, truth), "ssim": gaussian_ssim(predicted, truth)}


def icolorit_224(path, factor):
    """IColoriT: save_image's rounding; a squared error of at least 1e-5; a list of grey pictures."""
    truth = stretched(path, 224)
    if mean_chroma(truth) < 1:
        return None
    predicted = np.rint(coloured(truth, factor))
    return {"psnr": -10 * np.log10(max(np.mean((predicted - truth) ** 2) / 255**2, 1e-5))}


if __name__ == "__main__":
    photos = sorted(Path(sys.argv[1]).iterdir())
    for name in sys.argv[2:] or options("protocol"):
        for factor in FACTORS:
            print(f"{name:13} ab x {factor}", end="")
            right = theirs(name, photos, factor)
            for key, value in ours(name, photos, factor, right).items():
                print(f"  {key} {value:.3f} | {right[key]:.3f} ({value - right[key]:+.3f})", end="")
            print(flush=True)
