"""The distance of two colourings in the features of a network that knows what things look like."""

from contextlib import ExitStack
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.loss.base import Term
from colorization.model.encoder import Normalisation, Pretrained
from colorization.model.size import padded


class Perceptual(Term):
    """Distance of the features of the predicted and the true picture, over stages or layers of an encoder.

    The loss network of Johnson et al. 2016 (arXiv:1603.08155). distance="unit" measures as LPIPS does (Zhang
    et al. 2018, arXiv:1801.03924, eq. 1): the features of each position become a vector of length 1, so that
    no stage and no encoder counts more for its scale; the squares of the differences are added, weights
    within a stage are equal. 0 for the truth, at most 4. distance="l1" is the mean |difference| of the
    features as they are, as DDColor and DeOldify have it: its size is that of the encoder's numbers.

    Both pictures have the true lightness. Colours outside sRGB are clipped, for which the gradient is exact;
    it vanishes in the channels that are. The encoder is frozen and in evaluation mode.

    Args:
        weight: what it is multiplied by.
        encoder: a network of timm's that gives features, by name.
        weights: "package", "hub", "none" or a file; see `model.encoder.Pretrained`.
        stages: what each stage of the encoder counts, from the picture inwards, 0 or more. None: all alike.
        layers: what each of some layers counts, by the name of a module in the encoder, whose output is
            compared; in place of `stages`.
        distance: "unit" divides these numbers by their sum; "l1" takes them as they are.
    """

    def __init__(
        self,
        weight: float = 1.0,
        encoder: str = "tf_efficientnet_lite0",
        weights: str = "package",
        stages: list[float] | None = None,
        layers: dict[str, float] | None = None,
        distance: Literal["unit", "l1"] = "unit",
    ):
        super().__init__(weight)
        self.pretrained = Pretrained(encoder, weights, "loss.perceptual")
        self.encoder = self.pretrained.network().eval().requires_grad_(False)
        if layers and stages:
            raise ValueError(f"layers={layers} stages={stages}: give one of them, and null for the other")
        self.layers = tuple(layers or ())
        shares = self._of_layers(layers) if layers else self._of_stages(stages)
        total = sum(shares) if distance == "unit" else 1.0
        self.shares = [share / total for share in shares]
        self.distance = _unit if distance == "unit" else _l1
        self.multiple = self.encoder.feature_info.reduction()[-1]
        self.normalise = Normalisation(self.encoder)

    def start_from(self) -> None:
        self.encoder.load_state_dict(self.pretrained.state())

    def forward(self, ab: Tensor, batch: Batch) -> Tensor:
        with torch.no_grad():
            truth = self.features(batch.L, batch.ab)
        pairs = zip(self.features(batch.L, ab), truth, strict=True)
        apart = [self.distance(x.float(), y.float()) for x, y in pairs]
        return torch.stack([share * of for share, of in zip(self.shares, apart, strict=True)]).sum()

    def features(self, L: Tensor, ab: Tensor) -> list[Tensor]:
        """L (B, 1, H, W) and ab (B, 2, H, W) -> what each stage or layer gives, (B, C, h, w)."""
        x = padded(self.normalise(lab.merge(L, ab, "clip")), self.multiple)
        if not self.layers:
            return list(self.encoder(x))
        kept: dict[str, Tensor] = {}
        with ExitStack() as hooks:
            for name in self.layers:
                hooks.enter_context(
                    self.encoder.get_submodule(name).register_forward_hook(partial(_keep, kept, name))
                )
            self.encoder(x)
        return [kept[name] for name in self.layers]

    def _of_stages(self, stages: list[float] | None) -> list[float]:
        reductions = self.encoder.feature_info.reduction()
        shares = [1.0] * len(reductions) if stages is None else list(stages)
        if len(shares) != len(reductions) or min(shares) < 0 or not sum(shares):
            name, places = self.pretrained.name, ", ".join(map(str, reductions))
            there = f"{name} has {len(reductions)} stages, at 1/{places} of the size"
            raise ValueError(f"stages={stages}: {there}; give each 0 or more, and one of them above 0")
        return shares

    def _of_layers(self, layers: dict[str, float]) -> list[float]:
        there = [name for name, module in self.encoder.named_modules() if name and not [*module.children()]]
        unknown = [name for name in layers if name not in there]
        if unknown:
            own = f"{self.pretrained.name} has {', '.join(there[:3])} .. {there[-1]}"
            raise ValueError(f"layers: no {unknown[0]}: {own}; or give layers=null and stages")
        if min(layers.values()) < 0 or not sum(layers.values()):
            raise ValueError(f"layers={layers}: give each 0 or more, and one of them above 0")
        return list(layers.values())


def _unit(x: Tensor, y: Tensor) -> Tensor:
    return (normalize(x, dim=1) - normalize(y, dim=1)).square().sum(dim=1).mean()


def _l1(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean()


def _keep(kept: dict[str, Tensor], name: str, module: Any, given: Any, output: Tensor) -> None:
    """A copy, for the next layer may work in place."""
    kept[name] = output.clone()
