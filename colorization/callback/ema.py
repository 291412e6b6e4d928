"""Averaged weights: what is validated, saved and used is the running mean of the trained ones."""

from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor


class EMA(WeightAveraging):
    """Exponential moving average of weights and buffers, over Lightning's own callback.

    Args:
        decay: share of the old average that each step keeps; it rises to this value as
            (1 + n) / (10 + n), so that a short run is not dominated by its random start.
    """

    def __init__(self, decay: float = 0.999):
        if not 0 < decay < 1:
            raise ValueError(f"callback.ema.decay={decay}: above 0 and below 1, such as 0.999")

        def average(averaged: Tensor, current: Tensor, steps: Tensor | int) -> Tensor:
            kept = min(decay, (1 + int(steps)) / (10 + int(steps)))
            return averaged * kept + current * (1 - kept)

        super().__init__(avg_fn=average)
