"""Colour that stays with things as they move, and how much it flickers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from colorization.metric.ciede2000 import delta_e
from colorization.video.motion import Motion, motion

CUT = 0.25  # of a frame, of which that much less is seen again: another scene. Measured: docs/video.md


@dataclass
class Flicker:
    """The mean CIEDE2000 between what a thing's colour is and what it was a frame ago, lightness left alone.

    Attributes:
        total: the sum over frames.
        frames: how many have a frame of the same scene before them.
    """

    total: float = 0.0
    frames: int = 0

    @property
    def mean(self) -> float:
        """NaN where no frame follows another."""
        return self.total / self.frames if self.frames else float("nan")

    def add(self, L: Tensor, ab: Tensor, before: Tensor, moved: Motion) -> None:
        """Take in a frame of lightness L (1, 1, h, w): its ab, and that of the frame before, (1, 2, h, w)."""
        now, was = torch.cat([L, ab], dim=1), torch.cat([L, moved.carried(before)], dim=1)
        apart = delta_e(now, was) * moved.same[0]
        self.total += float(apart.sum() / moved.same.sum())
        self.frames += 1


@dataclass
class Steady:
    """Carries the colour of a film along its motion: a recursive mean, begun anew with each scene.

    Args:
        share: of the colour that is carried over where a thing is seen again, 0 (frame by frame) to below 1.

    Attributes:
        steadied, alone: the flicker of what is shown, and frame by frame.
        cuts: how many scenes began after the first.
    """

    share: float
    steadied: Flicker = field(default_factory=Flicker)
    alone: Flicker = field(default_factory=Flicker)
    cuts: int = 0
    _last: tuple[Tensor, Tensor, Tensor] | None = None  # lightness, colour as shown, colour as found

    def __call__(self, L: Tensor, ab: Tensor) -> Tensor:
        """The colour to show, (1, 2, h, w), of a frame with lightness L and the colour found in it."""
        shown = ab
        if self._last:
            before, carried, alone = (plane.to(L.device) for plane in self._last)
            moved = motion(L, before)
            if float(moved.same.mean()) < CUT:
                self.cuts += 1
            else:
                shown = ab + self.share * moved.same * (moved.carried(carried) - ab)
                self.steadied.add(L, shown, carried, moved)
                self.alone.add(L, ab, alone, moved)
        self._last = L, shown, ab
        return shown

    def state(self) -> dict[str, np.ndarray]:
        """All that the next frame depends on, to the last bit."""
        names = ("L", "shown", "ab")
        planes = {name: x.cpu().numpy() for name, x in zip(names, self._last or (), strict=False)}
        counts = [self.steadied.total, self.alone.total, self.steadied.frames, self.cuts]
        return planes | {"counts": np.array(counts, np.float64)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on where `state` was asked for."""
        L, shown, ab = (torch.from_numpy(state[name]) for name in ("L", "shown", "ab"))
        self._last = L, shown, ab
        steadied, alone, frames, cuts = (float(count) for count in state["counts"])
        self.steadied, self.alone = Flicker(steadied, int(frames)), Flicker(alone, int(frames))
        self.cuts = int(cuts)
