"""What is known about a scene: its lightness and, for each pixel, the exact distribution of its colour."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from colorization.data.scenes.gamut import lab_to_uint8
from colorization.data.scenes.noise import Array

PSNR_CAP = 60.0  # dB, as the metric `psnr` has it: a picture without anything ambiguous is predicted exactly


@dataclass(frozen=True)
class Choice:
    """One object whose colour its grey does not tell.

    Attributes:
        kind: what it is, such as "balloon".
        names: its alternatives, such as ("red", "green", "blue").
        probability: of each alternative; sums to 1.
        ab: of each alternative, at the object's own lightness.
        taken: the alternative in the rendered picture.
    """

    kind: str
    names: tuple[str, ...]
    probability: tuple[float, ...]
    ab: tuple[tuple[float, float], ...]
    taken: int


@dataclass(frozen=True)
class Truth:
    """The distribution of ab given the grey picture, exactly: no pixel shows more than one ambiguous object.

    In each pixel ab = base + weight * (ab of the alternative that the pixel's object takes), the objects
    are independent of each other, and L is the same whatever they take.

    Attributes:
        L: (H, W) lightness, 0..100, before rounding to 8 bits.
        object_id: (H, W) int, 0 where the colour is certain, else 1 + the position in `objects`.
        objects: the ambiguous objects of the scene, hidden ones too.
    """

    L: Array
    object_id: NDArray[np.int32]
    objects: tuple[Choice, ...]
    base: Array = field(repr=False)  # (2, H, W)
    weight: Array = field(repr=False)  # (H, W)

    @property
    def taken(self) -> tuple[int, ...]:
        """The alternative that each object takes in the rendered picture."""
        return tuple(choice.taken for choice in self.objects)

    @property
    def ab(self) -> Array:
        """(K, H, W, 2) each alternative's colour; where a pixel has fewer, the rest have probability 0."""
        return np.stack([self._colour(column) for column in self._alternatives()])

    @property
    def probability(self) -> Array:
        """(K, H, W) the probability of each alternative; sums to 1 over K."""
        return self._probabilities()[self.object_id].transpose(2, 0, 1)

    def colour(self, taken: Sequence[int]) -> Array:
        """Ab (H, W, 2) when the objects take these alternatives."""
        table = self._alternatives()
        rows = [table[0, 0], *(table[k, number] for number, k in enumerate(taken, start=1))]
        return self._colour(np.stack(rows))

    def mean(self) -> Array:
        """Ab (H, W, 2): the conditional mean, what the best regression predicts."""
        return self._colour(np.einsum("kno,nk->no", self._alternatives(), self._probabilities()))

    def sample(self, rng: np.random.Generator) -> Array:
        """Ab (H, W, 2) drawn from the truth: each object takes one alternative as a whole."""
        return self.colour([int(rng.choice(len(c.names), p=c.probability)) for c in self.objects])

    def picture(self, ab: Array | None = None) -> NDArray[np.uint8]:
        """(H, W, 3) sRGB in 8 bits: this lightness under colour ab (H, W, 2), by default the true one."""
        return lab_to_uint8(self.L, np.moveaxis(self.colour(self.taken) if ab is None else ab, -1, 0))

    def entropy(self, label: Callable[[Array], NDArray[np.integer]] | None = None) -> Array:
        """(H, W) bits: the entropy of each pixel's own distribution, which no per-pixel cross-entropy beats.

        Args:
            label: ab (K, H, W, 2) -> integers (K, H, W): alternatives with one label count as one, as they
                do for a model over bins. By default alternatives count as one where they round to the same
                8-bit colour, as on the far edge of a soft border.
        """
        ab, probability = self.ab, self.probability.astype(np.float64)
        labels = np.stack([self._code(one) for one in ab]) if label is None else label(ab)
        bits = np.zeros(self.L.shape)
        for one, p in zip(labels, probability, strict=True):
            alike = np.where(labels == one, probability, 0).sum(axis=0)
            bits -= p * np.log2(np.where(p > 0, alike, 1))
        return np.maximum(bits, 0).astype(np.float32)

    def joint_entropy(self) -> float:
        """Bits of the whole picture: the floor of a model that colours each object as a whole."""
        probability = self._probabilities()[np.unique(self.object_id)].astype(np.float64)
        return float(-(probability * np.log2(np.where(probability > 0, probability, 1))).sum())

    def nearest(self, ab: Array, least: int = 12) -> tuple[int, ...]:
        """For each object, the alternative that a colouring ab (H, W, 2) is nearest to, by squared error.

        An object with fewer than `least` visible pixels gets -1.
        """
        error = ((self.ab - ab) ** 2).sum(axis=-1)
        result = []
        for number, choice in enumerate(self.objects, start=1):
            mask = self.object_id == number
            enough = np.count_nonzero(mask) >= least
            result.append(int(error[: len(choice.names), mask].sum(axis=1).argmin()) if enough else -1)
        return tuple(result)

    def psnr(self, ab: Array) -> float:
        """PSNR of this lightness under ab (H, W, 2) against the rendered picture, 8 bits: dB, up to 60."""
        difference = self.picture(ab).astype(np.float64) - self.picture()
        error = float((difference**2).mean())
        return min(PSNR_CAP, 10 * float(np.log10(255**2 / error))) if error else PSNR_CAP

    def _code(self, ab: Array) -> NDArray[np.int64]:
        """Ab (H, W, 2) -> (H, W): the 8-bit colour as one number."""
        return self.picture(ab).astype(np.int64) @ np.array([65536, 256, 1])

    def _colour(self, chosen: Array) -> Array:
        """One ab for each object, (objects + 1, 2), the first for none -> (H, W, 2)."""
        return (
            np.moveaxis(self.base, 0, -1) + self.weight[..., None] * chosen.astype(np.float32)[self.object_id]
        )

    def _alternatives(self) -> Array:
        """(K, objects + 1, 2), where an object has fewer than K, its last one again."""
        most = max((len(c.names) for c in self.objects), default=1)
        rows = [[(0.0, 0.0)] * most] + [
            [c.ab[min(k, len(c.ab) - 1)] for k in range(most)] for c in self.objects
        ]
        return np.array(rows, np.float32).transpose(1, 0, 2)

    def _probabilities(self) -> Array:
        """(objects + 1, K)."""
        most = max((len(c.names) for c in self.objects), default=1)
        rows = [(1.0,), *(c.probability for c in self.objects)]
        return np.array([(*row, *[0.0] * (most - len(row))) for row in rows], np.float32)


@dataclass
class Count:
    """How often an alternative was seen, and how often the truth expects it, among the same objects."""

    seen: int = 0
    expected: float = 0.0


def tally(pairs: Iterable[tuple[Truth, Array]]) -> dict[str, dict[str, Count]]:
    """Count the alternatives that colourings gave to the ambiguous objects: {"balloon": {"red": Count, ...}}.

    Args:
        pairs: scenes, each with a colouring ab (H, W, 2) of it, such as a model's sample.
    """
    counts: dict[str, dict[str, Count]] = {}
    for truth, ab in pairs:
        for choice, taken in zip(truth.objects, truth.nearest(ab), strict=True):
            if taken < 0:
                continue
            kind = counts.setdefault(choice.kind, {name: Count() for name in choice.names})
            for k, (name, probability) in enumerate(zip(choice.names, choice.probability, strict=True)):
                kind[name].seen += k == taken
                kind[name].expected += probability
    return counts
