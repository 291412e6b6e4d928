"""Every metric of pixels against a second implementation: python -m benchmarks.metrics [ZIP] [PICTURES]

Photos of the zip, or made pictures, at 256 x 256, in three colourings each: none, half the saturation, and
the true one at 16 x 16. The second table tells what those score.
"""

import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmarks.pictures import photos
from benchmarks.timing import medians
from colorization import build
from colorization.color import lab
from colorization.compose import composed
from colorization.data.decode import open_square
from colorization.metric.base import Metric, Pair
from colorization.scoring.baselines import colourings

SIDE = 256
SHOWN = ("grey", "half_saturation", "ab_16x16")
Reference = Callable[[np.ndarray, np.ndarray], float]  # prediction and truth, (H, W, 3) in 0..1


def ssim(**settings: object) -> Reference:
    return lambda p, t: structural_similarity(t, p, channel_axis=-1, **settings)


def hasler(rgb: np.ndarray, absolute: bool = False) -> float:
    r, g, b = np.moveaxis(255 * rgb, -1, 0)
    rg, yb = r - g, (r + g) / 2 - b
    if absolute:
        rg, yb = np.abs(rg), np.abs(yb)
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def differences(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return deltaE_ciede2000(rgb2lab(t), rgb2lab(p))


def distances(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.linalg.norm((rgb2lab(p) - rgb2lab(t))[..., 1:], axis=-1)


def ab_8_bit(rgb: np.ndarray) -> np.ndarray:
    return np.clip(np.round(rgb2lab(rgb)[..., 1:] + 128), 0, 255)


def area(p: np.ndarray, t: np.ndarray) -> float:
    apart = distances(p, t)
    shares = [np.mean(apart <= threshold) for threshold in range(151)]
    return 100 * float(np.trapezoid(shares)) / 150


GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
REFERENCES: dict[str, tuple[str, Reference]] = {
    "psnr": ("scikit-image", lambda p, t: min(60.0, peak_signal_noise_ratio(t, p, data_range=1.0))),
    "psnr_ab": ("NumPy", lambda p, t: peak_signal_noise_ratio(ab_8_bit(t), ab_8_bit(p), data_range=255)),
    "ssim": ("scikit-image", ssim(data_range=1.0, **GAUSSIAN)),
    "ssim_uniform": ("scikit-image", ssim(data_range=1.0)),
    "ssim_225": ("scikit-image", ssim(data_range=225 / 255)),
    "ciede2000": ("scikit-image", lambda p, t: differences(p, t).mean()),
    "ciede2000_p90": ("scikit-image, NumPy", lambda p, t: np.percentile(differences(p, t), 90)),
    "colorfulness": ("NumPy", lambda p, t: hasler(p)),
    "colorfulness_abs": ("NumPy", lambda p, t: hasler(p, absolute=True)),
    "colorfulness_error": ("NumPy", lambda p, t: abs(hasler(p) - hasler(t))),
    "chroma": ("scikit-image", lambda p, t: np.hypot(*rgb2lab(p)[..., 1:].T).mean()),
    "ab_mae": ("scikit-image", lambda p, t: np.abs((rgb2lab(p) - rgb2lab(t))[..., 1:]).mean()),
    "ab_rmse": ("scikit-image", lambda p, t: np.sqrt(np.mean(distances(p, t) ** 2) / 2)),
    "auc": ("151 thresholds, trapezoids", area),
}


def main(archive: str | None = None, count: int = 50) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        truth = shown(Path(archive) if archive else photos(Path(folder), count), count)
    L, ab = lab.split(truth)
    pairs = {
        name: Pair(lab.quantize(lab.merge(*colouring(L, ab))), truth / 255)
        for name, colouring in colourings(None).items()
        if name in SHOWN
    }
    metrics = build.metrics(composed("evaluate", ["run=none", "metric=[pixels]"]))
    agreement(metrics, list(pairs.values()))
    scores(metrics, pairs)
    speed(metrics, truth)


def shown(archive: Path, count: int) -> torch.Tensor:
    """The first pictures of a zip, (N, 3, SIDE, SIDE) uint8."""
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.lower().endswith((".jpg", ".png")))[:count]
        squares = [open_square(file.read(name), SIDE, name)[0] for name in names]
    return torch.from_numpy(np.stack(squares)).movedim(-1, 1)


def agreement(metrics: dict, pairs: list[Pair]) -> None:
    print(f"### Agreement, {sum(len(pair.truth) for pair in pairs)} pictures of {SIDE} x {SIDE}\n")
    print("| metric | reference | largest difference | of a mean of |\n|---|---|---:|---:|")
    sides = [
        zip(*(x.movedim(1, -1).double().numpy() for x in (p.predicted, p.truth)), strict=True) for p in pairs
    ]
    arrays = [both for side in sides for both in side]
    for name, (said, reference) in REFERENCES.items():
        found = torch.cat([metrics[name](pair) for pair in pairs]).double().numpy()
        worst = np.abs(found - [reference(*both) for both in arrays]).max()
        print(f"| `{name}` | {said} | {worst:.1e} | {found.mean():.3f} |")


def scores(metrics: dict, pairs: dict[str, Pair]) -> None:
    print(f"\n### What colourings score\n\n| metric | {' | '.join(pairs)} |\n|---|{'---:|' * len(pairs)}")
    for name, metric in metrics.items():
        print(f"| `{name}` | " + " | ".join(f"{score(metric, pair):.3f}" for pair in pairs.values()) + " |")


def score(metric: object, pair: Pair) -> float:
    if isinstance(metric, Metric):
        return float(metric(pair).mean())
    metric.reset()
    metric.update(pair)
    return metric.compute()


def speed(metrics: dict, truth: torch.Tensor) -> None:
    """The whole list and what every run is scored by, Lab included, at 128 x 128."""
    small = truth[:32, :, ::2, ::2].contiguous() / 255
    default = composed("evaluate", ["run=none", "metric=[default]"]).metric
    # five scales need larger pictures than these
    lists = {"pixels": [name for name in metrics if name != "ms_ssim"], "default": list(default)}

    def measure(names: list[str]) -> None:
        pair = Pair(small.flip(0), small)
        for name in names:
            metrics[name](pair) if isinstance(metrics[name], Metric) else metrics[name].update(pair)

    spans = medians({name: lambda names=names: measure(names) for name, names in lists.items()}, rounds=9)
    print("\n### Time at 128 x 128, one core\n\n| list | metrics | ms per picture |\n|---|---:|---:|")
    for name, span in spans.items():
        print(f"| `{name}` | {len(lists[name])} | {1e3 * span / len(small):.2f} |")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:]))
