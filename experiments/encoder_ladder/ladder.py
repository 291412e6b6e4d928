"""Train every rung of the ladder, at equal pictures (three seeds) and at equal time (one).

    python experiments/encoder_ladder/ladder.py RUNS data.root=SHARED22K data.name=shared22k

Rungs that are there already are left alone, so that it can be stopped and started again. Then:

    python -m colorization.compare RUNS/pictures/* record=experiments/encoder_ladder
"""

import subprocess
import sys
from itertools import product
from pathlib import Path

RUNGS = {
    "unet": ["model=unet", "~model.encoder_lr"],
    "scratch": ["model.weights=none", "model.encoder_lr=1"],
    "lite0": [],
    "lite1": ["model.encoder=tf_efficientnet_lite1"],
    "lite2": ["model.encoder=tf_efficientnet_lite2"],
    "frozen": ["model.encoder_lr=0"],
    "stride2": ["model.stride=2"],
    "160px": ["data.image_size=160", "protocol.size=128"],
    "width32": ["model.width=32"],
}
BUDGETS = {"pictures": [], "time": ["budget.pictures=null", "budget.time=2m"]}
SEEDS = {"pictures": (0, 1, 2), "time": (0,)}


def main(runs: Path, *more: str) -> None:
    """Train what is missing, seed by seed, so that a ladder that is stopped is a ladder of fewer seeds."""
    for seed, budget, rung in product(SEEDS["pictures"], BUDGETS, RUNGS):
        folder = runs / budget / f"{rung}_{seed}"
        if seed not in SEEDS[budget] or (folder / "metrics.json").exists():
            continue
        settings = [*RUNGS[rung], *BUDGETS[budget], f"seed={seed}", f"name={rung}_{seed}", *more]
        command = [sys.executable, "-m", "colorization.train", "experiment=encoder_ladder", *settings]
        subprocess.run([*command, f"run.dir={folder}", "logger=csv"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
