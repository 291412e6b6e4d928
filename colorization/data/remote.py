"""Pictures at a URL: only those that are needed are downloaded, and each is checked.

Everything that fsspec opens will do: http(s)://, s3://, gs://, hf://, ... A request whose answer is cut off,
late, refused or wrong is repeated. What is asked for, `remote_zip` and `remote_tree` say.
"""

import asyncio
import logging
import random
import threading
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import aiohttp
import fsspec
from fsspec.core import url_to_fs

from colorization.config import InputError
from colorization.data.decode import UnreadablePicture
from colorization.data.source import Files

log = logging.getLogger(__name__)

REQUESTS = 16  # at a time
ATTEMPTS = 6
FIRST_PAUSE = 0.25  # seconds before the second attempt; every further one waits twice as long
PATIENCE = 30  # seconds without a byte
WINDOW = 32_000_000  # bytes of pictures whose requests are made together: neighbours share one

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

    @abstractmethod
    def length(self, names: Sequence[str]) -> int:
        """Bytes of these pictures."""

    @abstractmethod
    def requests(self, names: Sequence[str]) -> list[Span]:
        """What to ask for to get these pictures."""

    @abstractmethod
    def pictures(self, request: Span, data: bytes) -> Answer:
        """The pictures in the answer to a request, which has its length."""

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
