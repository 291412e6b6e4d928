"""Pictures that become squares in another way than protocol v1's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from colorization.data.decode import V1, Geometry, open_square
from colorization.data.source import Part, Source, encoded

VERSION = 2  # of every geometry but v1's: whole crops, rounded interpolation, JPEGs decoded whole


@dataclass
class Fitted(Part):
    """All the pictures of a source, decoded with another geometry: other packs, other fingerprints."""

    source: Source
    geometry: Geometry

    def __init__(self, source: Source, geometry: Geometry):
        self.source, self.geometry = source, geometry

    @property
    def names(self) -> Sequence[str]:  # type: ignore[override]
        """The names of the source."""
        return self.source.names

    def load(self, name: str, size: int) -> np.ndarray:
        """One picture, uint8 (size, size, 3)."""
        files = encoded(self.source)
        assert files is not None
        return open_square(files.read(name), size, name, self.geometry)[0]

    def describe(self) -> dict[str, Any]:
        """The source's, the geometry, and the version of what it does."""
        return self.source.describe() | self.geometry._asdict() | {"geometry_version": VERSION}


def fitted(source: Source, wanted: Geometry) -> Source:
    """The source, with this geometry where it has pictures to decode; drawn ones are squares already."""
    return source if wanted == V1 or encoded(source) is None else Fitted(source, wanted)


def geometry(source: Source) -> Geometry:
    """What a source asks of the decoder."""
    return source.geometry if isinstance(source, Fitted) else V1
