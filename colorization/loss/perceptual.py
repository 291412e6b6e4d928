"""The distance of two colourings in the features of a network that knows what things look like."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.loss.base import Term
from colorization.model.encoder import Normalisation, Pretrained
from colorization.model.size import padded


class Perceptual(Term):
    """Squared distance of the features of the predicted and the true picture, over the stages of an encoder.

    The loss network of Johnson et al. 2016 (arXiv:1603.08155), measured as LPIPS does (Zhang et al. 2018,
    arXiv:1801.03924, eq. 1): the features of each position become a vector of length 1, so that no stage and
    no encoder counts more for its scale; weights within a stage are equal. 0 for the truth, at most 4.

    Both pictures have the true lightness. Colours outside sRGB are clipped, for which the gradient is exact;
    it vanishes in the channels that are. The encoder is frozen and in evaluation mode.

    Args:
        weight: what it is multiplied by.
        encoder: a network of timm's that gives features, by name.
        weights: "package", "hub", "none" or a file; see `model.encoder.Pretrained`.
        stages: what each stage of the encoder counts, from the picture inwards, 0 or more; the numbers are
            divided by their sum. None: all alike.
    """

    def __init__(
        self,
        weight: float = 1.0,
        encoder: str = "tf_efficientnet_lite0",
        weights: str = "package",
        stages: list[float] | None = None,
    ):
        super().__init__(weight)
        pretrained = Pretrained(encoder, weights, "loss.perceptual")
        self.encoder = pretrained.network()
        reductions = self.encoder.feature_info.reduction()
        shares = [1.0] * len(reductions) if stages is None else list(stages)
        if len(shares) != len(reductions) or min(shares) < 0 or not sum(shares):
            there = (
                f"{encoder} has {len(reductions)} stages, at 1/{', '.join(map(str, reductions))} of the size"
            )
            raise ValueError(f"stages={stages}: {there}; give each 0 or more, and one of them above 0")
        self.encoder.load_state_dict(pretrained.state())
        self.encoder.eval().requires_grad_(False)
        self.multiple = reductions[-1]
        self.shares = [share / sum(shares) for share in shares]
        self.normalise = Normalisation(self.encoder)

    def forward(self, ab: Tensor, batch: Batch) -> Tensor:
        with torch.no_grad():
            truth = self.features(batch.L, batch.ab)
        apart = [
            (x - y).square().sum(dim=1).mean() for x, y in zip(self.features(batch.L, ab), truth, strict=True)
        ]
        return torch.stack([share * of for share, of in zip(self.shares, apart, strict=True)]).sum()

    def features(self, L: Tensor, ab: Tensor) -> list[Tensor]:
        """L (B, 1, H, W) and ab (B, 2, H, W) -> each stage's unit vectors, (B, C, H / reduction, ...)."""
        x = padded(self.normalise(lab.merge(L, ab, "clip")), self.multiple)
        return [normalize(stage.float(), dim=1) for stage in self.encoder(x)]
