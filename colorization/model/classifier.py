"""Classifiers of timm's, which know what is in a picture."""

from dataclasses import dataclass
from typing import Any

import timm
from torch import Tensor

from colorization.config import ConfigError
from colorization.model.aside import Aside
from colorization.model.encoder import Normalisation, Pretrained


@dataclass(frozen=True)
class Whole(Pretrained):
    """A network of timm's with its classes, and where its weights come from."""

    def network(self, channels: int = 3, pretrained: bool = False) -> Any:
        """The network, which gives logits (B, classes). Raises ConfigError where timm has none such."""
        try:
            return timm.create_model(self.name, pretrained=pretrained, in_chans=channels)
        except (RuntimeError, ValueError, OSError) as error:
            fault = f"{self.node}.classifier={self.name}: {error}; timm.list_models() names them all"
            raise ConfigError([fault]) from error


class Classifier(Aside):
    """A frozen classifier of pictures.

    Args:
        name: what timm calls it.
        weights: "package", "hub", "none" or a file; see `model.encoder.Pretrained`.
        node: the configuration's node that has both, for errors.

    Shape: (B, 3, H, W) sRGB, 0..1 -> logits (B, classes).
    """

    def __init__(self, name: str, weights: str, node: str):
        pretrained = Whole(name, weights, node)
        frozen = pretrained.network()
        super().__init__(frozen)
        self.pretrained = pretrained
        self.classes: int = frozen.num_classes
        self.normalise = Normalisation(frozen)

    def forward(self, rgb: Tensor) -> Tensor:
        return self.frozen(self.normalise(rgb))

    def start_from(self) -> None:
        """Load its weights. Raises ConfigError where they are not there."""
        self.frozen.load_state_dict(self.pretrained.state())
