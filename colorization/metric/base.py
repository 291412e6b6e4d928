"""A metric: a pure function of two batches of pictures, with its unit and its direction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor


@dataclass(frozen=True)
class Metric:
    """One number per picture.

    Args:
        function: (predicted, truth) -> (B,), both sRGB (B, 3, H, W) in 0..1, already rounded to 8 bits.
        unit: what the number counts, for axes and tables.
        better: whether more is better, less is, or neither (a property to hold beside the truth's).
    """

    function: Callable[[Tensor, Tensor], Tensor]
    unit: str = ""
    better: Literal["higher", "lower", "none"] = "none"

    def __call__(self, predicted: Tensor, truth: Tensor) -> Tensor:
        return self.function(predicted, truth)
