"""Regression with hints, beside a distribution over bins: the objective of SIGGRAPH17."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate, smooth_l1_loss

from colorization.color.gamut import Gamut, cross_entropy, square
from colorization.color.sampling import sample
from colorization.data.batch import Batch
from colorization.model.base import Network
from colorization.objective.base import Objective, upsample
from colorization.objective.classification import at_stride, means, quality


class Joint(Objective):
    """Huber on ab plus cross-entropy over a 23 x 23 grid of ab (Zhang et al. 2017, arXiv:1705.02999).

    The network gives 2 channels of ab and 529 of bins. One with two heads of its own (siggraph17 with
    classes=529) has a method heads(x) -> (ab, logits), each at its own resolution; any other network's
    531 output channels are divided.

    Args:
        colour: weight of the ab loss beside the cross-entropy, 10 in the authors' code.
        delta: where Huber turns from square to straight, ab units: 1 in the paper.
    """

    def __init__(self, colour: float = 10.0, delta: float = 1.0):
        super().__init__()
        if colour <= 0:
            raise ValueError(
                f"colour={colour}: the ab loss needs a positive weight (10 in the authors' code)"
            )
        if delta <= 0:
            raise ValueError(f"delta={delta} ab units: Huber needs a positive turning point")
        self.gamut = Gamut(square(), neighbours=1)
        self.channels = 2 + len(self.gamut)
        self.colour = colour
        self.delta = delta

    def loss(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """The loss, its parts "colour" and "classes", and the distribution's bits_per_pixel, top1, top5."""
        y, logits = self._heads(network, batch.L, batch.hints)
        scale = network.units.ab_scale
        ab = upsample(network.units.decode(y), network, batch.L)
        apart = smooth_l1_loss(ab / scale, batch.ab / scale, beta=self.delta / scale, reduction="none")
        colour = apart.sum(dim=1).mean()
        index, share = self.gamut.soft_encode(at_stride(batch.ab, logits))
        classes = cross_entropy(logits, index, share).mean()
        with torch.no_grad():
            told = means(quality(logits, index))
        return {"loss": self.colour * colour + classes, "colour": colour, "classes": classes, **told}

    @torch.no_grad()
    def measured(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """bits_per_pixel, top1 and top5 of each picture, (B,), of the distribution over 529 bins."""
        _, logits = self._heads(network, batch.L, batch.hints)
        return quality(logits, self.gamut.nearest(at_stride(batch.ab, logits))[:, None])

    def predict(self, network: Network, L: Tensor, hints: Tensor | None = None) -> Tensor:
        y, _ = self._heads(network, L, hints)
        return upsample(network.units.decode(y), network, L)

    def sample(self, network: Network, L: Tensor, n: int, hints: Tensor | None = None) -> Tensor:
        _, logits = self._heads(network, L, hints)
        size = L.shape[-2:]
        drawn = sample(self.gamut, logits, n)
        return torch.stack([interpolate(ab, size=size, mode="bilinear") for ab in drawn])

    @staticmethod
    def _heads(network: Network, L: Tensor, hints: Tensor | None) -> tuple[Tensor, Tensor]:
        x = network.units.encode(L, hints)
        heads = getattr(network, "heads", None)
        y, logits = heads(x) if heads else network(x).tensor_split([2], dim=1)
        return y, logits.float()
