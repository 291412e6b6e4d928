"""A metric: a pure function of predictions and their truth, with its unit and its direction."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from torch import Tensor

from colorization.color.lab import rgb_to_lab


class Pair:
    """Predictions beside their truth, both sRGB (B, 3, H, W) in 0..1 on 8-bit levels.

    Their Lab is computed once, for all the metrics that want it.
    """

    def __init__(self, predicted: Tensor, truth: Tensor):
        self.predicted, self.truth = predicted, truth

    @cached_property
    def predicted_lab(self) -> Tensor:
        """(B, 3, H, W) CIE Lab."""
        return rgb_to_lab(self.predicted)

    @cached_property
    def truth_lab(self) -> Tensor:
        """(B, 3, H, W) CIE Lab."""
        return rgb_to_lab(self.truth)


@dataclass(frozen=True)
class Metric:
    """One number per picture.

    Args:
        function: Pair -> (B,).
        unit: what the number counts, for axes and tables.
        better: whether more is better, less is, or neither (a property to hold beside the truth's).
    """

    function: Callable[[Pair], Tensor]
    unit: str = ""
    better: Literal["higher", "lower", "none"] = "none"

    def __call__(self, pair: Pair) -> Tensor:
        return self.function(pair)
