"""FID and KID: whether pictures, as a set, look like the true ones to a network.

The network is the TensorFlow Inception of 2015-12-05 that the FID was defined with, as torch-fidelity
ports it, resizing included. FIDs of other networks (torchvision's Inception in the code of CT2 and
DDColor) and of other numbers of pictures are other metrics: hold none of them against these.
"""

import logging
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from colorization.metric.base import Absent, Better, Pair, SetMetric
from colorization.metric.network import network

Extractor = Callable[[Tensor], Tensor]  # sRGB (B, 3, H, W) 0..1 on 8-bit levels -> (B, D) on the CPU
ENOUGH = 5000  # pictures, below which an FID tells more of their number than of their quality
SUBSETS, SUBSET, SEED = 100, 1000, 2020  # torch-fidelity's

log = logging.getLogger(__name__)


class Features(SetMetric):
    """Keeps the features of predictions and truths: 16 kB per pair with Inception's 2048.

    Args:
        extractor: pictures -> features; null: `inception`, whose weights are downloaded.
    """

    better: Better = "lower"
    state = ("predicted", "truth")

    def __init__(self, extractor: Extractor | None = None):
        self.extractor = extractor or inception
        self.reset()

    def reset(self) -> None:
        self.predicted: list[Tensor] = []
        self.truth: list[Tensor] = []

    def update(self, pair: Pair) -> None:
        extract = self.extractor
        self.predicted.append(pair.once((extract, "predicted"), lambda: extract(pair.predicted)))
        self.truth.append(pair.once((extract, "truth"), lambda: extract(pair.truth)))

    def features(self) -> tuple[Tensor, Tensor]:
        """Of all predictions and all truths, (N, D) float64 each."""
        count = sum(map(len, self.truth))
        if count < 2:
            raise Absent(f"{count} pictures: a spread needs at least 2")
        return torch.cat(self.predicted).double(), torch.cat(self.truth).double()


class FID(Features):
    """Fréchet Inception distance (Heusel et al. 2017, arXiv:1706.08500): 0 and more.

    It grows as pictures get fewer, whatever their quality: compare equal numbers only.
    """

    def compute(self) -> float:
        predicted, truth = self.features()
        warn(len(truth))
        return frechet(predicted, truth)


class KID(Features):
    """Kernel Inception distance (Binkowski et al. 2018, arXiv:1801.01401), unbiased, so at times below 0.

    Of all pictures up to 1,000; beyond, the mean over 100 subsets of 1,000, as torch-fidelity draws them.
    """

    def compute(self) -> float:
        predicted, truth = self.features()
        count = len(truth)
        if count <= SUBSET:
            return mmd(predicted, truth)
        draw = np.random.RandomState(SEED)
        found = []
        for _ in range(SUBSETS):
            one, other = (torch.from_numpy(draw.choice(count, SUBSET, replace=False)) for _ in range(2))
            found.append(mmd(predicted[one], truth[other]))
        return float(np.mean(found))


@cache
def warn(pictures: int) -> None:
    """Say, once for a table, that an FID is of few pictures."""
    if pictures < ENOUGH:
        log.warning(
            "fid of %d pictures: below %d its bias outweighs it; hold it only against FIDs of as many, "
            "and see kid, which has no bias", pictures, ENOUGH,
        )  # fmt: skip


def frechet(x: Tensor, y: Tensor) -> float:
    """Squared Fréchet distance of the normal distributions fitted to (N, D) and (M, D).

    |mean_x - mean_y|^2 + Tr(S_x) + Tr(S_y) - 2 Tr sqrt(S_x S_y). With centred factors, S = A^T A, that last
    trace is the sum of the singular values of A_x A_y^T: no square root of a singular matrix.
    """
    factors = [(z - z.mean(dim=0)) / (len(z) - 1) ** 0.5 for z in (x, y)]
    a, b = (torch.linalg.qr(f).R if len(f) > f.shape[1] else f for f in factors)
    shift = (x.mean(dim=0) - y.mean(dim=0)).square().sum()
    spread = sum(f.square().sum() for f in factors)
    return float(shift + spread - 2 * torch.linalg.svdvals(a @ b.T).sum())


def mmd(x: Tensor, y: Tensor) -> float:
    """Unbiased squared maximum mean discrepancy of (N, D) and (M, D) under the kernel (x y / D + 1)^3."""
    n, m = len(x), len(y)
    xx, yy, xy = ((p @ q.T / x.shape[1] + 1) ** 3 for p, q in ((x, x), (y, y), (x, y)))
    within = (xx.sum() - xx.trace()) / (n * (n - 1)) + (yy.sum() - yy.trace()) / (m * (m - 1))
    return float(within - 2 * xy.mean())


@torch.no_grad()
def inception(rgb: Tensor) -> Tensor:
    """The 2048 features before Inception's classifier: sRGB (B, 3, H, W) 0..1 -> (B, 2048). Raises Absent."""
    with torch.autocast(rgb.device.type, enabled=False):
        return network(_inception, rgb.device)((255 * rgb).round().byte())[0].cpu()


def _inception() -> nn.Module:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    return FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
