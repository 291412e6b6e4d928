"""Pictures at a URL: only those that are needed are downloaded, and each is checked.

Everything that fsspec opens will do: http(s)://, s3://, gs://, hf://, ... A zip archive is read in
place: its directory once, then spans of it, neighbours in one request. A request whose answer is cut
off, late, refused or wrong is repeated.
"""

import asyncio
import io
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from zipfile import BadZipFile

import aiohttp
import fsspec
from fsspec.core import url_to_fs

from colorization.config import InputError
from colorization.data.archive import Member, zip_members
from colorization.data.decode import UnreadablePicture
from colorization.data.source import Files

log = logging.getLogger(__name__)

REQUESTS = 16  # at a time
ATTEMPTS = 6
FIRST_PAUSE = 0.25  # seconds before the second attempt; every further one waits twice as long
PATIENCE = 30  # seconds without a byte
WINDOW = 32_000_000  # bytes of pictures whose requests are made together: neighbours share one
LONGEST = 4_000_000  # bytes of one request
WASTE = 0.1  # share of the bytes of a request that may belong to other pictures

T = TypeVar("T")
Pause = Callable[[float], bool | None]


@dataclass
class Span:
    """Bytes start..stop of a file, and the pictures in them."""

    path: str
    start: int
    stop: int
    names: list[str]


Answer = dict[str, bytes | UnreadablePicture]


class Remote(Files):
    """Encoded pictures at a URL.

    Attributes:
        traffic: bytes received so far.

    Args:
        url: what fsspec opens.
        fixed: whether the pictures never change, as a published data set's: then a pack of them
            is mapped without asking the server.
    """

    def __init__(self, url: str, fixed: bool = False):
        self.url, self.fixed, self.traffic = url, fixed, 0

    @cached_property
    def _remote(self) -> tuple[fsspec.AbstractFileSystem, str]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=PATIENCE)
        http = {"client_kwargs": {"timeout": timeout, "trust_env": True}}  # heeds https_proxy
        settings = http if self.url.startswith("http") else {}
        try:
            fs, path = url_to_fs(self.url, **settings)
        except (ImportError, ValueError) as error:
            raise InputError(f"{self.url}: {error}") from error
        return fs, path

    def length(self, names: Sequence[str]) -> int:
        """Bytes of these pictures."""
        raise NotImplementedError

    def requests(self, names: Sequence[str]) -> list[Span]:
        """What to ask for to get these pictures."""
        raise NotImplementedError

    def pictures(self, request: Span, data: bytes) -> Answer:
        """The pictures in the answer to a request, which has its length."""
        raise NotImplementedError

    def unchanged(self) -> bool:
        """Whether the files at the URL are still those that were listed: a damaged one is damaged there."""
        return False

    def read(self, name: str) -> bytes:
        """One picture."""
        answer = next(self.fetch([name]))
        if isinstance(answer, UnreadablePicture):
            raise answer
        return answer

    def fetch(self, names: Sequence[str]) -> Iterator[bytes | UnreadablePicture]:
        """Pictures in the order of their names, downloaded ahead of their use, in constant memory.

        Raises:
            OSError: the server did not give them, in spite of all attempts.
        """
        stop = threading.Event()
        with ThreadPoolExecutor(REQUESTS, "remote") as threads:
            under_way: deque[tuple[list[str], list[Future[Answer]]]] = deque()
            try:
                for window in self._windows(names):
                    answers = [threads.submit(self._get, r, stop.wait) for r in self.requests(window)]
                    under_way.append((window, answers))
                    if len(under_way) > 1:
                        yield from _in_order(*under_way.popleft())
                while under_way:
                    yield from _in_order(*under_way.popleft())
            finally:
                stop.set()
                threads.shutdown(cancel_futures=True)

    def _windows(self, names: Sequence[str]) -> Iterator[list[str]]:
        window: list[str] = []
        for name in names:
            window.append(name)
            if len(window) % 64 == 0 and self.length(window) > WINDOW:
                yield window
                window = []
        if window:
            yield window

    def _get(self, request: Span, pause: Pause) -> Answer:
        answer: Answer = {}

        def ask() -> Answer:
            answer.update(self.pictures(request, self._bytes(request)))
            for picture in answer.values():
                if isinstance(picture, UnreadablePicture):
                    raise picture
            return answer

        try:
            return self._insist(ask, request.path, pause)
        except OSError as error:
            if isinstance(error.__cause__, UnreadablePicture) and self.unchanged():
                return answer
            raise

    def _bytes(self, request: Span) -> bytes:
        fs, _ = self._remote
        with fs.open(request.path, "rb", cache_type="none", size=max(request.stop, 1)) as file:
            file.seek(request.start)
            data = file.read(request.stop - request.start)
        self.traffic += len(data)
        if len(data) != request.stop - request.start:
            raise OSError(f"{len(data)} bytes of {request.stop - request.start} came")
        return data

    def _insist(self, ask: Callable[[], T], path: str, pause: Pause = time.sleep) -> T:
        """Repeat a request, each time later, until its answer is right, or until `pause` says to stop."""
        for attempt in range(ATTEMPTS):
            try:
                return ask()
            except Exception as error:
                cause = _cause(error)
                wait = random.uniform(0.5, 1) * FIRST_PAUSE * 2**attempt
                if attempt + 1 == ATTEMPTS or not _temporary(cause) or pause(wait):
                    raise OSError(f"{path} cannot be read: {_reason(cause, path)}") from error
                log.debug("%s: %s; requested again", path, cause)
        raise AssertionError


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
        return zip_members(io.BufferedReader(Ranged(self, self._state[0]), 1 << 16))

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


class RemoteTree(Remote):
    """A folder of pictures at a URL whose server lists it: s3://, gs://, hf://, file://."""

    @cached_property
    def _sizes(self) -> dict[str, int]:
        fs, path = self._remote
        files = self._insist(lambda: fs.find(path, detail=True), self.url)
        root = path.rstrip("/") + "/"
        with ThreadPoolExecutor(REQUESTS, "remote") as threads:  # some servers list names alone
            sizes = threads.map(lambda name: files[name].get("size") or self._size(name), files)
            return {name.removeprefix(root): size for name, size in zip(files, sizes, strict=True)}

    def _size(self, name: str) -> int:
        fs, _ = self._remote
        return self._insist(lambda: fs.info(name), name).get("size") or 0

    def place(self) -> list[Any]:
        """The URL, and where it may change the names and lengths of what is there."""
        return [self.url] if self.fixed else [self.url, sorted(self._sizes.items())]

    def paths(self) -> Iterator[str]:
        """The files below the URL."""
        return iter(self._sizes)

    def length(self, names: Sequence[str]) -> int:
        """Bytes of the files."""
        return sum(self._sizes[name] for name in names)

    def requests(self, names: Sequence[str]) -> list[Span]:
        """A file each."""
        root = self._remote[1].rstrip("/")
        return [Span(f"{root}/{name}", 0, self._sizes[name], [name]) for name in names]

    def pictures(self, request: Span, data: bytes) -> Answer:
        """The file."""
        (name,) = request.names
        return {name: data}


class Ranged(io.RawIOBase):
    """A seekable view of a remote file, each read a request of its own."""

    def __init__(self, remote: Remote, size: int):
        self._source, self._size, self._at = remote, size, 0

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
        """Span as many bytes as fit."""
        stop = min(self._at + len(buffer), self._size)
        if stop <= self._at:
            return 0
        path = self._source._remote[1]
        request = Span(path, self._at, stop, [])
        data = self._source._insist(lambda: self._source._bytes(request), path)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _in_order(names: list[str], answers: list[Future[Answer]]) -> Iterator[bytes | UnreadablePicture]:
    pictures: Answer = {}
    for answer in answers:
        pictures |= answer.result()
    return (pictures.pop(name) for name in names)


def _cause(error: BaseException) -> BaseException:
    """What the server answered, where fsspec calls it a missing file."""
    missing = isinstance(error, FileNotFoundError) and isinstance(error.__cause__, aiohttp.ClientError)
    return error.__cause__ if missing and error.__cause__ else error


def _reason(error: BaseException, path: str) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{error.status} {error.message}".strip()
    text = str(error)
    return text if text not in ("", path) else type(error).__name__


def _temporary(error: BaseException) -> bool:
    """Whether another attempt may do better."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status >= 500 or error.status in (408, 429)
    kinds = (OSError, aiohttp.ClientError, asyncio.TimeoutError, UnreadablePicture)
    return isinstance(error, kinds) and not isinstance(error, FileNotFoundError | PermissionError)
