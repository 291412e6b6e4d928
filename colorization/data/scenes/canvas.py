"""A canvas in Lab whose lightness cannot depend on what the ambiguous objects take."""

from dataclasses import dataclass

import numpy as np

from colorization.data.scenes.gamut import chroma_factor
from colorization.data.scenes.noise import Array
from colorization.data.scenes.truth import Choice, Truth

BRIGHT, PIVOT = 58, 56  # the L around which contrast is stretched, and what becomes of it
GAP = (
    1 / 24
)  # of the side, between two ambiguous objects: more than a pixel at 32 x 32, so no border is shared


@dataclass(frozen=True)
class Material:
    """The colour of a surface at one lightness.

    Under more or less light, XYZ scale together, so that in Lab a, b and L + 16 scale together: a surface
    of colour (L, a, b) that appears with lightness L' has ab * (L' + 16) / (L + 16).
    """

    L: float
    a: Array | float
    b: Array | float


@dataclass(frozen=True)
class Variants:
    """What an ambiguous kind of object can be: all alternatives at the same lightness."""

    kind: str
    L: float
    ab: dict[str, tuple[float, float]]
    probability: tuple[float, ...]


@dataclass(frozen=True)
class Placed:
    """An ambiguous object on the canvas: its number, and the lightness its alternatives are given at."""

    number: int
    L: float


@dataclass(frozen=True)
class Window:
    """A part of the canvas: where it is, and the coordinates (0..1, downwards) of its pixels' centres."""

    rows: slice
    columns: slice
    x: Array  # (1, w)
    y: Array  # (h, 1)

    @property
    def box(self) -> tuple[slice, slice]:
        """The index of the window in (H, W)."""
        return self.rows, self.columns


class Canvas:
    """Layers of soft coverage in Lab; coordinates run from 0 to 1, x to the right and y down.

    Args:
        size: pixels per side.
        chance: decides which alternative each ambiguous object takes, and nothing else.
    """

    def __init__(self, size: int, chance: np.random.Generator) -> None:
        self.size = size
        self.chance = chance
        self.centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
        self.L: Array = np.zeros((size, size), np.float32)
        self.ab: Array = np.zeros((2, size, size), np.float32)
        self.weight: Array = np.zeros((size, size), np.float32)
        self.object_id = np.zeros((size, size), np.int32)
        self.choices: list[Choice] = []
        self._taken: list[tuple[float, float, float, float]] = []

    def window(self, left: float = 0, top: float = 0, right: float = 1, bottom: float = 1) -> Window:
        """The pixels that a shape within these bounds can touch."""
        rows = slice(max(0, int(top * self.size) - 1), min(self.size, max(0, int(bottom * self.size) + 2)))
        columns = slice(max(0, int(left * self.size) - 1), min(self.size, max(0, int(right * self.size) + 2)))
        return Window(rows, columns, self.centres[None, columns], self.centres[rows, None])

    def cover(self, distance: Array) -> Array:
        """Signed distance to an edge (negative inside) -> coverage 0..1, soft over one pixel."""
        return np.clip(np.float32(0.5) - distance * np.float32(self.size), 0, 1)

    def place(
        self, variants: Variants, left: float, top: float, right: float, bottom: float
    ) -> Placed | None:
        """A new ambiguous object, which takes its alternative now; None if the box touches another one's."""
        for x0, y0, x1, y1 in self._taken:
            if left < x1 + GAP and right > x0 - GAP and top < y1 + GAP and bottom > y0 - GAP:
                return None
        self._taken.append((left, top, right, bottom))
        steps = np.cumsum(variants.probability[:-1])
        taken = int(np.searchsorted(steps, self.chance.random(), side="right"))
        self.choices.append(
            Choice(
                variants.kind, tuple(variants.ab), variants.probability, tuple(variants.ab.values()), taken
            )
        )
        return Placed(len(self.choices), variants.L)

    def paint(self, window: Window, alpha: Array, L: Array | float, colour: Material | Placed) -> None:
        """Lay a surface over the window: coverage alpha (h, w), lightness L."""
        box = window.box
        keep = 1 - alpha
        tone = alpha * ((L + np.float32(16)) / np.float32(colour.L + 16))
        self.L[box] = self.L[box] * keep + alpha * L
        self.ab[:, *box] *= keep
        self.weight[box] *= keep
        if isinstance(colour, Placed):
            self.weight[box] += tone
            self.object_id[box] = np.where(alpha > 0, colour.number, self.object_id[box])
        else:
            self.ab[0][box] += tone * colour.a
            self.ab[1][box] += tone * colour.b

    def shade(self, window: Window, factor: Array) -> None:
        """More or less light on what is there: a shadow below 1, a glow above."""
        box = window.box
        self.L[box] = np.clip((self.L[box] + 16) * factor - 16, 0, 100)
        self.ab[:, *box] *= factor
        self.weight[box] *= factor

    def finish(self, contrast: float, grain: Array) -> Truth:
        """Contrast, then film grain in L, then all alternatives into sRGB by one factor for all."""
        everything = self.window()
        toned = np.clip(PIVOT + contrast * (self.L - BRIGHT), 2, 98)
        self.shade(everything, (toned + 16) / (self.L + 16))
        L = np.clip(self.L + grain, 2, 98)
        factor = chroma_factor(L.ravel(), self.ab.reshape(2, -1)).reshape(L.shape)
        object_id = np.where(self.weight > np.float32(1e-3), self.object_id, 0)
        weight = np.where(object_id > 0, self.weight, 0)
        for number, choice in enumerate(self.choices, start=1):
            mask = object_id == number
            ab = self.ab[:, mask] + weight[mask] * np.array(choice.ab, np.float32)[:, :, None]
            factor[mask] = chroma_factor(L[mask], ab).min(axis=0)
        return Truth(L, object_id, tuple(self.choices), self.ab * factor, weight * factor)
