"""Where pictures come from: listed without opening one, then opened by name."""

import errno
import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np

from colorization.config import InputError
from colorization.data.decode import EXTENSIONS, V1, Geometry, UnreadablePicture, open_square

Entry = tuple[str, os.DirEntry[str]]

# Faults of the machine and not of a file: another attempt may do better.
PASSING = {errno.EIO, errno.ESTALE, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETIMEDOUT, errno.EINTR}


class Source(Protocol):
    """A list of pictures that are loaded by name. Picklable, and cheap to make."""

    @property
    def names(self) -> Sequence[str]:
        """The names, each once, in an order whose beginnings are the smaller subsets."""

    def load(self, name: str, size: int) -> np.ndarray:
        """One picture, uint8 (size, size, 3). Raises UnreadablePicture."""

    def describe(self) -> dict[str, Any]:
        """What decides names and pictures, as plain data.

        All but "place" goes into the fingerprint of a data set. A "place" says where encoded
        pictures lie, and changes whenever they may have: then a pack of them is taken as it is,
        without listing them again.
        """


class Files(ABC):
    """Encoded pictures, by name.

    Attributes:
        inside: the folder within an archive that they lie in.
        geometry: how they become squares.
    """

    inside: str = ""
    geometry: Geometry = V1

    @cached_property
    def names(self) -> list[str]:
        """The pictures among what is there, sorted."""
        found = sorted(name for name in self.paths() if is_picture(name))
        if not found:
            other = "pass another, or try data=scenes, which needs none"
            raise InputError(f"{self.place()[0]}: no pictures in {self.inside or 'there'}; {other}")
        return found

    @abstractmethod
    def paths(self) -> Iterator[str]:
        """The names of all that is there, pictures or not."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """One encoded picture. Raises UnreadablePicture."""

    @abstractmethod
    def place(self) -> list[Any]:
        """Where the pictures lie and what changes when they do."""

    def describe(self) -> dict[str, Any]:
        """The place, for a pack's rows say what was there, and the geometry."""
        return {"place": self.place()} | self.geometry.describe()

    def load(self, name: str, size: int) -> np.ndarray:
        """One picture, uint8 (size, size, 3)."""
        return open_square(self.read(name), size, name, self.geometry)[0]


class Tree(Files):
    """A folder tree of pictures.

    Args:
        root: the folder. Links are followed, hidden files are not pictures.
        fixed: whether the files, once there, never change, as a published data set's: then the
            folder's own time of change stands for all of theirs, and looking again costs nothing.
    """

    def __init__(self, root: Path, fixed: bool = False):
        self.root, self.fixed = root, fixed

    def paths(self) -> Iterator[str]:
        """The files below the root."""
        return (name for name, _ in self._entries())

    def read(self, name: str) -> bytes:
        """The bytes of one file."""
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise unreadable(name, error) from error

    def place(self) -> list[Any]:
        """The folder, and its state or that of all its files."""
        return [str(self.root.resolve()), self.root.stat().st_mtime_ns if self.fixed else self._state()]

    def _state(self) -> str:
        """A digest of the names, lengths and times of change of all pictures."""
        found = ((name, _state(entry)) for name, entry in self._entries() if is_picture(name))
        lines = sorted(os.fsencode(f"{name}\0{size}\0{changed}\n") for name, (size, changed) in found)
        return hashlib.sha256(b"".join(lines)).hexdigest()

    def _entries(self) -> Iterator[Entry]:
        return self._walk(self.root, "", frozenset())

    def _walk(self, folder: Path, prefix: str, above: frozenset[str]) -> Iterator[Entry]:
        above |= {os.path.realpath(folder)}
        with os.scandir(folder) as entries:
            for entry in entries:
                if not _is_folder(entry):
                    yield prefix + entry.name, entry
                elif os.path.realpath(entry.path) not in above:  # a link to a folder above would never end
                    yield from self._walk(Path(entry.path), f"{prefix}{entry.name}/", above)


def unreadable(name: str, error: OSError) -> Exception:
    """What reading a file failed of: a reason to skip it, or one to stop."""
    return error if error.errno in PASSING else UnreadablePicture(name, error.strerror)


def _state(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Length and time of change; of a link to nowhere none, and reading it says so."""
    try:
        return entry.stat().st_size, entry.stat().st_mtime_ns
    except OSError:
        return 0, 0


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


@dataclass
class Part:
    """One split of a source, made by the hashes of the names alone.

    Args:
        source: all the pictures.
        split: the name of a cut, or "train" for what all the cuts leave, in hash order.
        cuts: what is held out, one after another: a name, and the most pictures it takes. No cut
            takes more than a tenth of what is left, and none takes nothing.
    """

    source: Source
    split: str
    cuts: tuple[tuple[str, int | None], ...]

    @cached_property
    def names(self) -> list[str]:
        """The names of this part."""
        rest = list(self.source.names)
        for cut, most in self.cuts:
            tenth = max(len(rest) // 10, 1)
            rest, part = hold_out(rest, tenth if most is None else min(most, tenth), cut)
            if cut == self.split:
                break
        else:
            part = hash_order(rest)
        if not part:
            few = f"{len(self.source.names)} pictures are too few"
            raise InputError(f"{few} to be split into train, val and test: none is left for {self.split}")
        return part

    def load(self, name: str, size: int) -> np.ndarray:
        """One picture, uint8 (size, size, 3)."""
        return self.source.load(name, size)

    def describe(self) -> dict[str, Any]:
        """The whole source's, at a place of its own."""
        described = self.source.describe()
        return described | {"place": [described.get("place"), self.split, *self.cuts]}


def files_of(source: Source) -> Files | None:
    """The files below a source, if it has any."""
    while isinstance(source, Part):
        source = source.source
    return source if isinstance(source, Files) else None


def with_geometry(source: Source, geometry: Geometry) -> Source:
    """The source, whose files become squares in this way; what is drawn is square already."""
    if files := files_of(source):
        files.geometry = geometry
    return source


def is_picture(name: str) -> bool:
    """Whether a relative path is that of a picture: by its extension, and no part hidden."""
    return PurePosixPath(name).suffix.lower() in EXTENSIONS and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Whether a relative path is a hidden file's or lies in a hidden folder, such as what macOS adds."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def rank(name: str, salt: str = "") -> int:
    """Where a name stands in an order that looks random and never changes."""
    text = f"{salt}{name}".encode(errors="surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def hash_order(names: Sequence[str]) -> list[str]:
    """The names in hash order: the first 1,000 are always within the first 20,000."""
    return sorted(names, key=rank)


def first(names: Sequence[str], most: int | None) -> list[int]:
    """The positions of the first names in hash order, at most so many: fewer are always among more."""
    order = sorted(range(len(names)), key=lambda i: rank(names[i]))
    return sorted(order[:most])


def hold_out(names: Sequence[str], count: int, salt: str) -> tuple[list[str], list[str]]:
    """Split names into (the rest, `count` held out), by a hash of each name."""
    order = sorted(names, key=lambda name: rank(name, salt))
    return order[count:], order[:count]
