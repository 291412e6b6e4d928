"""Regression beside what a classifier sees in the grey picture: the generator's objective of ChromaGAN."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import kl_div, mse_loss

from colorization.color import lab
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.model.classifier import Classifier
from colorization.objective.base import NETWORK, Losses, Needs, Objective, output, upsample
from colorization.objective.prior import Packed


class Semantic(Objective):
    """MSE of ab, and the classes that a frozen classifier gives the grey picture (Vitoria et al. 2020,
    arXiv:1907.09837).

    The network gives 2 channels of ab and one for each class: two heads of one that has them (encoder_unet
    with classes=1000); any other network's channels are divided. The classes are those of the whole picture,
    the mean of their head over all places. The classifier is in no checkpoint; its weights are read when
    training starts.

    Args:
        weight: of the divergence beside the MSE, 0.003 in the paper.
        classifier: a network of timm's, by name.
        weights: "package", "hub", "none" or a file; see `model.encoder.Pretrained`.
    """

    def __init__(
        self,
        weight: float = 0.003,
        classifier: str = "tf_efficientnet_lite0",
        weights: str = "package",
    ):
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"weight={weight}: choose 0 or more (0.003 in the paper)")
        self.weight = weight
        self.classifier = Classifier(classifier, weights, "objective")
        self.needs = Needs(out=2 + self.classifier.classes)

    def prepare(self, pack: Packed) -> None:
        self.classifier.start_from()

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        """The loss and its parts "colour", in the network's own units, and "classes", in nats.

        In evaluation the classifier is not asked: the loss is that of ab.
        """
        heads = self._heads(network, batch.given)
        scale = network.units.ab_scale
        colour = mse_loss(heads.ab / scale, batch.ab / scale)
        if not network.training:
            return Losses(colour, lambda: heads.ab)
        classes = self._divergence(heads.logits, batch.L)
        total = colour + self.weight * classes
        return Losses(total, lambda: heads.ab, {"colour": colour.detach(), "classes": classes.detach()})

    def predict(self, network: Network, given: Given) -> Tensor:
        return self._heads(network, given).ab

    def _divergence(self, logits: Tensor, L: Tensor) -> Tensor:
        """Kullback and Leibler's, of the network's classes from the classifier's, a mean over pictures."""
        with torch.no_grad():
            seen = self.classifier(lab.merge(L, L.new_zeros(len(L), 2, *L.shape[-2:]))).float()
        return kl_div(
            logits.log_softmax(dim=1), seen.log_softmax(dim=1), reduction="batchmean", log_target=True
        )

    def _heads(self, network: Network, given: Given) -> "Heads":
        y = output(network, given)
        first = network.head_strides[0] if network.head_strides else network.stride
        y, logits = y.tensor_split([2], dim=1) if isinstance(y, Tensor) else y
        ab = upsample(network.units.decode(y), first, given.L)
        return Heads(ab, logits.float().mean(dim=(2, 3)))


class Heads(NamedTuple):
    """What the network gives: ab (B, 2, H, W) and the picture's classes, logits (B, classes)."""

    ab: Tensor
    logits: Tensor
