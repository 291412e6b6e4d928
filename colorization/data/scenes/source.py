"""Where scenes come from. Needs no torch, so that the processes which draw start at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorization.data.scenes.truth import Truth
from colorization.data.scenes.views import render

SPLITS = ("train", "val", "test")
DRAWING = 1  # version of what is drawn: a change makes new packs and new fingerprints


class SceneSource:
    """The scenes of one split, by name.

    Args:
        seed: which pictures.
        split: train, val or test.
        names: such as "scenes-0-train-000123".
    """

    def __init__(self, seed: int, split: str, names: Sequence[str]) -> None:
        self.seed, self.split, self.names = seed, split, names

    @classmethod
    def first(cls, seed: int, split: str, count: int) -> "SceneSource":
        """The first `count` scenes of a split: fewer are always a part of more."""
        return cls(seed, split, [f"scenes-{seed}-{split}-{index:06d}" for index in range(count)])

    def only(self, names: Sequence[str]) -> "SceneSource":
        """The same scenes with these names."""
        return SceneSource(self.seed, self.split, names)

    def load(self, name: str, size: int) -> NDArray[np.uint8]:
        """Draw a scene: uint8 (size, size, 3)."""
        return self.truth(name, size).picture()

    def truth(self, name: str, size: int) -> Truth:
        """What is known about a scene at this size."""
        return render(self.seed, SPLITS.index(self.split), int(name.rpartition("-")[2]), size)

    def describe(self) -> dict[str, Any]:
        """What decides the pictures."""
        return {"kind": "scenes", "drawing": DRAWING, "seed": self.seed, "split": self.split}
