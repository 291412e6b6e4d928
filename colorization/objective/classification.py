"""Colour as a distribution over bins: what is ambiguous stays several colours instead of their mean."""

import numpy as np
import torch
from torch import Tensor

from colorization.color.gamut import Gamut, cross_entropy, in_gamut, rebalancing
from colorization.color.sampling import sample
from colorization.data.batch import Batch
from colorization.model.base import Network
from colorization.objective.base import Objective, upsample
from colorization.objective.prior import Packed, prior


class Classification(Objective):
    """Rebalanced cross-entropy over 313 ab bins (Zhang et al. 2016, arXiv:1603.08511).

    Rebalancing makes rare colours count more, which tilts what the network learns: it comes to predict
    p * weights. `predict` decodes that, as the paper does, because vivid pictures are its purpose; what
    is logged and what is sampled divides the weights out again, and is p itself.

    Args:
        neighbours: bins that share a pixel's label: 5 in the paper, 10 in the authors' code.
        sigma: width of the Gaussian that shares it out, ab units.
        rebalance: the paper's lambda, 0.5 there; 1 turns rebalancing off. The weights come from the
            training pictures (`prepare`).
        temperature: of the annealed mean that `predict` gives: 1 is the mean, near 0 the mode.
        grey_below: a picture whose |a| and |b| stay below this teaches no colour and is left out.
    """

    weights: Tensor

    def __init__(
        self,
        neighbours: int = 5,
        sigma: float = 5.0,
        rebalance: float = 0.5,
        temperature: float = 0.38,
        grey_below: float = 5.0,
    ):
        super().__init__()
        if temperature <= 0:
            raise ValueError(
                f"temperature={temperature}: choose more than 0 (0.38 in the paper, 1 is the mean)"
            )
        self.gamut = Gamut(in_gamut(), neighbours, sigma)
        self.channels = len(self.gamut)
        self.rebalance = rebalance
        self.temperature = temperature
        self.grey_below = grey_below
        flat = torch.full((self.channels,), 1 / self.channels)
        self.register_buffer("weights", rebalancing(flat, rebalance))

    def prepare(self, pack: Packed) -> None:
        """Weigh the bins by how rare they are in the training pictures."""
        if self.rebalance < 1:
            self.weights.copy_(rebalancing(prior(self.gamut, pack), self.rebalance))

    def loss(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """The loss in nats, and how well the distribution itself does: bits_per_pixel, top1, top5.

        bits_per_pixel is the mean of -log2 p(the pixel's bin). While training, quality is measured on
        every second row and column: it would cost half as much as the loss itself.
        """
        logits = network(network.units.encode(batch.L, batch.hints)).float()
        index, share = self.gamut.soft_encode(at_stride(batch.ab, logits))
        taught = (batch.ab.abs().amax(dim=(1, 2, 3)) >= self.grey_below).float()[:, None, None]
        weights = self.weights[index[:, 0]] * taught
        pixels = taught.sum() * logits[0, 0].numel()
        loss = (weights * cross_entropy(logits, index, share)).sum() / pixels.clamp(min=1)
        step = 2 if network.training else 1
        with torch.no_grad():
            seen, truth = logits[..., ::step, ::step], index[:, :1, ::step, ::step]
            return {"loss": loss, **means(quality(self.calibrated(seen), truth))}

    @torch.no_grad()
    def measured(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """bits_per_pixel, top1 and top5 of each picture, (B,): of p itself, without the weights."""
        logits = network(network.units.encode(batch.L, batch.hints)).float()
        return quality(self.calibrated(logits), self.gamut.nearest(at_stride(batch.ab, logits))[:, None])

    def predict(self, network: Network, L: Tensor, hints: Tensor | None = None) -> Tensor:
        logits = network(network.units.encode(L, hints))
        return upsample(self.gamut.mean(logits, self.temperature), network, L)

    def sample(self, network: Network, L: Tensor, n: int, hints: Tensor | None = None) -> Tensor:
        logits = network(network.units.encode(L, hints)).float()
        drawn = sample(self.gamut, self.calibrated(logits), n)
        return torch.stack([upsample(ab, network, L) for ab in drawn])

    def distribution(self, network: Network, L: Tensor, hints: Tensor | None = None) -> Tensor:
        """p(bin | grey picture) at the network's stride, (B, Q, H / stride, W / stride), sums to 1."""
        logits = network(network.units.encode(L, hints)).float()
        return self.calibrated(logits).softmax(dim=1)

    def calibrated(self, logits: Tensor) -> Tensor:
        """Logits without the tilt that the weighted loss gave them, (B, Q, H, W)."""
        return logits - self.weights.log()[:, None, None]


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


def means(measured: dict[str, Tensor]) -> dict[str, Tensor]:
    """The mean over a batch of what was measured of each picture."""
    return {name: values.mean() for name, values in measured.items()}


def at_stride(ab: Tensor, output: Tensor) -> Tensor:
    """The pixel at the centre of what each output position stands for.

    A pixel, not an average: a mean over an edge is a colour that neither side has.

    Shape: (B, 2, H, W), (B, C, h, w) -> (B, 2, h, w).
    """
    (H, W), (h, w) = ab.shape[-2:], output.shape[-2:]
    rows, columns = (_centres(full, small, ab.device) for full, small in ((H, h), (W, w)))
    return ab[..., rows[:, None], columns]


def _centres(full: int, small: int, device: torch.device) -> Tensor:
    stride = -(-full // small)
    return (torch.arange(small, device=device) * stride + stride // 2).clamp(max=full - 1)


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
