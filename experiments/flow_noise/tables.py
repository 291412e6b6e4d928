"""What steps are worth to colourings that are drawn in steps, and how they stand to the truth of scenes.

    python experiments/flow_noise/tables.py runs/RUN/evaluation/NAME

Prints Markdown of an evaluation with samples=N steps_curve=true, and writes docs/steps.png. Run from the root
of the checkout.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

SHOWN = {
    "energy_score": "energy score, CIE",
    "ciede2000_best_of_1": "CIEDE2000 of one",
    "ciede2000_best_of_5": "of the best of 5",
    "diversity": "diversity, dE00",
    "large_share": "of it in large regions",
    "seconds": "seconds each",
}


def main(evaluation: Path) -> None:
    """Print the tables and write the figure."""
    summary = json.loads((evaluation / "summary.json").read_text(encoding="utf-8"))
    count, data, split = (summary[key] for key in ("pictures", "data", "split"))
    print(f"{count} pictures of {data} {split}, {summary['samples']} samples\n")
    if curve := summary.get("steps_curve"):
        print(steps_table(curve))
        plot(curve, Path("docs/steps.png"))
    if "objects" in summary:
        print(f"energy distance to the truth: {summary['metrics']['energy_distance']:.3f}\n")
        print(objects_table(summary["objects"]))
        print(calibration_table(summary["calibration"]))


def steps_table(curve: Mapping[str, Mapping[str, float]]) -> str:
    """A row for each number of steps."""
    names = [name for name in SHOWN if name in next(iter(curve.values()))]
    lines = [f"| steps | {' | '.join(SHOWN[name] for name in names)} |", "|---" * (len(names) + 1) + "|"]
    for steps, numbers in curve.items():
        lines.append(f"| {steps} | {' | '.join(f'{numbers[name]:.3f}' for name in names)} |")
    return "\n".join(lines) + "\n"


def objects_table(objects: Mapping[str, Any]) -> str:
    """How often each alternative was drawn, beside how often it should be."""
    lines = ["| object | drawn | alternative: drawn (true) | p (chi-square) |", "|---|---|---|---|"]
    for kind, of in objects.items():
        shares = ", ".join(f"{name} {of['share'][name]:.3f} ({of['true'][name]:.3f})" for name in of["share"])
        lines.append(f"| {kind} | {of['drawn']} | {shares} | {of['p']:.3f} |")
    return "\n".join(lines) + "\n"


def calibration_table(curve: list[list[float]]) -> str:
    """The share of an object's samples that took a colour, beside the colour's true probability."""
    lines = ["| share of samples | true probability | forecasts |", "|---|---|---|"]
    lines += [f"| {share:.3f} | {true:.3f} | {int(count)} |" for share, true, count in curve]
    return "\n".join(lines) + "\n"


def plot(curve: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Energy score and diversity against steps."""
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("energy_score", "diversity"), strict=True):
        axes.plot(list(curve), [numbers[name] for numbers in curve.values()], "o-", markersize=4)
        axes.set(xlabel="steps", ylabel=SHOWN[name])
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
