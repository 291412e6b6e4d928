"""Decoding on all cores, in order, in constant memory, straight into the file of the pixels."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from colorization.data.decode import UnreadablePicture, open_square
from colorization.data.remote import Remote
from colorization.data.source import Files, Source, files_of

CHUNK = 32  # pictures per task of a worker
FEW = 64  # pictures for which no worker is started
AHEAD = 4  # tasks per worker that are under way

# Number of the slot, name, and the bytes of a picture that had to be downloaded.
Chunk = list[tuple[int, str, bytes | UnreadablePicture | None]]


@dataclass
class Result:
    """One picture, or the reason why there is none.

    Attributes:
        slot: where its pixels are: its position among the names.
        row: name, stored width and height, stored bytes.
        reason: why it could not be read, or the empty string.
    """

    slot: int
    name: str
    row: tuple[str, int, int, int] = ("", 0, 0, 0)
    reason: str = ""


@dataclass(frozen=True)
class Slots:
    """Room in a file for pictures of one size, uint8 (size, size, 3), one after another.

    Attributes:
        path: the file, which exists.
        start: where the first slot begins, bytes.
        size: pixels per side.
    """

    path: Path
    start: int
    size: int

    def at(self, slot: int) -> int:
        """Where a slot begins, bytes."""
        return self.start + slot * self.size * self.size * 3


def cores() -> int:
    """How many this process may use; all of them where the system (macOS, Windows) cannot restrict it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decode(
    source: Source, name: str, size: int, data: bytes | UnreadablePicture | None = None
) -> tuple[np.ndarray, tuple[str, int, int, int]]:
    """Load one picture with its row; `data` are its bytes, where they were downloaded before."""
    files = files_of(source)
    if files is None:
        return source.load(name, size), (name, size, size, 0)
    if isinstance(data, UnreadablePicture):
        raise data
    data = files.read(name) if data is None else data
    picture, (width, height) = open_square(data, size, name, files.geometry)
    return picture, (name, width, height, len(data))


class Decoding:
    """Worker processes that decode a source's pictures, a few tasks ahead of who takes them.

    A worker that dies, as a decoder's crash or a lack of memory kills it, costs only the picture
    that it died of.

    Args:
        source: pictures by name. Those at a URL are downloaded by this process.
        slots: where each picture goes, in the order of the names.
        workers: processes; None takes every core.
    """

    def __init__(self, source: Source, slots: Slots, workers: int | None = None):
        self.source, self.slots = source, slots
        self.workers = workers or cores()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Decoding":
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            gc.unfreeze()

    def blocks(self, names: Sequence[str], length: int) -> Iterator[list[Result]]:
        """Results in the order of the names, `length` at a time."""
        block: list[Result] = []
        for results in self._chunks(names):
            block += results
            while len(block) >= length:
                yield block[:length]
                block = block[length:]
        if block:
            yield block

    def _chunks(self, names: Sequence[str]) -> Iterator[list[Result]]:
        chunks = self._cut(names)
        if len(names) < FEW:
            yield from (_decode_with(self.source, self.slots, chunk) for chunk in chunks)
            return
        pending: deque[tuple[Chunk, Future]] = deque()
        for chunk in chunks:
            pending.append((chunk, self._submit(chunk)))
            if len(pending) >= AHEAD * self.workers:
                yield self._result(*pending.popleft())
        while pending:
            yield self._result(*pending.popleft())

    def _cut(self, names: Sequence[str]) -> Iterator[Chunk]:
        """A few names at a time, each with its bytes if they had to be downloaded."""
        files = files_of(self.source)
        data = files.fetch(names) if isinstance(files, Remote) else repeat(None)
        slots = zip(count(), names, data, strict=False)
        while chunk := list(islice(slots, CHUNK)):
            yield chunk

    def _submit(self, chunk: Chunk) -> Future:
        self._pool = self._pool or self._start(self.workers)
        try:
            return self._pool.submit(_decode, chunk)
        except BrokenProcessPool:
            self._pool = self._start(self.workers)
            return self._pool.submit(_decode, chunk)

    def _result(self, chunk: Chunk, future: Future) -> list[Result]:
        try:
            return future.result()
        except BrokenProcessPool:
            return self._alone(chunk)

    def _alone(self, chunk: Chunk) -> list[Result]:
        """What may have killed a worker, in a process of its own; if that dies too, one by one."""
        with self._start(1) as pool:
            try:
                return pool.submit(_decode, chunk).result()
            except BrokenProcessPool:
                if len(chunk) == 1:
                    slot, name, _ = chunk[0]
                    return [Result(slot, name, reason="its decoder crashed or ran out of memory")]
        return [result for single in chunk for result in self._alone([single])]

    def _start(self, workers: int) -> ProcessPoolExecutor:
        # A fork starts in milliseconds; elsewhere each worker imports the program again.
        # What is there stays shared with it as long as no garbage collection touches it.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        gc.freeze()
        return ProcessPoolExecutor(workers, context, _start_worker, (self.source, self.slots))


_source: Source
_slots: Slots


def _start_worker(source: Source, slots: Slots) -> None:
    """Ctrl-C is the parent's to handle, and a worker ends with its parent, however that ends."""
    global _source, _slots
    _source, _slots = source, slots
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _decode(chunk: Chunk) -> list[Result]:
    return _decode_with(_source, _slots, chunk)


def _decode_with(source: Source, slots: Slots, chunk: Chunk) -> list[Result]:
    """Put each picture into its slot; the others say why they are none."""
    results = []
    with slots.path.open("r+b") as file:
        for slot, name, data in chunk:
            try:
                picture, row = decode(source, name, slots.size, data)
            except UnreadablePicture as error:
                results.append(Result(slot, name, reason=error.reason))
                continue
            file.seek(slots.at(slot))
            file.write(picture.tobytes())
            results.append(Result(slot, name, row))
    return results


class Bar:
    """A task of a progress bar."""

    def __init__(self, bar: Progress, task: Any, files: Files | None):
        self._bar, self._task, self._files = bar, task, files

    def advance(self, pictures: int) -> None:
        """Count pictures that are done."""
        traffic = f"{self._files.traffic / 1e6:.0f} MB" if isinstance(self._files, Remote) else ""
        self._bar.update(self._task, advance=pictures, traffic=traffic)


class Rate(ProgressColumn):
    """Pictures per second."""

    def render(self, task: Task) -> Text:
        """Rich calls this."""
        return Text(f"{task.completed / max(task.elapsed or 0, 1e-9):.0f} pictures/s")


@contextmanager
def progress(label: str, total: int, source: Source) -> Iterator[Bar]:
    """A bar with pictures/s, the time left, and the bytes that were downloaded."""
    title = TextColumn("pack {task.description}")
    traffic = TextColumn("{task.fields[traffic]}")
    columns = (title, BarColumn(24), MofNCompleteColumn(), Rate(), traffic, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield Bar(bar, bar.add_task(label, total=total, traffic=""), files_of(source))
