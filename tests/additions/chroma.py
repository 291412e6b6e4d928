"""A loss term."""

from torch import Tensor

from colorization.data.batch import Batch
from colorization.loss.base import Term


class MeanChroma(Term):
    """How far each picture's mean chroma is from its truth's, in units of 110."""

    def forward(self, ab: Tensor, batch: Batch) -> Tensor:
        means = (ab.norm(dim=1).mean(dim=(1, 2)), batch.ab.norm(dim=1).mean(dim=(1, 2)))
        return (means[0] - means[1]).abs().mean() / 110
