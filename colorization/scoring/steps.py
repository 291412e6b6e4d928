"""What each further step of a colouring that is drawn in steps is worth, and what it costs."""

import time
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from colorization.color import lab
from colorization.config import ConfigError
from colorization.data.batch import Batch
from colorization.module import Colorizer
from colorization.protocol import Protocol
from colorization.scorer import mean
from colorization.scoring.several import several

COUNTS = (1, 2, 4, 8, 16)


@torch.no_grad()
def by_steps(
    colorizer: Colorizer,
    protocol: Protocol,
    samples: int,
    batches: Iterable[tuple[Tensor, Tensor]],
    counts: Sequence[int] = COUNTS,
) -> dict[int, dict[str, float]]:
    """The mean numbers of `several` colourings drawn in so many steps, and the "seconds" that one takes.

    Both are of the same pictures and of the same random numbers in every count. Seconds are of a picture in
    a batch as it is given.

    Args:
        colorizer: a network whose decoding takes steps.
        protocol: how colourings are shown.
        samples: of each picture, 2 or more.
        batches: positions (B,) of pictures, and the pictures (B, 3, H, W) uint8 sRGB.
        counts: numbers of steps.

    Raises:
        ConfigError: a network that draws nothing in steps, or too few samples.
    """
    objective = colorizer.objective
    if "steps" not in objective.decoding:
        kind = type(objective).__name__
        raise ConfigError([f"steps_curve=true: {kind} takes no steps; train one that does: objective=flow"])
    if samples < 2:
        raise ConfigError([f"samples={samples}: steps_curve=true compares distributions; give samples=8"])
    before, rows = objective.steps, dict[int, list[dict[str, float]]]()
    for index, truth in batches:
        truth = truth.to(colorizer.device)
        L, ab = lab.split(truth)
        given = colorizer.seen(Batch(L, ab, index.to(L.device))).given
        for count in counts:
            objective.decode(steps=count)
            began = time.perf_counter()
            drawn = objective.sample(colorizer.network, given, samples)
            float(drawn.sum())  # which waits for the device
            seconds = (time.perf_counter() - began) / samples / len(L)
            found = {name: values.tolist() for name, values in several(drawn, L, truth, protocol).items()}
            for k in range(len(L)):
                row = {name: values[k] for name, values in found.items()} | {"seconds": seconds}
                rows.setdefault(count, []).append(row)
    objective.decode(steps=before)
    return {count: {name: mean([row[name] for row in of]) for name in of[0]} for count, of in rows.items()}
