"""Drawn colourings of scenes beside the distribution that their colours come from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.stats import chisquare
from torch import Tensor

from colorization.color.lab import rgb_to_lab
from colorization.data.scenes.dataset import Scenes
from colorization.data.scenes.truth import Count, Truth, tally
from colorization.metric.diversity import energy_distance
from colorization.objective.base import Column
from colorization.objective.classification import calibration
from colorization.protocol import Protocol
from colorization.scoring.predictions import Colour, Coloured

NAME = "energy_distance"
COLUMN = Column("CIE", "lower")
GROUPS = 10  # of forecasts, by their probability


class Known:
    """What `colour` gives, with the energy distance of each picture's samples to the truth beside it.

    Counts, too, how often the ambiguous objects took each of their alternatives: as a whole, by kind, and as
    forecasts that come true or not.

    Args:
        colour: how pictures are coloured; it draws several.
        data: the scenes.
        split: of the data.
        protocol: how colourings are shown.
    """

    def __init__(self, colour: Colour, data: Scenes, split: str, protocol: Protocol):
        self.colour, self.data, self.split, self.protocol = colour, data, split, protocol
        self.counts: dict[str, dict[str, Count]] = {}
        self.forecasts: list[tuple[float, float]] = []

    def __call__(self, index: Tensor, truth: Tensor) -> Coloured:
        coloured = self.colour(index, truth)
        assert coloured.drawn is not None
        scenes = [self.data.truth(self.split, int(i)) for i in index]
        L, _ = rgb_to_lab(truth).split([1, 2], dim=1)
        drawn = self._shown(L, coloured.drawn.cpu())
        rows = [np.random.default_rng(int(i)) for i in index]
        true = [
            np.stack([scene.sample(rng) for scene, rng in zip(scenes, rows, strict=True)])
            for _ in range(len(drawn))
        ]
        right = self._shown(L, torch.from_numpy(np.stack(true)).movedim(-1, 2))
        for k, scene in enumerate(scenes):
            self._count(scene, drawn[:, k, 1:].movedim(1, -1).numpy())
        distance = energy_distance(drawn, right).to(coloured.colours)
        return coloured._replace(columns={**coloured.columns, NAME: distance})

    def told(self) -> dict[str, Any]:
        """For the summary, once all pictures are counted."""
        return {"objects": self.objects(), "calibration": self.calibration()} if self.forecasts else {}

    def objects(self) -> dict[str, Any]:
        """Of each kind: how many were drawn, each alternative's share, the true one, chi-square's p."""
        return {kind: _proportions(of) for kind, of in sorted(self.counts.items())}

    def calibration(self) -> list[list[float]]:
        """Of each group of forecasts: their mean share among a picture's samples, the true one, how many."""
        forecast, true = torch.tensor(self.forecasts).T
        curve = calibration(forecast[None, :, None, None], true[None, :, None, None], GROUPS)
        return [row for row in curve.tolist() if row[2]]

    def _shown(self, L: Tensor, ab: Tensor) -> Tensor:
        """Ab (n, B, 2, H, W) -> the Lab (n, B, 3, H, W) that is seen."""
        return torch.stack([rgb_to_lab(self.protocol.rgb(L, one)) for one in ab])

    def _count(self, scene: Truth, drawn: np.ndarray) -> None:
        """Take in a scene's samples (n, H, W, 2)."""
        found = tally((scene, ab) for ab in drawn)
        for kind, alternatives in found.items():
            known = self.counts.setdefault(kind, {name: Count() for name in alternatives})
            for name, count in alternatives.items():
                known[name].seen += count.seen
                known[name].expected += count.expected
        taken = np.array([scene.nearest(ab) for ab in drawn])
        for number, choice in enumerate(scene.objects):
            if taken[0, number] >= 0:
                shares = [(taken[:, number] == k).mean() for k in range(len(choice.names))]
                self.forecasts += list(zip(map(float, shares), choice.probability, strict=True))


def _proportions(alternatives: Mapping[str, Count]) -> dict[str, Any]:
    seen = [count.seen for count in alternatives.values()]
    expected = [count.expected for count in alternatives.values()]
    total = sum(seen)
    return {
        "drawn": total,
        "share": {name: count.seen / total for name, count in alternatives.items()},
        "true": {name: count.expected / total for name, count in alternatives.items()},
        "p": float(chisquare(seen, expected).pvalue),
    }
