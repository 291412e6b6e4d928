"""Regression beside the class of the whole picture, where the data set knows it."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from colorization.config import InputError
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Needs, Objective, output, upsample

RANGE = 200.0  # ab from -100 to 100 becomes 0 to 1


class Labelled(Objective):
    """MSE of ab plus cross-entropy of the picture's class (Iizuka et al. 2016, 10.1145/2897824.2925974).

    The network gives 2 channels of ab and `classes` of logits: two heads of a network that has them (iizuka
    with model.classes); any other network's output channels are divided. A picture's logits are their mean
    over all positions. Classes teach what a picture is of, and colouring does not use them.

    Args:
        classes: how many there are: 205 kinds of places in the paper.
        weight: of the cross-entropy beside the MSE, whose ab are scaled to 0..1: 1/300 in the paper.
        label: the name under which a batch carries each picture's class, (B,) 0..classes - 1, or -1 where it
            has none. Without such labels the MSE alone is learnt.
    """

    def __init__(self, classes: int = 205, weight: float = 1 / 300, label: str = "label"):
        super().__init__()
        if classes < 1:
            raise ValueError(f"classes={classes}: choose 1 or more")
        if not weight >= 0:
            raise ValueError(f"weight={weight}: choose 0 or more (1/300 in the paper)")
        self.needs = Needs(out=2 + classes)
        self.classes, self.weight, self.label = classes, weight, label

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        """The loss and its parts "colour" and, where there are labels, "classes" (nats) and "right"."""
        ab, logits = self._heads(network, batch.given)
        colour = mse_loss(ab / RANGE, batch.ab / RANGE)
        if self.label not in batch.extra:
            return Losses(colour + 0 * logits.sum(), lambda: ab, {"colour": colour})
        labels = self._checked(batch.extra[self.label])
        known = (labels >= 0).sum().clamp(min=1)
        classes = cross_entropy(logits, labels, ignore_index=-1, reduction="sum") / known
        right = (logits.argmax(dim=1) == labels).sum() / known
        logged = {"colour": colour, "classes": classes, "right": right}
        return Losses(colour + self.weight * classes, lambda: ab, logged)

    def predict(self, network: Network, given: Given) -> Tensor:
        return self._heads(network, given)[0]

    def _heads(self, network: Network, given: Given) -> tuple[Tensor, Tensor]:
        """Of what the network gives: ab (B, 2, H, W) and the logits of the classes (B, classes)."""
        y = output(network, given)
        y, maps = y.tensor_split([2], dim=1) if isinstance(y, Tensor) else y
        ab = upsample(network.units.decode(y), (network.head_strides or (network.stride,))[0], given.L)
        return ab, maps.float().mean(dim=(2, 3))

    def _checked(self, labels: Tensor) -> Tensor:
        if labels.device.type == "cpu" and not bool(((labels >= -1) & (labels < self.classes)).all()):
            given = f"{int(labels.min())}..{int(labels.max())}"
            remedy = f"set objective.classes and model.classes to {int(labels.max()) + 1} or more"
            raise InputError(
                f"{self.label}: {given}, and classes are 0..{self.classes - 1} (-1: none); {remedy}"
            )
        return labels.to(torch.int64)
