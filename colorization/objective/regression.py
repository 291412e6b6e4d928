"""Regression: predict ab itself. What is ambiguous comes out as its mean (or median): brown."""

from typing import Literal

from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Needs, Objective, output, upsample


class Regression(Objective):
    """Minimise a distance between predicted and true ab.

    Args:
        loss: "mse" learns the conditional mean, "l1" the conditional median, "huber" the mean near
            the truth and the median far from it.
        delta: where Huber turns from square to straight, in ab units.

    The loss is taken in the network's own units (ab / ab_scale), so that its size, and with it the
    learning rate, means the same as in the published recipes.
    """

    needs = Needs(out=2)

    def __init__(self, loss: Literal["mse", "l1", "huber"] = "l1", delta: float = 10.0):
        super().__init__()
        if loss not in ("mse", "l1", "huber"):
            raise ValueError(f"loss={loss!r}: choose 'mse', 'l1' or 'huber'")
        if delta <= 0:
            raise ValueError(f"delta={delta} ab units: Huber needs a positive turning point")
        self.kind = loss
        self.delta = delta

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        ab = self.predict(network, batch.given)
        scale = network.units.ab_scale
        return Losses(self._distance(ab / scale, batch.ab / scale, self.delta / scale), lambda: ab)

    def predict(self, network: Network, given: Given) -> Tensor:
        y = network.units.decode(output(network, given))
        return upsample(y, network.stride, given.L)

    def _distance(self, ab: Tensor, truth: Tensor, delta: float) -> Tensor:
        if self.kind == "mse":
            return mse_loss(ab, truth)
        if self.kind == "l1":
            return l1_loss(ab, truth)
        return huber_loss(ab, truth, delta=delta) / delta
