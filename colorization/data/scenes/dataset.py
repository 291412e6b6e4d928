"""data=scenes: drawn pictures in three splits, and what the best possible colourings of them score."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colorization.data.module import PictureData
from colorization.data.scenes.noise import Array
from colorization.data.scenes.source import SPLITS, SceneSource
from colorization.data.scenes.truth import Truth
from colorization.data.source import Source

SMALLEST = 32  # pixels per side: below, two ambiguous objects could share a pixel


@dataclass(kw_only=True, eq=False)
class Scenes(PictureData):
    """Landscapes, seas, forests, streets, fruit, balloons: drawn, any number, needing no download.

    Most colours follow from the grey picture. Some things are ambiguous by construction, so that the
    distribution of every pixel's colour given the grey picture is known; see `Truth`.

    Args:
        pictures: to train on.
        val_pictures: to choose checkpoints by.
        test_pictures: to score on.
        scene_seed: which pictures; apart from `seed`, so that runs with other seeds see the same ones.
    """

    pictures: int = 4000
    val_pictures: int = 200
    test_pictures: int = 200
    scene_seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("pictures", "val_pictures", "test_pictures"):
            if getattr(self, name) < 1:
                raise ValueError(f"data.{name}={getattr(self, name)}: must be at least 1")
        if self.scene_seed < 0:
            raise ValueError(f"data.scene_seed={self.scene_seed}: must be 0 or more")
        if self.image_size < SMALLEST:
            raise ValueError(f"data.image_size={self.image_size}: scenes are drawn from {SMALLEST} pixels on")

    def sources(self) -> dict[str, Source]:
        """The scenes of each split."""
        counts = (self.pictures, self.val_pictures, self.test_pictures)
        return {
            split: SceneSource.first(self.scene_seed, split, count)
            for split, count in zip(SPLITS, counts, strict=True)
        }

    def truth(self, split: str, index: int) -> Truth:
        """What is known about picture `index` of a split, at the size it is packed at."""
        source = self.sources()[split]
        assert isinstance(source, SceneSource)
        return source.truth(source.names[index], self._size(split))

    def truths(self, split: str) -> Iterator[Truth]:
        """What is known about each picture of a split, drawn one at a time."""
        return (self.truth(split, index) for index in range(len(self.sources()[split].names)))

    def best_psnr(self, split: str) -> float:
        """Mean PSNR (dB) of the conditional mean: what the perfect regression of ab scores.

        No colouring has a smaller expected squared error. A mean of dB is not a mean of errors, though: a bet
        on one alternative, exact everywhere else and now and then wholly right (60 dB), can average more dB.
        """
        return float(np.mean([truth.psnr(truth.mean()) for truth in self.truths(split)]))

    def entropy_floor(self, split: str, label: Callable[[Array], NDArray[np.integer]] | None = None) -> float:
        """Mean bits per pixel, the least that a per-pixel cross-entropy can reach; see `Truth.entropy`."""
        return float(np.mean([truth.entropy(label).mean() for truth in self.truths(split)]))
