"""What beats a mere gain: accuracy over colorfulness, for several ways of making a mean vivid.

    python experiments/vivid/curve.py RUN

RUN has objective=joint. Each way has one strength; it is sought on every fifth photo so that the mean
colorfulness is a share of the truth's. The way is then scored on the run's validation photos, on every second
row and column, from one forward of each; nothing is chosen on test photos. Differences in CIEDE2000 are to
the gain of the mean, paired over photos. Writes curve.json and curve.png beside this file.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from colorization.color import lab
from colorization.data.batch import Given
from colorization.metric.base import Pair
from colorization.metric.chroma import is_grey
from colorization.metric.ciede2000 import ciede2000
from colorization.metric.colorfulness import colorfulness
from colorization.metric.psnr import psnr
from colorization.objective.base import upsample
from colorization.objective.joint import Joint
from colorization.reopen import open_run
from colorization.report.statistics import compare_pairs, correct

SHARES = (0.7, 0.85, 1.0)  # of the truth's mean colorfulness
TEMPERATURES = (0.38, 0.7, 1.0)
BATCH, EVERY, HALVINGS = 20, 5, 9
Way = Callable[[float], Tensor]


class Photos:
    """What one forward gives of the validation photos, on every second row and column."""

    def __init__(self, run: str):
        opened = open_run(run)
        colorizer, pictures = opened.colorizer(), opened.data().pack("val").pictures
        objective, blocks = colorizer.objective, []
        if not isinstance(objective, Joint):
            raise SystemExit(f"{run}: give a run of objective=joint, which has a mean and a distribution")
        for start in range(0, len(pictures), BATCH):
            truth = torch.from_numpy(np.array(pictures[start : start + BATCH])).movedim(-1, 1)
            L, _ = lab.split(truth)
            heads = objective._heads(colorizer.network, Given(L, colorizer.hints.blank(L)))
            means = [objective.gamut.mean(heads.logits, T) for T in TEMPERATURES]
            planes = [heads.ab, *(upsample(ab, heads.stride, L) for ab in means)]
            keep = ~is_grey(Pair(truth / 255, truth / 255))
            blocks.append([plane[keep][..., 1::2, 1::2] for plane in (truth, L, *planes)])
        self.truth, self.L, self.mean, *annealed = (torch.cat(part) for part in zip(*blocks, strict=True))
        self.annealed = dict(zip(TEMPERATURES, annealed, strict=True))

    def ways(self) -> dict[str, Way]:
        """Strength -> ab, by name."""
        chroma = self.mean.norm(dim=1, keepdim=True).clamp(min=1e-3)
        inside = chroma / chroma.mean(dim=(2, 3), keepdim=True)
        ways: dict[str, Way] = {"mean, gain": lambda s: self.mean * s}
        ways |= {f"T = {T}, gain": lambda s, ab=ab: ab * s for T, ab in self.annealed.items()}
        ways |= {
            f"chroma ** {power}": lambda s, power=power: self.mean * s * (chroma / 15) ** (power - 1)
            for power in (1.5, 2.0)
        }
        for power in (1.5, 2.0):  # on the way to it as vivid goes: 1 + vivid * (end - 1)
            end = self.sought(lambda s, power=power: self.mean * s * inside ** (power - 1), 1.0)
            ways[f"chroma ** {power} inside a picture"] = lambda s, power=power, end=end: (
                self.mean * (1 + s / 4 * (end * inside ** (power - 1) - 1))
            )
        return ways

    def sought(self, way: Way, share: float) -> float:
        """The strength at which the mean colorfulness is that share of the truth's."""
        wanted, low, high = share * float(colorfulness(self.truth[::EVERY] / 255).mean()), 0.0, 12.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            rgb = lab.quantize(lab.merge(self.L[::EVERY], way(middle)[::EVERY]))
            low, high = (middle, high) if float(colorfulness(rgb).mean()) < wanted else (low, middle)
        return (low + high) / 2

    def scored(self, ab: Tensor) -> dict[str, np.ndarray]:
        """Numbers of each photo, (N,)."""
        rows = []
        for start in range(0, len(ab), BATCH):
            part = slice(start, start + BATCH)
            pair = Pair(lab.quantize(lab.merge(self.L[part], ab[part])), self.truth[part] / 255)
            rows.append(torch.stack([psnr(pair), ciede2000(pair), colorfulness(pair.predicted)]))
        return dict(zip(("psnr", "ciede2000", "colorfulness"), torch.cat(rows, dim=1).numpy(), strict=True))


@torch.no_grad()
def main(run: str) -> None:
    """Score every way at every share, test it, write and draw."""
    photos, folder = Photos(run), Path(__file__).parent
    truth = colorfulness(photos.truth / 255).numpy()
    points, columns, ways = [], [], photos.ways()
    for share in SHARES:
        plain = None
        for name, way in ways.items():
            strength = photos.sought(way, share)
            found = photos.scored(way(strength))
            plain = found if plain is None else plain
            means = {metric: float(values.mean()) for metric, values in found.items()}
            means["colorfulness_error"] = float(np.abs(found["colorfulness"] - truth).mean())
            points.append({"way": name, "share": share, "strength": strength, **means})
            columns.append(found["ciede2000"] - plain["ciede2000"])
            print(share, f"{name:32}", *(f"{k} {v:.3f}" for k, v in means.items()), flush=True)
    tests = correct(compare_pairs(np.stack(columns, axis=1), ["lower"] * len(columns)))
    for point, test in zip(points, tests, strict=True):
        point["against_gain"] = vars(test)
    told = {"photos": len(truth), "truth": float(truth.mean()), "points": points}
    (folder / "curve.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    draw(points, folder / "curve.png")


def draw(points: list[dict], path: Path) -> None:
    """CIEDE2000 and PSNR over colorfulness, one line for each way."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2), ("ciede2000", "psnr"), strict=True):
        for name in dict.fromkeys(point["way"] for point in points):
            line = sorted((p["colorfulness"], p[metric]) for p in points if p["way"] == name)
            axes.plot(*zip(*line, strict=True), marker="o", markersize=3, label=name)
        axes.set(
            xlabel="mean colorfulness, M3", ylabel={"ciede2000": "CIEDE2000", "psnr": "PSNR, dB"}[metric]
        )
    figure.axes[0].legend(fontsize=7)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main(sys.argv[1])
