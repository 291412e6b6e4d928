"""Photos out of a zip that nobody vouches for: nothing lands outside a folder, no more than is declared."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PureWindowsPath

from colorization.album import is_still
from colorization.config import InputError
from colorization.data.archive import Zip
from colorization.data.decode import UnreadablePicture
from colorization.data.source import is_hidden

MB = 1_000_000


class Parcel:
    """A zip of photos, as it was dropped.

    Args:
        path: of the zip.
        largest: megabytes of one photo.

    Raises:
        InputError: it is damaged, or has no photo that could be read; one that is encrypted counts as none.
    """

    def __init__(self, path: Path, largest: int):
        self.path, self.largest = path, largest
        self.archive = Zip(path)
        if not self.stills:
            raise InputError(f"{path.name}: no photos in it that are not encrypted")

    @cached_property
    def stills(self) -> list[str]:
        """The photos' names."""
        return list(filter(is_still, self.archive.paths()))

    @property
    def length(self) -> int:
        """Bytes of all photos, unpacked: no more are ever written, whatever the archive holds."""
        return sum(self.archive.members[name].length for name in self.stills)

    def unpack(self, folder: Path) -> Iterator[str]:
        """Write the photos below a folder, where they lay in the zip; says what was left out, and why."""
        for name in sorted(self.archive.paths()):
            if _leads_out(name):
                yield f"{name}: its name leads out of the folder"
            elif is_still(name):
                yield from self._unpack(name, folder / PureWindowsPath(name).as_posix())
            elif not is_hidden(name):
                yield f"{name}: no picture"

    def _unpack(self, name: str, path: Path) -> Iterator[str]:
        """Write one, or say why not."""
        if self.archive.members[name].length > self.largest * MB:
            yield f"{name}: more than largest={self.largest} megabytes, unpacked"
            return
        try:
            data = self.archive.read(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except UnreadablePicture as error:
            yield str(error)
        except OSError as error:
            yield f"{name}: {error.strerror}"


def _leads_out(name: str) -> bool:
    r"""Whether a member's name is that of a place outside, also where folders are parted by \."""
    path = PureWindowsPath(name)
    return bool(path.anchor) or ".." in path.parts
