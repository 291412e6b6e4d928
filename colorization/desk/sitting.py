"""One photo in the studio: its clicks and settings, and the pictures that they make."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorization.color import lab
from colorization.color.lightness import lightness
from colorization.darkroom import marked
from colorization.data.batch import Given
from colorization.desk.abilities import Abilities, abilities
from colorization.desk.points import Points
from colorization.desk.remembered import Remembered
from colorization.objective.base import Objective
from colorization.objective.distribution import Likely
from colorization.painter import Painter
from colorization.picture.original import Original
from colorization.picture.reading import frames
from colorization.picture.tone import tone_of

PREVIEW = 1024  # pixels of the longer side that is looked at while a photo is worked on
THUMB = 200  # of a sample's small picture
SUGGESTED = 6  # colours at a point


@dataclass(frozen=True, eq=False)
class Studio:
    """What all photos have in common.

    Attributes:
        name: what the mark in their metadata calls the network.
        painter: finds their colour.
        samples: how many further colourings are offered.
    """

    name: str
    painter: Painter
    samples: int = 4
    turn: Lock = field(default_factory=Lock, repr=False)

    @cached_property
    def can(self) -> Abilities:
        """What its network can do."""
        return abilities(self.painter.colorizer)

    @contextmanager
    def decoding(self, vivid: float | None, chroma: float) -> Iterator[Objective]:
        """Its objective for one visitor at a time, decoding as that one has chosen."""
        objective = self.painter.colorizer.objective
        with self.turn, objective.decoded(vivid=vivid, chroma=chroma):
            yield objective

    def open(self, path: Path) -> "Sitting":
        """A photo on the table: of several frames or pages the first.

        Raises:
            UnreadablePicture: it cannot be read.
        """
        found = frames(path)
        first = next(found)
        said = list(first.said)
        if next(found, None) is not None:
            said.append("it has several pictures: the first is shown, and downloaded")
        if tone_of(first) != "grey":
            said.append("it has colour of its own: its lightness is coloured anew")
        # When it was uploaded is no date of the photo's.
        first = replace(first, metadata=replace(first.metadata, times=None))
        return Sitting(self, path.name, first, Points(first.size), tuple(said))


class Sitting:
    """One photo, worked on with one network.

    Attributes:
        name: of its file.
        points: of colour; those of a network that takes none are left out.
        said: what a person should know of it.
        vivid, chroma: as predict takes them; vivid None: the objective's own decoding.
        chosen: which colouring is shown, 0 the one best, from 1 a sample.
        suggested: the colours that are likely at the pixel that was asked about last. They are the photo's
            alone: where points spread by kriging, these leave them as they are.
    """

    def __init__(
        self, studio: Studio, name: str, original: Original, points: Points, said: tuple[str, ...] = ()
    ):
        self.studio, self.name, self.original, self.points, self.said = studio, name, original, points, said
        painter = studio.painter
        scale = min(1, PREVIEW / max(original.size))
        width, height = (max(round(side * scale), 1) for side in original.size)
        self._preview = Original(np.asarray(original.shown((width, height))))
        self._small = original.shown(painter.seen(original.size))
        self._network = Remembered(painter.colorizer.network)
        self.vivid, self.chroma = painter.colorizer.objective.vivid, painter.colorizer.objective.chroma
        self.chosen = 0
        self.suggested: list[Likely] = []

    def under(self, studio: Studio) -> "Sitting":
        """The same photo with the same points, worked on with another network."""
        return Sitting(studio, self.name, self.original, self.points, self.said)

    def grey(self) -> Image.Image:
        """The photo's lightness, small enough to look at."""
        grey = lab.to_uint8(lab.grey(lightness(self._preview.pixels)))
        return Image.fromarray(grey[0, 0].numpy())

    def coloured(self) -> Image.Image:
        """The chosen colouring, as small."""
        given = self._given()
        return self.studio.painter.laid(self._preview, given.L, self._colours(given)[self.chosen]).shown()

    def samples(self) -> list[Image.Image]:
        """The one best and each sample, smaller."""
        given = self._given()
        scale = min(1, THUMB / max(self._preview.size))
        width, height = (max(round(side * scale), 1) for side in self._preview.size)
        small = Original(np.asarray(self._preview.shown((width, height))))
        return [
            self.studio.painter.laid(small, given.L, ab).shown() for ab in self._colours(given, every=True)
        ]

    def finished(self) -> Original:
        """The photo in full, in the chosen colouring, marked as predict marks it."""
        given = self._given()
        made = self.studio.painter.laid(self.original, given.L, self._colours(given)[self.chosen])
        return marked(made, self.studio.name)

    @torch.no_grad()
    def look(self) -> None:
        """See what is likely at the pixel that is asked about, where the network can say: `suggested`."""
        self.suggested = []
        if self.studio.can.likely or not self.points.at:
            return
        (width, height), (x, y), given = self.original.size, self.points.at, self._given()
        row, column = y * given.L.shape[-2] / height, x * given.L.shape[-1] / width
        L = float(lightness(self.original.pixels[int(y) : int(y) + 1, int(x) : int(x) + 1]))
        with self.studio.turn:
            held = self.studio.painter.colorizer.objective.distribution(self._network, given)
        self.suggested = held.likely(row, column, L, SUGGESTED)

    def _given(self) -> Given:
        clicks = () if self.studio.can.points else self.points.clicks
        painter = replace(self.studio.painter, clicks=clicks)
        return painter.given(self._small, self.original.size)

    @torch.no_grad()
    def _colours(self, given: Given, every: bool = False) -> Sequence[Tensor]:
        """Ab (1, 2, h, w) of the one best, and of the samples where one is chosen or all are asked for."""
        with self.studio.decoding(self.vivid, self.chroma) as objective:
            best = objective.colouring(self._network, given)
            if not self.studio.samples or not (every or self.chosen) or not objective.samples:
                return [best]
            drawn = objective.chroma * objective.sample(self._network, given, self.studio.samples)
        return [best, *drawn]
