"""Where pictures come from: folders and archives, listed without opening a picture."""

import hashlib
import tarfile
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from colorization.data.decode import EXTENSIONS, UnreadablePicture, open_picture, square


class Source(Protocol):
    """A list of pictures that can be loaded by name."""

    names: Sequence[str]

    def load(self, name: str, size: int) -> np.ndarray:
        """One picture, uint8 (size, size, 3). Raises UnreadablePicture."""

    def describe(self) -> dict[str, Any]:
        """What the pictures are, apart from where they lie: part of the fingerprint."""


class Files:
    """Pictures that are files: of a folder tree, or of a zip or tar archive that stays packed.

    Args:
        place: a folder, a .zip or a .tar.
        prefix: only names that begin so, such as "val2017/"; stripped from the names.
        names: only these, in this order.
    """

    def __init__(self, place: Path, prefix: str = "", names: Sequence[str] | None = None):
        self.place, self.prefix = place, prefix
        self.names = list(names) if names is not None else self._list()
        self._local = threading.local()

    def only(self, names: Sequence[str]) -> "Files":
        """The same place with these names."""
        return Files(self.place, self.prefix, names)

    def describe(self) -> dict[str, Any]:
        return {"kind": "files", "prefix": self.prefix}

    def load(self, name: str, size: int) -> np.ndarray:
        return square(open_picture(self.read(name), name, at_least=size), size)

    def read(self, name: str) -> bytes:
        """The encoded picture."""
        try:
            if self.place.is_dir():
                return (self.place / self.prefix / name).read_bytes()
            if self.place.suffix == ".zip":
                return self._archive().read(self.prefix + name)
            member = self._archive().extractfile(self.prefix + name)
            return member.read()
        except (OSError, KeyError, zipfile.BadZipFile, tarfile.TarError, AttributeError) as error:
            raise UnreadablePicture(name, error) from error

    def __getstate__(self) -> dict[str, Any]:
        return {"place": self.place, "prefix": self.prefix, "names": self.names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._local = threading.local()

    def _list(self) -> list[str]:
        if self.place.is_dir():
            root = self.place / self.prefix
            found = (str(path.relative_to(root).as_posix()) for path in root.rglob("*") if path.is_file())
        elif self.place.suffix == ".zip":
            with zipfile.ZipFile(self.place) as archive:
                found = (n.removeprefix(self.prefix) for n in archive.namelist() if n.startswith(self.prefix))
        else:
            with tarfile.open(self.place) as archive:
                found = (n.removeprefix(self.prefix) for n in archive.getnames() if n.startswith(self.prefix))
        return sorted(name for name in found if Path(name).suffix.lower() in EXTENSIONS)

    def _archive(self) -> Any:
        if not hasattr(self._local, "archive"):
            opens = zipfile.ZipFile if self.place.suffix == ".zip" else tarfile.open
            self._local.archive = opens(self.place)
        return self._local.archive


def rank(name: str, salt: str = "") -> int:
    """Where a name stands in an order that looks random and never changes."""
    return int.from_bytes(hashlib.blake2b(f"{salt}{name}".encode(), digest_size=8).digest(), "big")


def shuffled(names: Sequence[str]) -> list[str]:
    """The names in hash order: the first 1,000 are always within the first 20,000."""
    return sorted(names, key=rank)


def held_out(names: Sequence[str], count: int, salt: str) -> tuple[list[str], list[str]]:
    """Split names into (the rest, `count` held out), by a hash of each name."""
    order = sorted(names, key=lambda name: rank(name, salt))
    return order[count:], order[:count]
