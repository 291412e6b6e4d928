"""Train every rung of the ladder, for three seeds, at equal pictures and at equal time.

    python experiments/encoder_ladder/ladder.py RUNS data.root=SHARED22K data.name=shared22k

Rungs that are there already are left alone, so that it can be stopped and started again. Then:

    python -m colorization.compare RUNS/pictures/* record=experiments/encoder_ladder
"""

import subprocess
import sys
from pathlib import Path

RUNGS = {
    "unet": ["model=unet"],
    "scratch": ["model.weights=none"],
    "lite0": [],
    "lite1": ["model.encoder=tf_efficientnet_lite1"],
    "lite2": ["model.encoder=tf_efficientnet_lite2"],
    "frozen": ["model.encoder_lr=0"],
    "stride2": ["model.stride=2"],
    "160px": ["data.image_size=160", "protocol.size=128"],
    "width32": ["model.width=32"],
}
BUDGETS = {"pictures": [], "time": ["budget.pictures=null", "budget.time=8m"]}
SEEDS = (0, 1, 2)


def main(runs: Path, *more: str) -> None:
    """Train what is missing, seed by seed, so that a ladder that is stopped is a ladder of fewer seeds."""
    for seed in SEEDS:
        for budget, spent in BUDGETS.items():
            for rung, settings in RUNGS.items():
                folder = runs / budget / f"{rung}_{seed}"
                if (folder / "metrics.json").exists():
                    continue
                words = ["experiment=encoder_ladder", *settings, *spent, f"seed={seed}", *more]
                command = [sys.executable, "-m", "colorization.train", *words, f"name={rung}_{seed}"]
                subprocess.run([*command, f"run.dir={folder}", "logger=csv"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
