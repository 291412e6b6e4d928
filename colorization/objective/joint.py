"""Regression with hints, beside a distribution over bins: the objective of SIGGRAPH17."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from colorization.color.gamut import Gamut, cross_entropy, square
from colorization.color.sampling import sample
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Needs, Objective, at_stride, output, upsample
from colorization.objective.classification import QUALITY, half_quality, quality
from colorization.objective.distribution import Distribution
from colorization.objective.kriging import Colours, channels, colours


class Joint(Objective):
    """Huber on ab plus cross-entropy over a 23 x 23 grid of ab (Zhang et al. 2017, arXiv:1705.02999).

    The network gives 2 channels of ab and 529 of bins: two heads, each at its own resolution, of a network
    that has them (siggraph17 with classes=529); any other network's
    531 output channels are divided.

    Args:
        colour: weight of the ab loss beside the cross-entropy, 10 in the authors' code.
        delta: where Huber turns from square to straight, ab units: 1 in the paper.
        kernel: 0 gives the hints to the network, as the paper does; more gives it none and lets points of
            colour correct what it finds (see `colorization.objective.kriging`), by so many channels that tell
            places apart. Huber then counts twice, without points and with them.
    """

    columns = QUALITY

    def __init__(self, colour: float = 10.0, delta: float = 1.0, kernel: int = 0):
        super().__init__()
        if colour <= 0:
            raise ValueError(
                f"colour={colour}: the ab loss needs a positive weight (10 in the authors' code)"
            )
        if delta <= 0:
            raise ValueError(f"delta={delta} ab units: Huber needs a positive turning point")
        self.gamut = Gamut(square(), neighbours=1)
        self.needs = Needs(out=2 + channels(kernel) + len(self.gamut), hints=not kernel)
        self.colour = colour
        self.delta = delta

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        """The loss and its parts "colour" and "classes"; bits_per_pixel, top1, top5 of the distribution."""
        heads = self._heads(network, batch.given)
        scale = network.units.ab_scale
        logged = heads.colours.distances(lambda ab: self._huber(ab, batch.ab, scale), "colour")
        index, share = self.gamut.soft_encode(at_stride(batch.ab, heads.stride))
        classes = cross_entropy(heads.logits, index, share).mean()
        total = self.colour * sum(logged.values()) + classes
        logged["classes"] = classes
        if network.training:
            logged |= half_quality(heads.logits.detach(), index)
        return Losses(
            total,
            ab=lambda: heads.colours.ab,
            logged=logged,
            measured=lambda: quality(heads.logits, index),
            samples=lambda n: self._drawn(heads, batch.given, n),
        )

    def predict(self, network: Network, given: Given) -> Tensor:
        return self._heads(network, given).colours.ab

    def sample(self, network: Network, given: Given, n: int) -> Tensor:
        return self._drawn(self._heads(network, given), given, n)

    def distribution(self, network: Network, given: Given) -> Distribution:
        """p(bin | grey picture); with a kernel, points of colour leave it as it is."""
        heads = self._heads(network, given._replace(hints=given.hints if self.needs.hints else None))
        return Distribution(heads.logits.softmax(dim=1), self.gamut.centres, heads.stride)

    def _drawn(self, heads: "Heads", given: Given, n: int) -> Tensor:
        drawn = sample(self.gamut, heads.logits, n, given.numbers("samples"))
        full = [upsample(ab, heads.stride, given.L) for ab in drawn]
        return torch.stack([heads.colours.following(ab, given) for ab in full])

    def _heads(self, network: Network, given: Given) -> "Heads":
        y = output(network, given if self.needs.hints else given._replace(hints=None))
        first, second = network.head_strides or (network.stride, network.stride)
        y, logits = y.tensor_split([-len(self.gamut)], dim=1) if isinstance(y, Tensor) else y
        return Heads(colours(y, network.units, first, given), logits.float(), second)

    def _huber(self, ab: Tensor, truth: Tensor, scale: float) -> Tensor:
        apart = smooth_l1_loss(ab / scale, truth / scale, beta=self.delta / scale, reduction="none")
        return apart.sum(dim=1).mean()


class Heads(NamedTuple):
    """What the network gives: colours, the bins' logits, and pixels per position of these."""

    colours: Colours
    logits: Tensor
    stride: int
