"""Zip and tar archives, read in place: each member is a span of the file."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from colorization.config import InputError
from colorization.data.decode import UnreadablePicture
from colorization.data.source import Files, unreadable

HEADER = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Member:
    """Where a zip member lies, and how to know that it was read right.

    Attributes:
        start, stop: the span of its local header and its data.
        packed, length: bytes of its data, compressed and not.
        method: of compression, 0 (stored) or 8 (deflate).
        crc: CRC-32 of the uncompressed bytes.
    """

    start: int
    stop: int
    packed: int
    length: int
    method: int
    crc: int

    def content(self, span: bytes, name: str) -> bytes:
        """The member's bytes out of its span. Raises UnreadablePicture where they are not what was put in."""
        if len(span) < 30 or span[:4] != HEADER:
            raise UnreadablePicture(name, "the archive is damaged: no member begins where its directory says")
        skip = 30 + int.from_bytes(span[26:28], "little") + int.from_bytes(span[28:30], "little")
        data = span[skip : skip + self.packed]
        if self.method == zipfile.ZIP_DEFLATED:
            data = _inflate(data, self.length, name)
        elif self.method != zipfile.ZIP_STORED:
            raise UnreadablePicture(name, f"zip method {self.method}; stored and deflate can be read")
        if len(data) != self.length or zlib.crc32(data) != self.crc:
            raise UnreadablePicture(name, "the archive is damaged: wrong CRC or length")
        return data


def _inflate(data: bytes, length: int, name: str) -> bytes:
    try:
        return zlib.decompressobj(-15).decompress(data, length + 1)
    except zlib.error as error:
        raise UnreadablePicture(name, f"the archive is damaged: {error}") from error


def zip_members(file: BinaryIO) -> dict[str, Member]:
    """The directory of a zip archive, by name; only its end is read."""
    with zipfile.ZipFile(file) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        starts = [*(entry.header_offset for entry in entries), archive.start_dir]
    return {
        entry.filename: Member(
            start, stop, entry.compress_size, entry.file_size, entry.compress_type, entry.CRC
        )
        for entry, (start, stop) in zip(entries, pairwise(starts), strict=True)
        if not entry.is_dir() and not entry.flag_bits & 1  # encrypted
    }


class Archive(Files):
    """An archive file that stays packed.

    Args:
        path: the archive.
        inside: only what lies in this folder of it; names are relative to it.
    """

    def __init__(self, path: Path, inside: str = ""):
        self.path, self.inside = path, inside

    def paths(self) -> Iterator[str]:
        """The names within `inside`."""
        return (n.removeprefix(self.inside) for n in self.members if n.startswith(self.inside))

    def place(self) -> list[Any]:
        """The archive, its length and its time of change."""
        state = self.path.stat()
        return [str(self.path.resolve()), self.inside, state.st_size, state.st_mtime_ns]

    @property
    def members(self) -> dict[str, Any]:
        """Spans by full name."""
        raise NotImplementedError

    def _span(self, start: int, stop: int, name: str) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(stop - start)
        except OSError as error:
            raise unreadable(name, error) from error


class Zip(Archive):
    """A zip archive, stored or deflated; lengths and CRCs are checked."""

    @cached_property
    def members(self) -> dict[str, Member]:
        """Its directory."""
        try:
            with self.path.open("rb") as file:
                return zip_members(file)
        except zipfile.BadZipFile as error:
            raise InputError(f"{self.path}: a damaged or unfinished zip archive ({error})") from error

    def read(self, name: str) -> bytes:
        """One member, checked."""
        member = self.members[self.inside + name]
        return member.content(self._span(member.start, member.stop, name), name)


class Tar(Archive):
    """An uncompressed tar archive."""

    @cached_property
    def members(self) -> dict[str, tuple[int, int]]:
        """Start and length of each file."""
        try:
            with tarfile.open(self.path, "r:") as archive:
                spans = {m.name: (m.offset_data, m.size) for m in archive if m.isfile()}
                spans |= {m.name: spans[m.linkname] for m in archive if m.islnk() and m.linkname in spans}
                return {name.removeprefix("./"): span for name, span in spans.items()}
        except tarfile.TarError as error:
            raise InputError(
                f"{self.path}: cannot be read in place ({error}); unpack it, or make it a .zip or plain .tar"
            ) from error

    def read(self, name: str) -> bytes:
        """One member, if it is all there."""
        start, length = self.members[self.inside + name]
        data = self._span(start, start + length, name)
        if len(data) < length:
            raise UnreadablePicture(name, "the archive ends before it does")
        return data
