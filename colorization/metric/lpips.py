"""LPIPS: how far apart two pictures are to a network (Zhang et al. 2018, arXiv:1801.03924)."""

import warnings
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from colorization.metric.base import Metric, Pair, TooSmall
from colorization.metric.network import network

Distance = Callable[[Tensor, Tensor], Tensor]  # (B, 3, H, W) in -1..1 twice -> (B, 1, 1, 1)
NEEDED = {"alex": 31, "vgg": 16}  # pixels a side, for the last layer to see one


class LPIPS:
    """The authors' own package and weights (version 0.1), on pictures scaled to -1..1, as it asks.

    The two networks give different numbers, and so do pictures in 0..1, with which some papers scored.

    Args:
        net: "alex", which the authors recommend for scoring, or "vgg".
        distance: in place of that network; null: the network itself, whose weights are downloaded.
    """

    def __init__(self, net: Literal["alex", "vgg"] = "alex", distance: Distance | None = None):
        if net not in NEEDED:
            raise ValueError(f"net={net!r}: choose {' or '.join(map(repr, NEEDED))}")
        self.net, self.distance = net, distance

    @torch.no_grad()
    def __call__(self, pair: Pair) -> Tensor:
        """LPIPS of each picture, (B,), 0 and more. Raises Absent."""
        side = min(pair.truth.shape[-2:])
        if side < NEEDED[self.net]:
            raise TooSmall(side, NEEDED[self.net], f"{self.net} needs")
        device = pair.truth.device
        distance = self.distance or network(_alex if self.net == "alex" else _vgg, device)
        with torch.autocast(device.type, enabled=False):
            return distance(2 * pair.predicted - 1, 2 * pair.truth - 1).flatten()


def _alex() -> nn.Module:
    return _library("alex")


def _vgg() -> nn.Module:
    return _library("vgg")


def _library(net: str) -> nn.Module:
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls torchvision by names of old
        return lpips.LPIPS(net=net, verbose=False)


alex = Metric(LPIPS("alex"), better="lower")
vgg = Metric(LPIPS("vgg"), better="lower")
