"""Colour as a distribution over bins: what is ambiguous stays several colours instead of their mean."""

from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from colorization.color.gamut import Gamut, cross_entropy, in_gamut, rebalancing
from colorization.color.sampling import sample
from colorization.config import ConfigError
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Column, Losses, Needs, Objective, at_stride, output, upsample
from colorization.objective.distribution import Distribution
from colorization.objective.prior import Packed, prior

QUALITY = MappingProxyType(
    {
        "bits_per_pixel": Column("bits", "lower"),
        "top1": Column("", "higher"),
        "top5": Column("", "higher"),
    }
)


class Classification(Objective):
    """Rebalanced cross-entropy over 313 ab bins (Zhang et al. 2016, arXiv:1603.08511).

    Rebalancing makes rare colours count more, which tilts what the network learns: it comes to predict
    p * weights. `predict` decodes that, as the paper does, because vivid pictures are its purpose; what
    is logged, what is sampled and `vivid` divide the weights out again, and are of p itself.

    Args:
        neighbours: bins that share a pixel's label: 5 in the paper, 10 in the authors' code.
        sigma: width of the Gaussian that shares it out, ab units.
        rebalance: the paper's lambda, 0.5 there; 1 turns rebalancing off. The weights come from the
            training pictures (`prepare`).
        temperature: of the annealed mean that `predict` gives: 1 is the mean, near 0 the mode.
        grey_below: a picture whose |a| and |b| stay below this teaches no colour and is left out.
    """

    weights: Tensor

    columns = QUALITY
    decoding = MappingProxyType(
        {"temperature": "of the annealed mean: 1 is the mean, near 0 the mode of the distribution"}
    )

    def __init__(
        self,
        neighbours: int = 5,
        sigma: float = 5.0,
        rebalance: float = 0.5,
        temperature: float = 0.38,
        grey_below: float = 5.0,
    ):
        super().__init__()
        self.gamut = Gamut(in_gamut(), neighbours, sigma)
        self.needs = Needs(out=len(self.gamut))
        self.rebalance = rebalance
        self.temperature = temperature
        self.grey_below = grey_below
        flat = torch.full((len(self.gamut),), 1 / len(self.gamut))
        self.register_buffer("weights", rebalancing(flat, rebalance))

    @property
    def temperature(self) -> float:
        """Of the annealed mean that `predict` gives."""
        return self._temperature

    @temperature.setter
    def temperature(self, value: float) -> None:
        if not value > 0:
            raise ValueError(f"temperature={value}: choose more than 0 (0.38 in the paper, 1 is the mean)")
        self._temperature = value

    def decode(self, **settings: Any) -> None:
        if settings.get("vivid") is not None and "temperature" in settings:
            given = " ".join(f"{name}={settings[name]}" for name in ("vivid", "temperature"))
            raise ConfigError([f"{given}: vivid stretches the calibrated mean, of temperature 1; give one"])
        super().decode(**settings)

    def prepare(self, pack: Packed) -> None:
        """Weigh the bins by how rare they are in the training pictures."""
        if self.rebalance < 1:
            self.weights.copy_(rebalancing(prior(self.gamut, pack), self.rebalance))

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        """The loss in nats, and how well the distribution itself does: bits_per_pixel, top1, top5.

        bits_per_pixel is the mean of -log2 p(the pixel's bin). While training, quality is logged of
        every second row and column: it would cost half as much as the loss itself.
        """
        logits = output(network, batch.given).float()
        index, share = self.gamut.soft_encode(at_stride(batch.ab, network.stride))
        taught = (batch.ab.abs().amax(dim=(1, 2, 3)) >= self.grey_below).float()[:, None, None]
        weights = self.weights[index[:, 0]] * taught
        pixels = taught.sum() * logits[0, 0].numel()
        total = (weights * cross_entropy(logits, index, share)).sum() / pixels.clamp(min=1)
        return Losses(
            total,
            ab=lambda: self._mean(logits, network, batch.given),
            logged=half_quality(self.calibrated(logits.detach()), index[:, :1]) if network.training else {},
            measured=lambda: quality(self.calibrated(logits), index[:, :1]),
            samples=lambda n: self._drawn(logits, network, batch.given, n),
            accurate=lambda: self._calibrated_mean(logits, network, batch.given),
        )

    def predict(self, network: Network, given: Given) -> Tensor:
        return self._mean(output(network, given), network, given)

    def accurate(self, network: Network, given: Given) -> Tensor:
        """The mean of p itself: without the tilt of rebalancing, and without annealing."""
        return self._calibrated_mean(output(network, given).float(), network, given)

    def sample(self, network: Network, given: Given, n: int) -> Tensor:
        return self._drawn(output(network, given).float(), network, given, n)

    def distribution(self, network: Network, given: Given) -> Distribution:
        """p(bin | grey picture) at the network's stride, without the tilt of rebalancing."""
        p = self.calibrated(output(network, given).float()).softmax(dim=1)
        return Distribution(p, self.gamut.centres, network.stride)

    def calibrated(self, logits: Tensor) -> Tensor:
        """Logits without the tilt that the weighted loss gave them, (B, Q, H, W)."""
        return logits - self.weights.log()[:, None, None]

    def _mean(self, logits: Tensor, network: Network, given: Given) -> Tensor:
        return upsample(self.gamut.mean(logits, self.temperature), network.stride, given.L)

    def _calibrated_mean(self, logits: Tensor, network: Network, given: Given) -> Tensor:
        return upsample(self.gamut.mean(self.calibrated(logits)), network.stride, given.L)

    def _drawn(self, logits: Tensor, network: Network, given: Given, n: int) -> Tensor:
        drawn = sample(self.gamut, self.calibrated(logits), n, given.numbers("samples"))
        return torch.stack([upsample(ab, network.stride, given.L) for ab in drawn])


@torch.no_grad()
def quality(logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """How logits (B, Q, H, W) do on the true bins (B, 1, H, W), each picture by itself, (B,).

    bits_per_pixel is the mean of -log2 p(true bin), top1 and top5 how often it is among the likeliest.
    """
    hit = logits.gather(1, truth)
    better = (logits > hit).sum(dim=1)
    bits = (logits.logsumexp(dim=1) - hit[:, 0]) / np.log(2)
    return {
        "bits_per_pixel": bits.mean(dim=(1, 2)),
        "top1": (better < 1).float().mean(dim=(1, 2)),
        "top5": (better < 5).float().mean(dim=(1, 2)),
    }


def half_quality(logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """The mean `quality` of a batch on every second row and column."""
    halves = quality(logits[..., ::2, ::2], truth[..., ::2, ::2])
    return {name: values.mean() for name, values in halves.items()}


def calibration(probabilities: Tensor, truth: Tensor, bins: int = 10) -> Tensor:
    """The reliability curve: how often what is given probability p comes true.

    Every (pixel, bin) pair is one forecast. Forecasts are grouped by p into equal steps of 0..1.

    Args:
        probabilities: (B, Q, H, W), sums to 1 over Q.
        truth: (B, H, W) int64 true bins, or (B, Q, H, W) true probabilities where they are known.
        bins: groups.

    Returns:
        (bins, 3): mean p, share that came true, and number of forecasts of each group (0, 0, 0 if none).
    """
    if truth.dim() == 3:
        truth = torch.zeros_like(probabilities).scatter_(1, truth[:, None], 1.0)
    group = (probabilities * bins).long().clamp(max=bins - 1).flatten()
    columns = (probabilities, truth, torch.ones_like(truth))
    sums = [torch.zeros(bins, device=group.device).index_add_(0, group, c.float().flatten()) for c in columns]
    count = sums[2]
    return torch.stack([sums[0] / count.clamp(min=1), sums[1] / count.clamp(min=1), count], dim=1)
