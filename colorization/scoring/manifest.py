"""Which pictures exactly: a CSV file of names and the SHA-256 of what is scored.

The hash is of the 8-bit pixels as a protocol shows them, not of the encoded file: that is what a score
depends on, it tells a decoder or a filter that differs, and it is the same for a data set in a folder, in
an archive, and in the truth/ folder of an evaluation.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from colorization.config import ConfigError
from colorization.data.source import first
from colorization.files import read_csv

SHOWN = 3  # pictures that an error names


class Pictures(Protocol):
    """Pictures by position: names, and uint8 (H, W, 3) sRGB."""

    @property
    def names(self) -> Sequence[str]:
        """The name of each."""

    def __getitem__(self, index: int) -> np.ndarray: ...

    def position(self, index: int) -> int:
        """Where a picture stands in its split, which decides its random numbers."""


def pixel_hash(picture: np.ndarray) -> str:
    """The SHA-256 of a picture's height, width and 8-bit pixels, in hexadecimal."""
    height, width, _ = picture.shape
    return hashlib.sha256(f"{height} {width} ".encode() + np.ascontiguousarray(picture).tobytes()).hexdigest()


def rows(path: str | Path) -> list[dict[str, str]]:
    """A manifest's rows: name, sha256, and file where an evaluation wrote it.

    Raises:
        ConfigError: no such file, or not a manifest.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ConfigError([f"protocol.manifest={path}: no such file; each evaluation writes a manifest.csv"])
    table = read_csv(path)
    if not table or not {"name", "sha256"} <= set(table[0]):
        raise ConfigError(
            [f"protocol.manifest={path}: should be a CSV file with the columns name and sha256"]
        )
    return table


@dataclass(frozen=True)
class Chosen:
    """Some of the pictures, by their positions."""

    pictures: Pictures
    positions: Sequence[int]

    @property
    def names(self) -> Sequence[str]:
        """The name of each."""
        return [self.pictures.names[i] for i in self.positions]

    def __getitem__(self, index: int) -> np.ndarray:
        return self.pictures[self.positions[index]]

    def position(self, index: int) -> int:
        """Where a picture stands in its split."""
        return self.pictures.position(self.positions[index])


def selected(pictures: Pictures, path: str | Path | None) -> Pictures:
    """The pictures that a manifest names, or all where there is none.

    Raises:
        ConfigError: naming the pictures that are missing, and those that are not the same.
    """
    if path is None:
        return pictures
    hashes = {row["name"]: row["sha256"] for row in rows(path)}
    place = {name: i for i, name in enumerate(pictures.names)}
    missing = [name for name in hashes if name not in place]
    changed = [name for name in hashes if name in place and pixel_hash(pictures[place[name]]) != hashes[name]]
    faults = [
        f"protocol.manifest={path}: {len(names)} of {len(hashes)} pictures {fault}: {some(names)}"
        for names, fault in ((missing, "are not there"), (changed, "have other pixels"))
        if names
    ]
    if faults:
        raise ConfigError(faults)
    return Chosen(pictures, [place[name] for name in hashes])


def limited(pictures: Pictures, most: int | None) -> Pictures:
    """At most so many of the pictures, the first by a hash of their names; None: all."""
    if most is None or most >= len(pictures.names):
        return pictures
    return Chosen(pictures, first(pictures.names, most))


def fingerprint(pictures: Pictures) -> str:
    """What identifies pictures: their names and pixels."""
    lines = sorted(f"{name} {pixel_hash(pictures[i])}\n" for i, name in enumerate(pictures.names))
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()[:16]


def some(names: Sequence[str]) -> str:
    """The first few of many names."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
