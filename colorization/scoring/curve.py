"""How much better a colouring gets with every point of colour that a user gives."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.module import Colorizer
from colorization.protocol import Protocol
from colorization.scorer import Numbers, Scorer

COUNTS = (0, 1, 2, 5, 10, 20, 50, 100, 500)


def by_points(
    colorizer: Colorizer,
    protocol: Protocol,
    metrics: Sequence[str],
    batches: Iterable[tuple[Tensor, Tensor]],
    counts: Sequence[int] = COUNTS,
) -> dict[int, Numbers]:
    """The numbers of pictures with so many points revealed.

    The points of fewer are among the points of more, and the same in every call.

    Args:
        colorizer: a network that takes points.
        protocol: how pictures are shown and counted.
        metrics: which of its metrics are measured.
        batches: positions (B,) of pictures, and the pictures (B, 3, H, W) uint8 sRGB.
        counts: numbers of points.

    Raises:
        ConfigError: a network without points.
    """
    chosen = {name: protocol.metrics[name] for name in metrics}
    scorers = {count: Scorer(protocol, chosen) for count in counts}
    for index, truth in batches:
        L, ab = lab.split(truth.to(colorizer.device))
        batch = colorizer.seen(Batch(L, ab, index.to(L.device)))
        for count, scorer in scorers.items():
            given = batch._replace(hints=colorizer.hints.reveal_points(batch, count)).given
            with torch.no_grad():
                scorer.add(index, truth, colorizer.objective.colouring(colorizer.network, given))
    return {count: scorer.result().model for count, scorer in scorers.items()}
