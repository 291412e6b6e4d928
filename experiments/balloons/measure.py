"""Hold a distribution over bins, and a regression beside it, against the known truth of scenes.

    python experiments/balloons/measure.py runs/CLASSIFICATION runs/REGRESSION

Prints Markdown and writes docs/balloons.jpg and docs/calibration.png. Run from the root of the checkout.
"""

import sys
from collections.abc import Iterator
from math import erfc, exp, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import one_hot

from colorization.color import lab
from colorization.color.gamut import Gamut
from colorization.data.batch import Given
from colorization.data.scenes.dataset import Scenes
from colorization.data.scenes.truth import Count, Truth, tally
from colorization.module import Colorizer
from colorization.objective.base import at_stride
from colorization.objective.classification import Classification, calibration
from colorization.reopen import open_run

SAMPLES = 8  # colourings drawn of each scene
SHOWN = 4  # scenes in the picture: the first test scenes with a balloon that can be made out
COLUMNS = ("grey", "regression", "sample 1", "sample 2", "sample 3", "original")
ZOOM = 2


class Scene(NamedTuple):
    """A test scene with what the two networks make of it.

    Attributes:
        truth: what is known.
        L: (1, 1, H, W).
        probability: (1, Q, h, w) of the classification.
        samples: (SAMPLES, H, W, 2) ab.
        regressed: (H, W, 2) ab.
    """

    truth: Truth
    L: Tensor
    probability: Tensor
    samples: np.ndarray
    regressed: np.ndarray


def main(classification: Path, regression: Path) -> None:
    """Print the tables and write the pictures."""
    opened = open_run(classification)
    classes, plain = opened.colorizer(), open_run(regression).colorizer()
    data = opened.data()
    if not isinstance(data, Scenes) or not isinstance(classes.objective, Classification):
        sys.exit(f"{classification}: this measures a run of data=scenes objective=classification")
    torch.manual_seed(0)
    seen = list(scenes(classes, plain, data))
    print(f"{len(seen)} test scenes, {SAMPLES} samples of each\n")
    print(distances(seen, classes.objective.gamut))
    print(proportions(seen))
    print(browns(seen))
    curve = reliability(seen, classes.objective.gamut)
    print(reliability_table(curve))
    plot(curve, Path("docs/calibration.png"))
    sheet(seen, Path("docs/balloons.jpg"))


@torch.no_grad()
def scenes(classes: Colorizer, plain: Colorizer, data: Scenes) -> Iterator[Scene]:
    """Every test scene."""
    objective = classes.objective
    assert isinstance(objective, Classification)
    for truth in data.truths("test"):
        L, _ = lab.split(torch.from_numpy(truth.picture()).movedim(-1, 0)[None])
        yield Scene(
            truth,
            L,
            objective.distribution(classes.network, Given(L)).p,
            objective.sample(classes.network, Given(L), SAMPLES)[:, 0].movedim(1, -1).numpy(),
            plain.objective.predict(plain.network, Given(L))[0].movedim(0, -1).numpy(),
        )


def true_distribution(scene: Scene, gamut: Gamut) -> tuple[Tensor, Tensor]:
    """The true probability of each bin, (Q, h, w), and whether a position is ambiguous, (h, w).

    Alternatives are rounded to 8 bits first, as the pictures that were learnt from are.
    """
    truth = scene.truth
    rgb = torch.from_numpy(np.stack([truth.picture(ab) for ab in truth.ab])).movedim(-1, 1)
    stride = rgb.shape[-1] // scene.probability.shape[-1]
    bins = gamut.nearest(at_stride(lab.split(rgb)[1], stride))
    share = at_stride(torch.from_numpy(truth.probability)[:, None], stride)
    dense = (one_hot(bins, len(gamut)).movedim(-1, 1) * share).sum(dim=0)
    ambiguous = at_stride(torch.from_numpy(truth.object_id)[None, None].float(), stride)[0, 0] > 0
    return dense, ambiguous


def distances(seen: list[Scene], gamut: Gamut) -> str:
    """Cross-entropy, its floor and the difference, KL(truth || model), in bits per position."""
    rows = []
    for scene in seen:
        p, ambiguous = true_distribution(scene, gamut)
        floor = -(p * p.clamp(min=1e-12).log2()).sum(dim=0)
        cross = -(p * scene.probability[0].clamp(min=1e-12).log2()).sum(dim=0)
        rows.append(torch.stack([cross, floor, ambiguous.float()]).flatten(1))
    cross, floor, ambiguous = torch.cat(rows, dim=1).double()
    lines = [
        "| bits per position | model | floor (entropy of the truth) | KL(truth to model) |",
        "|---|---|---|---|",
    ]
    for name, chosen in (("all", ambiguous >= 0), ("certain", ambiguous == 0), ("ambiguous", ambiguous == 1)):
        c, f = cross[chosen].mean(), floor[chosen].mean()
        lines.append(f"| {name} ({chosen.double().mean():.1%}) | {c:.3f} | {f:.3f} | {c - f:.3f} |")
    return "\n".join(lines) + "\n"


def proportions(seen: list[Scene]) -> str:
    """How often each alternative came out of the samples, beside how often it should."""
    counts = tally((scene.truth, ab) for scene in seen for ab in scene.samples)
    lines = [
        "| object | drawn | alternative: drawn (true) | p (chi-square) |",
        "|---|---|---|---|",
    ]
    for kind, alternatives in sorted(counts.items()):
        total = sum(count.seen for count in alternatives.values())
        shares = ", ".join(
            f"{k} {c.seen / total:.3f} ({c.expected / total:.3f})" for k, c in alternatives.items()
        )
        lines.append(f"| {kind} | {total} | {shares} | {chi_square_p(list(alternatives.values())):.3f} |")
    return "\n".join(lines) + "\n"


def chi_square_p(counts: list[Count]) -> float:
    """Pearson's p-value for two or three alternatives, where it has a closed form."""
    x = sum((c.seen - c.expected) ** 2 / c.expected for c in counts)
    return erfc(sqrt(x / 2)) if len(counts) == 2 else exp(-x / 2)


def browns(seen: list[Scene]) -> str:
    """How far balloons are coloured from the nearest of their colours, and from the mean of all three."""
    lines = [
        "| balloons | chroma | ab distance to the nearest alternative | to the conditional mean |",
        "|---|---|---|---|",
    ]
    for name in ("truth", "regression", "samples"):
        rows = np.concatenate([row for scene in seen for row in balloon_pixels(scene, name)])
        chroma, nearest, mean = rows.mean(axis=0)
        lines.append(f"| {name} | {chroma:.1f} | {nearest:.1f} | {mean:.1f} |")
    return "\n".join(lines) + "\n"


def balloon_pixels(scene: Scene, name: str) -> Iterator[np.ndarray]:
    """Chroma, distance to the nearest alternative and to the mean, (pixels, 3), of each colouring."""
    truth = scene.truth
    mask = balloons(truth)
    drawn = {"truth": [truth.colour(truth.taken)], "regression": [scene.regressed], "samples": scene.samples}
    alternatives, mean = truth.ab[:, mask], truth.mean()[mask]
    for ab in drawn[name]:
        nearest = np.linalg.norm(alternatives - ab[mask], axis=-1).min(axis=0)
        yield np.stack(
            [np.linalg.norm(ab[mask], axis=-1), nearest, np.linalg.norm(ab[mask] - mean, axis=-1)], axis=1
        )


def balloons(truth: Truth) -> np.ndarray:
    """(H, W) bool: where a balloon is seen."""
    numbers = [n for n, choice in enumerate(truth.objects, start=1) if choice.kind == "balloon"]
    return np.isin(truth.object_id, numbers)


def reliability(seen: list[Scene], gamut: Gamut) -> Tensor:
    """The reliability curve where colour is ambiguous, (10, 3); see `calibration`."""
    forecast, came_true = [], []
    for scene in seen:
        p, ambiguous = true_distribution(scene, gamut)
        forecast.append(scene.probability[0][:, ambiguous])
        came_true.append(p[:, ambiguous])
    columns = [torch.cat(parts, dim=1)[None, :, :, None] for parts in (forecast, came_true)]
    return calibration(*columns)


def reliability_table(curve: Tensor) -> str:
    """The curve as Markdown."""
    lines = ["| forecast | came true | forecasts |", "|---|---|---|"]
    lines += [f"| {p:.3f} | {share:.3f} | {int(count)} |" for p, share, count in curve.tolist() if count]
    return "\n".join(lines) + "\n"


def plot(curve: Tensor, path: Path) -> None:
    """The curve beside the diagonal."""
    curve = curve[curve[:, 2] > 0]
    figure = Figure(figsize=(3.6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(curve[:, 0], curve[:, 1], "o-", color="tab:blue", markersize=4)
    axes.set(xlabel="probability forecast for a colour", ylabel="share that came true", aspect="equal")
    figure.savefig(path, dpi=150)


def sheet(seen: list[Scene], path: Path) -> None:
    """The first scenes with a balloon: grey, regression, three samples, original."""
    shown = [scene for scene in seen if balloons(scene.truth).mean() > 0.01][:SHOWN]
    side = shown[0].L.shape[-1] * ZOOM
    gap, head = 4, 20
    whole = Image.new(
        "RGB", (len(COLUMNS) * (side + gap) - gap, head + len(shown) * (side + gap) - gap), "white"
    )
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for j, name in enumerate(COLUMNS):
        draw.text((j * (side + gap) + side / 2, head / 2), name, "black", font, anchor="mm")
    for i, scene in enumerate(shown):
        for j, ab in enumerate([0 * scene.regressed, scene.regressed, *scene.samples[:3], None]):
            cell = Image.fromarray(coloured(scene, ab)).resize((side, side), Image.Resampling.BICUBIC)
            whole.paste(cell, (j * (side + gap), head + i * (side + gap)))
    whole.save(path, quality=90)


def coloured(scene: Scene, ab: np.ndarray | None) -> np.ndarray:
    """(H, W, 3) uint8: the scene's lightness under ab (H, W, 2), or the scene itself."""
    if ab is None:
        return scene.truth.picture()
    rgb = lab.merge(scene.L, torch.from_numpy(ab).movedim(-1, 0)[None])
    return lab.to_uint8(rgb)[0].movedim(0, -1).numpy()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
