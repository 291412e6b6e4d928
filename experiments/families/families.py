"""Train every family for the same time, score what each draws, and print what it bought.

    python experiments/families/families.py RUNS data.root=SHARED22K data.name=shared22k

What is there already is left alone: it can be stopped and started again. Prints Markdown, the mean over
seeds, and writes docs/families.png. Run from the root of the checkout.
"""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from matplotlib.figure import Figure


class Family(NamedTuple):
    """Its settings of train, and the decodings in which it is scored."""

    settings: tuple[str, ...] = ()
    decodings: tuple[tuple[str, ...], ...] = ((),)


DRAWN = ("samples=8",)
FAMILIES = {
    "regression": Family(("objective.loss=l1",)),
    "classification": Family(("objective=classification",), (DRAWN,)),
    "joint": Family(("objective=joint", "model.classes=529"), (DRAWN,)),
    "adversarial": Family(("objective=adversarial", "objective.generator.loss=l1")),
    "ddcolor": Family(("model=ddcolor", "model.width=128", "model.stride=4", "objective.loss=l1")),
    "flow": Family(
        ("objective=flow",), tuple((*DRAWN, f"steps={steps}", "solver=euler") for steps in (1, 4, 16))
    ),
    "autoregressive": Family(("objective=autoregressive",), (DRAWN,)),
}
SEEDS = (0, 1)
PICTURES = 200  # on which what is drawn is scored
SHOWN = ("psnr", "ciede2000", "colorfulness", "ciede2000_best_of_5", "diversity", "energy_score")


def main(runs: Path, *more: str) -> None:
    """Train and score what is missing, seed by seed; then the table and the figure."""
    rows: dict[str, list[dict[str, float]]] = {}
    for seed, (name, family) in product(SEEDS, FAMILIES.items()):
        folder = runs / f"{name}_{seed}"
        if not (folder / "metrics.json").exists():
            settings = (*family.settings, f"seed={seed}", f"name={folder.name}", *more)
            command("train", "experiment=families", *settings, f"run.dir={folder}")
        for decoding in family.decodings:
            label = " ".join((name, *(line for line in decoding if line.startswith("steps="))))
            rows.setdefault(label, []).append(scored(folder, decoding))
    print(f"{PICTURES} pictures; means over {len(SEEDS)} seeds\n")
    print(table(rows))
    plot(rows, Path("docs/families.png"))


def scored(folder: Path, decoding: tuple[str, ...]) -> dict[str, float]:
    """What a run scores so decoded, from the evaluation that is there or a new one."""
    out = folder / "-".join(("scored", *decoding)).replace("=", "")
    if not (found := list(out.glob("evaluation/*/summary.json"))):
        settings = (f"run={folder}", f"pictures={PICTURES}", "leaks=false", *decoding, f"out={out}")
        command("evaluate", *settings)
        found = list(out.glob("evaluation/*/summary.json"))
    numbers: dict[str, float] = json.loads(found[0].read_text(encoding="utf-8"))["metrics"]
    return numbers


def command(name: str, *settings: str) -> None:
    """Run one of ours to its end."""
    subprocess.run([sys.executable, "-m", f"colorization.{name}", *settings], check=True)


def table(rows: dict[str, list[dict[str, float]]]) -> str:
    """Markdown, a row for each family and decoding."""
    lines = [f"| | {' | '.join(SHOWN)} |", "|---|" + "---:|" * len(SHOWN)]
    for label, seeds in rows.items():
        cells = [f"{mean(s[name] for s in seeds):.3f}" if name in seeds[0] else "" for name in SHOWN]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(rows: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Accuracy against colour; the larger a dot, the more the drawn colourings of a picture differ."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for label, seeds in rows.items():
        x, y, differ = (
            mean(s.get(name, 0.0) for s in seeds) for name in ("colorfulness", "ciede2000", "diversity")
        )
        axes.scatter(x, y, s=30 + 20 * differ)
        axes.annotate(label, (x, y), xytext=(6, 4), textcoords="offset points", fontsize=8)
    axes.set(xlabel="colorfulness", ylabel="CIEDE2000 (less is better)")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
