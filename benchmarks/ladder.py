"""What each rung of experiments/encoder_ladder costs per picture, side by side: python -m benchmarks.ladder

The network's forward alone, and a training step as `train` takes it, on one thread. The rungs take turns, and
CPU time is counted, so that what else the machine does disturbs little.
"""

import time
from collections.abc import Callable
from itertools import chain

import torch

from benchmarks.step import BATCH, pictures, step_of
from benchmarks.timing import medians
from colorization import build
from colorization.allocator import keep_memory
from colorization.compose import composed
from colorization.module import Colorizer
from experiments.encoder_ladder.ladder import RUNGS

ROUNDS = 5
HEAD = "| rung | parameters, millions | forward, ms | step, ms |\n|---|---:|---:|---:|"


def main() -> None:
    keep_memory()
    torch.set_num_threads(1)
    millions, each = {}, []
    for name, settings in RUNGS.items():
        colorizer, forward, step = built(settings)
        millions[name] = sum(p.numel() for p in colorizer.network.parameters()) / 1e6
        each.append({(name, "forward"): forward, (name, "step"): step})
    spans = medians(dict(chain(*(of.items() for of in each))), ROUNDS, time.process_time)
    print(f"### {BATCH} pictures at a time, one thread, per picture\n\n{HEAD}")
    for name, count in millions.items():
        forward, step = (1e3 * spans[name, what] / BATCH for what in ("forward", "step"))
        print(f"| {name} | {count:.2f} | {forward:.1f} | {step:.1f} |")


def built(settings: list[str]) -> tuple[Colorizer, Callable[[], None], Callable[[], None]]:
    """A rung, its forward and its step."""
    cfg = composed("train", ["experiment=encoder_ladder", *settings])
    colorizer, batch = build.colorizer(cfg), pictures(cfg.data.image_size)

    def forward() -> None:
        with torch.no_grad():
            colorizer.eval()(batch.L)

    return colorizer, forward, step_of(cfg, colorizer, batch)


if __name__ == "__main__":
    main()
