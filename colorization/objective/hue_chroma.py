"""Two histograms for each pixel, of its hue and of its chroma."""

import math
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, one_hot, pad

from colorization.color import hue_chroma, lab
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.model.size import covering, cropped
from colorization.objective.base import NETWORK, Losses, Needs, Objective, at_stride, output, upsample

Of = Literal["expectation", "mode"]
OfChroma = Literal["median", "expectation", "mode"]


class HueChroma(Objective):
    """Histograms of hue and of chroma (Larsson, Maire and Shakhnarovich 2016, arXiv:1603.06668).

    The label of a position is the histogram of the pixels around it. The loss is the Kullback-Leibler
    divergence of both, that of hue weighted by the pixel's chroma: grey has no hue.

    Args:
        bins: of each histogram, 32 in the paper.
        window: pixels of the side of what is around a position, odd: 7 in the authors' code.
        hue_weight: of the divergence of hue beside that of chroma, 5 in the paper.
        chroma_by: how chroma is decoded: "median" in the paper, "expectation" or "mode".
        hue_by: how hue is decoded: "expectation" on the circle in the paper, or "mode".
        fading: length of the circle's expectation below which chroma fades to grey, for its direction means
            little there: 0.03 in the paper; 0 turns it off.
    """

    decoding = MappingProxyType(
        {
            "chroma_by": "how chroma is decoded: median, expectation or mode",
            "hue_by": "how hue is decoded: expectation or mode",
            "fading": "length of the expected hue below which chroma fades to grey",
        }
    )

    def __init__(
        self,
        bins: int = 32,
        window: int = 7,
        hue_weight: float = 5.0,
        chroma_by: OfChroma = "median",
        hue_by: Of = "expectation",
        fading: float = 0.03,
    ):
        super().__init__()
        if bins < 2 or window < 1 or not window % 2 or not hue_weight >= 0:
            raise ValueError(
                f"bins={bins} window={window} hue_weight={hue_weight}: choose 2 bins or more, an odd window,"
                " and a weight of 0 or more"
            )
        self.bins, self.window, self.hue_weight = bins, window, hue_weight
        self.chroma_by, self.hue_by, self.fading = chroma_by, hue_by, fading
        self.needs = Needs(out=2 * bins)

    @property
    def chroma_by(self) -> OfChroma:
        """How chroma is decoded."""
        return self._chroma_by

    @chroma_by.setter
    def chroma_by(self, value: OfChroma) -> None:
        if value not in ("median", "expectation", "mode"):
            raise ValueError(f"chroma_by={value!r}: choose 'median', 'expectation' or 'mode'")
        self._chroma_by = value

    @property
    def hue_by(self) -> Of:
        """How hue is decoded."""
        return self._hue_by

    @hue_by.setter
    def hue_by(self, value: Of) -> None:
        if value not in ("expectation", "mode"):
            raise ValueError(f"hue_by={value!r}: choose 'expectation' or 'mode'")
        self._hue_by = value

    @property
    def fading(self) -> float:
        """Length of the expected hue below which chroma fades to grey."""
        return self._fading

    @fading.setter
    def fading(self, value: float) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"fading={value}: choose 0 (off) to 1 (0.03 in the paper)")
        self._fading = value

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        """The loss and its parts "hue", weighted by chroma, and "chroma", in nats."""
        logits = output(network, batch.given).float()
        hue, chroma = logits.split(self.bins, dim=1)
        hues, chromas = hue_chroma.hue_chroma(lab.merge(batch.L, batch.ab, "clip"))
        own = at_stride(chromas[:, None], network.stride)[:, 0]
        of_hue = (own * divergence(self.histogram(hues, network.stride), hue)).mean()
        of_chroma = divergence(self.histogram(chromas, network.stride), chroma).mean()
        return Losses(
            of_chroma + self.hue_weight * of_hue,
            ab=lambda: self._decoded(logits, network, batch.given),
            logged={"hue": of_hue, "chroma": of_chroma},
        )

    def predict(self, network: Network, given: Given) -> Tensor:
        return self._decoded(output(network, given).float(), network, given)

    def histogram(self, values: Tensor, stride: int) -> Tensor:
        """The share of each bin in the window around each output position's pixel, within the picture.

        Shape: (B, H, W), 0..1 -> (B, bins, ceil(H / stride), ceil(W / stride)).
        """
        index = (values * self.bins).long().clamp(0, self.bins - 1)
        around = self.window // 2
        rows, columns = (covering(side, stride) for side in index.shape[-2:])
        marks = one_hot(index, self.bins).movedim(-1, 1).to(values)
        marks = pad(marks, (around, around + stride, around, around + stride))[
            ..., stride // 2 :, stride // 2 :
        ]
        shares = cropped(avg_pool2d(marks, self.window, stride=stride), rows, columns)
        return shares / shares.sum(dim=1, keepdim=True)

    def _decoded(self, logits: Tensor, network: Network, given: Given) -> Tensor:
        hue, chroma = (part.softmax(dim=1) for part in logits.split(self.bins, dim=1))
        angle, length = self._hue(hue)
        strength = self._chroma_of(chroma)
        if self.fading:
            strength = strength * (length / self.fading).clamp(max=1)
        ab = hue_chroma.ab(angle, strength, at_stride(given.L, network.stride))
        return upsample(ab, network.stride, given.L)

    def _hue(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        """Histograms (B, bins, H, W) -> hue 0..1 and the length of the circle's expectation, (B, H, W)."""
        angles = 2 * math.pi * self._centres(shares)
        x, y = (angles.cos() * shares).sum(dim=1), (angles.sin() * shares).sum(dim=1)
        length = (x.square() + y.square() + 1e-12).sqrt()
        if self.hue_by == "mode":
            return (shares.argmax(dim=1) + 0.5) / self.bins, length
        return torch.atan2(y, x) / (2 * math.pi) % 1.0, length

    def _chroma_of(self, shares: Tensor) -> Tensor:
        """Histograms (B, bins, H, W) -> chroma 0..1, (B, H, W)."""
        if self.chroma_by == "mode":
            return (shares.argmax(dim=1) + 0.5) / self.bins
        if self.chroma_by == "expectation":
            return (self._centres(shares) * shares).sum(dim=1)
        below = shares.cumsum(dim=1)
        bin = (below < 0.5).sum(dim=1, keepdim=True).clamp(max=self.bins - 1)
        share, end = shares.gather(1, bin), below.gather(1, bin)
        return ((bin + 1 - (end - 0.5) / share.clamp(min=1e-12)) / self.bins)[:, 0]

    def _centres(self, shares: Tensor) -> Tensor:
        return ((torch.arange(self.bins, device=shares.device) + 0.5) / self.bins)[:, None, None]


def divergence(shares: Tensor, logits: Tensor) -> Tensor:
    """KL(shares || softmax(logits)) of each position in nats: (B, bins, H, W) twice -> (B, H, W)."""
    return (torch.xlogy(shares, shares) - shares * logits.log_softmax(dim=1)).sum(dim=1)
