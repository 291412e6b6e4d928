"""How much better a colouring gets with every hint."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.hints.points import Points
from colorization.metric.base import Pair
from colorization.metric.psnr import psnr

COUNTS = (0, 1, 2, 5, 10, 20, 50, 100, 500)


def psnr_by_points(
    predict: Callable[[Tensor, Tensor], Tensor],
    batches: Iterable[Batch],
    points: Points | None = None,
    counts: Sequence[int] = COUNTS,
) -> dict[int, Tensor]:
    """PSNR of every picture with so many points revealed.

    The points of fewer are among the points of more, and the same in every call.

    Args:
        predict: L (B, 1, H, W) and hints (B, 3, H, W) -> ab (B, 2, H, W).
        batches: pictures with their truth.
        points: the simulated user.
        counts: numbers of points.

    Returns:
        For each count the PSNR in dB of each picture, (pictures,), on 8-bit sRGB.
    """
    points = points or Points()
    scores: dict[int, list[Tensor]] = {count: [] for count in counts}
    for batch in batches:
        truth = lab.quantize(lab.merge(batch.L, batch.ab, gamut="clip"))
        for count in counts:
            with torch.no_grad():
                ab = predict(batch.L, points.reveal_points(batch, count))
            predicted = lab.quantize(lab.merge(batch.L, ab))
            scores[count].append(psnr(Pair(predicted, truth)).cpu())
    return {count: torch.cat(values) for count, values in scores.items()}
