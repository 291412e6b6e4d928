"""The numbers of an evaluation by kind of picture: python experiments/box/kinds.py EVALUATION

EVALUATION is what `evaluate split=val` wrote of the photos that were held out of training. The sets that the
photos come from lie in ranges of numbers.
"""

import sys
from pathlib import Path

import numpy as np

from colorization.files import read_csv
from colorization.report.statistics import interval

KINDS = {
    "outdoor scenes and objects": (0, 800_000),
    "people": (800_001, 802_292),
    "rooms": (804_443, 805_202),
    "groceries": (805_203, 805_522),
    "cats and dogs": (805_523, 805_952),
    "flowers": (805_953, 806_382),
}
METRICS = ("psnr", "ciede2000", "colorfulness", "colorfulness_truth")


def main(evaluation: Path) -> None:
    """Print Markdown, with bootstrap 95% intervals over the pictures."""
    rows = read_csv(evaluation / "pictures.csv")
    print("| kind | photos | " + " | ".join(METRICS) + " |\n|---|" + "---:|" * (1 + len(METRICS)))
    for kind, (first, last) in KINDS.items():
        chosen = [row for row in rows if first <= int(Path(row["name"]).stem) <= last]
        if chosen:
            cells = [cell([float(row[metric]) for row in chosen]) for metric in METRICS]
            print(f"| {kind} | {len(chosen)} | {' | '.join(cells)} |")


def cell(values: list[float]) -> str:
    """The mean and half its interval."""
    low, high = interval(np.array(values)[:, None])[:, 0]
    return f"{np.mean(values):.2f} ± {(high - low) / 2:.2f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
