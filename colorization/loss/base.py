"""The contract of a loss term."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from colorization.data.batch import Batch


class Term(nn.Module, ABC):
    """A loss of a colouring, added with a weight to what any objective minimises.

    It learns nothing itself: it stays out of checkpoints and averages. A weight of 0 is still logged.

    Args:
        weight: what it is multiplied by.
    """

    def __init__(self, weight: float = 1.0):
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"weight={weight}: a loss term is added, choose 0 or more")
        self.weight = weight

    @abstractmethod
    def forward(self, ab: Tensor, batch: Batch) -> Tensor:
        """A predicted ab (B, 2, H, W), CIE units, and the batch with its truth -> a scalar."""

    def start_from(self) -> None:
        """Load weights of its own. Training calls it; reopening a run never does. Nothing by default."""
