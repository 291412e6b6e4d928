"""How colourful a picture is as a whole, wherever its colours lie."""

from torch import Tensor

from colorization.data.batch import Batch
from colorization.loss.base import Term
from colorization.loss.distance import SCALE


class Chroma(Term):
    """Distance of each picture's distribution of chroma from its truth's, in units of 110.

    Chroma is sqrt(a^2 + b^2) of a pixel; the distance is Wasserstein's of order 1, which in one dimension is
    the mean difference of the sorted values (as the histogram losses of Risser et al. 2017, arXiv:1701.08893,
    and the slices of Heitz et al. 2021, arXiv:2006.07229).

    A distance pixel by pixel, whose best answer where it does not know is a mean, is grey; this one asks for
    the truth's vividness without saying where. It is at least the difference of the mean chromas, which a
    faint tint over everything would satisfy as well as a red coat on a grey street does. Hue plays no part.
    """

    def forward(self, ab: Tensor, batch: Batch) -> Tensor:
        predicted, truth = (x.norm(dim=1).flatten(1).sort(dim=1).values for x in (ab, batch.ab))
        return (predicted - truth).abs().mean() / SCALE
