"""A zip archive at a URL, read in place: its directory once, then spans of it, neighbours in one request."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any
from zipfile import BadZipFile

from colorization.config import InputError
from colorization.data.archive import Member, zip_members
from colorization.data.decode import UnreadablePicture
from colorization.data.remote import Answer, Remote, Span

LONGEST = 4_000_000  # bytes of one request
WASTE = 0.1  # share of the bytes of a request that may belong to other pictures


class RemoteZip(Remote):
    """A zip archive at a URL, read in place.

    That is never slower than to request single files, where a server has those as well: each request
    brings one picture or more, and at most WASTE of its bytes are of no use.

    Args:
        url: of the archive.
        inside: only what lies in this folder of it; names are relative to it.
        fixed: see `Remote`.
    """

    def __init__(self, url: str, inside: str = "", fixed: bool = False):
        super().__init__(url, fixed)
        self.inside = inside

    def place(self) -> list[Any]:
        """The URL, and where it may change the archive's length and version."""
        return [self.url, self.inside] if self.fixed else [self.url, self.inside, *self._state]

    def paths(self) -> Iterator[str]:
        """The names within `inside`."""
        return (n.removeprefix(self.inside) for n in self.members if n.startswith(self.inside))

    def length(self, names: Sequence[str]) -> int:
        """Bytes of the members, with their headers."""
        return sum(self._span(name)[1] - self._span(name)[0] for name in names)

    @cached_property
    def members(self) -> dict[str, Member]:
        """The archive's directory."""
        try:
            return self._directory()
        except BadZipFile as error:
            if isinstance(error.__context__, OSError):  # zipfile blames the archive for the server
                raise error.__context__ from None
            raise InputError(f"{self.url}: a damaged or unfinished zip archive") from error

    def requests(self, names: Sequence[str]) -> list[Span]:
        """Spans of the archive; a gap between two is bridged where it wastes little."""
        requests: list[Span] = []
        useful = 0  # bytes of the last one
        for name in sorted(names, key=lambda name: self._span(name)[0]):
            start, stop = self._span(name)
            last = requests[-1] if requests else None
            if last and stop - last.start <= min(LONGEST, (1 + WASTE) * (useful + stop - start)):
                last.stop, useful = stop, useful + stop - start
                last.names.append(name)
            else:
                requests.append(Span(self._remote[1], start, stop, [name]))
                useful = stop - start
        return requests

    def pictures(self, request: Span, data: bytes) -> Answer:
        """Members out of a span of the archive, lengths and CRCs checked."""
        answer: Answer = {}
        for name in request.names:
            member = self.members[self.inside + name]
            try:
                span = data[member.start - request.start : member.stop - request.start]
                answer[name] = member.content(span, name)
            except UnreadablePicture as error:
                answer[name] = error
        return answer

    def unchanged(self) -> bool:
        """Whether the archive's directory is still the same."""
        try:
            return self._directory() == self.members
        except BadZipFile:
            return False

    def _directory(self) -> dict[str, Member]:
        return zip_members(io.BufferedReader(Ranged(self._part, self._state[0]), 1 << 16))

    def _part(self, start: int, stop: int) -> bytes:
        request = Span(self._remote[1], start, stop, [])
        return self._insist(lambda: self._bytes(request), request.path)

    def _span(self, name: str) -> tuple[int, int]:
        member = self.members[self.inside + name]
        return member.start, member.stop

    @cached_property
    def _state(self) -> tuple[int, str]:
        fs, path = self._remote
        info = self._insist(lambda: fs.info(path), self.url)
        if not info.get("size"):
            raise OSError(f"{self.url} cannot be read in place: the server does not tell its length")
        return info["size"], str(info.get("ETag") or info.get("mtime") or info.get("Last-Modified"))


class Ranged(io.RawIOBase):
    """A seekable view of a remote file of `size` bytes; `part` gets start..stop of it, by a request."""

    def __init__(self, part: Callable[[int, int], bytes], size: int):
        self._part, self._size, self._at = part, size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position; nothing is requested."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as fit."""
        stop = min(self._at + len(buffer), self._size)
        if stop <= self._at:
            return 0
        data = self._part(self._at, stop)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
