"""How vivid a network's accurate colours have to be made: fitted on a sparse grid of validation pixels.

The grid of every validation picture stays in memory, about 24 kB each, so that neither the fit nor the
numbers of the vivid end take a second forward.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from scipy.optimize import brentq
from torch import Tensor

from colorization.color import lab
from colorization.metric.base import Pair
from colorization.metric.chroma import is_grey
from colorization.metric.ciede2000 import ciede2000
from colorization.metric.colorfulness import colorfulness, of_predicted
from colorization.metric.psnr import psnr
from colorization.objective.vivid import Vividness, stretched
from colorization.protocol import Protocol
from colorization.scorer import gathered

SIDE = 32  # of the grid, about
MOST = 32.0  # no factor is sought beyond it: such colours are grey

Change = Callable[[Tensor, float], Tensor]  # ab (B, 2, H, W) and how much -> ab that is more colourful
MEASURED: dict[str, Callable[[Pair], Tensor]] = {
    "psnr": psnr,
    "ciede2000": ciede2000,
    "colorfulness": of_predicted,
}


class Part(NamedTuple):
    """Some pixels of some pictures that have colour: L, accurate ab, and the truth, sRGB 0..1."""

    L: Tensor
    ab: Tensor
    truth: Tensor


class Pixels:
    """Accurate colours beside the truth, batch by batch.

    Args:
        protocol: how colours are shown and which pictures count.
    """

    def __init__(self, protocol: Protocol):
        self.protocol = protocol
        self.parts: list[Part] = []

    @torch.no_grad()
    def add(self, truth: Tensor, accurate: Tensor) -> None:
        """Take in pictures (B, 3, H, W) uint8 sRGB and their accurate colours (B, 2, H, W)."""
        step = max(1, min(truth.shape[-2:]) // SIDE)
        truth, ab = (
            planes[..., step // 2 :: step, step // 2 :: step] for planes in (truth, accurate.float())
        )
        L, _ = lab.split(truth)
        counted = self.protocol.counted(is_grey(Pair(truth / 255, truth / 255)))
        self.parts.append(Part(L[counted], ab[counted], truth[counted] / 255))

    def fit(self) -> Vividness | None:
        """What brings these pictures to the truth's mean colorfulness; all processes have to ask.

        None: there are no pictures, no factor does (all is grey), or colours are not finite.
        """
        wanted = self._mean(lambda part: colorfulness(part.truth))
        if not wanted > 0:
            return None
        gain = self._sought(lambda ab, factor: ab * factor, wanted)
        strength = self._sought(stretched, wanted)
        return None if gain is None or strength is None else Vividness(gain, strength)

    def numbers(self, vividness: Vividness) -> dict[str, float]:
        """PSNR, CIEDE2000 and colorfulness of the vivid end, on the grid; all processes have to ask."""
        made = {name: partial(self._measured, of, vividness.strength) for name, of in MEASURED.items()}
        return {name: self._mean(measure) for name, measure in made.items()}

    def _measured(self, measure: Callable[[Pair], Tensor], strength: float, part: Part) -> Tensor:
        return measure(Pair(self.protocol.rgb(part.L, stretched(part.ab, strength)), part.truth))

    def _sought(self, change: Change, wanted: float) -> float | None:
        """How much of a change, 0..MOST, makes the mean colorfulness `wanted`: Brent's method (1973)."""

        def missing(amount: float) -> float:
            return wanted - self._mean(
                lambda part: colorfulness(self.protocol.rgb(part.L, change(part.ab, amount)))
            )

        return brentq(missing, 0, MOST, xtol=1e-3) if missing(MOST) < 0 else None

    def _mean(self, measure: Callable[[Part], Tensor]) -> float:
        """The mean over all pictures of all processes; NaN without any."""
        values = [measure(part).cpu().double() for part in self.parts]
        here = (sum(float(v.sum()) for v in values), sum(len(v) for v in values))
        total, count = map(sum, zip(*gathered(here), strict=True))
        return total / count if count else float("nan")
