"""Regression: predict ab itself. What is ambiguous comes out as its mean (or median): brown."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Needs, Objective, output
from colorization.objective.kriging import Colours, channels, colours


class Regression(Objective):
    """Minimise a distance between predicted and true ab.

    Args:
        loss: "mse" learns the conditional mean, "l1" the conditional median, "huber" the mean near
            the truth and the median far from it.
        delta: where Huber turns from square to straight, in ab units.
        kernel: 0 gives the hints to the network; more gives it none and lets points of colour correct what it
            finds (see `colorization.objective.kriging`), by so many channels that tell places apart. The
            distance then counts twice, without points and with them.

    The loss is taken in the network's own units (ab / ab_scale), so that its size, and with it the
    learning rate, means the same as in the published recipes.
    """

    def __init__(self, loss: Literal["mse", "l1", "huber"] = "l1", delta: float = 10.0, kernel: int = 0):
        super().__init__()
        if loss not in ("mse", "l1", "huber"):
            raise ValueError(f"loss={loss!r}: choose 'mse', 'l1' or 'huber'")
        if delta <= 0:
            raise ValueError(f"delta={delta} ab units: Huber needs a positive turning point")
        self.needs = Needs(out=2 + channels(kernel), hints=not kernel)
        self.kind = loss
        self.delta = delta

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        found, scale = self._colours(network, batch.given), network.units.ab_scale
        distances = found.distances(lambda ab: self._distance(ab, batch.ab, scale), "colour")
        logged = distances if len(distances) > 1 else {}
        return Losses(torch.stack([*distances.values()]).sum(), lambda: found.ab, logged)

    def predict(self, network: Network, given: Given) -> Tensor:
        return self._colours(network, given).ab

    def _colours(self, network: Network, given: Given) -> Colours:
        y = output(network, given if self.needs.hints else given._replace(hints=None))
        return colours(y, network.units, network.stride, given)

    def _distance(self, ab: Tensor, truth: Tensor, scale: float) -> Tensor:
        ab, truth, delta = ab / scale, truth / scale, self.delta / scale
        if self.kind == "mse":
            return mse_loss(ab, truth)
        if self.kind == "l1":
            return l1_loss(ab, truth)
        return huber_loss(ab, truth, delta=delta) / delta
