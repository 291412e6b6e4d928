"""No hints: fully automatic."""

from torch import Tensor

from colorization.data.batch import Batch
from colorization.hints.base import Hints


class Nothing(Hints):
    """Nothing is revealed."""

    def reveal(self, batch: Batch) -> Tensor | None:
        return None

    def blank(self, L: Tensor) -> Tensor | None:
        return None
