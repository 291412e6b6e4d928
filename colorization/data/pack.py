"""A source decoded once into one memory map that every later run starts from.

A pack is a folder:

    pictures.bin   uint8 (N, size, size, 3), only ever appended to
    rows.jsonl     one line per picture: name, stored width, height, bytes; only ever appended to
    index.json     the committed length of both, what was skipped and why; replaced whole

Bytes beyond the committed length are an unfinished block: no reader sees them, and the next writer
truncates them.
"""

import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from filelock import FileLock, Timeout

from colorization.config import InputError
from colorization.data.decode import UnreadablePicture
from colorization.data.decoding import Decoding, Result, Slots, progress
from colorization.data.remote import Remote
from colorization.data.source import Source, files_of

log = logging.getLogger(__name__)

OnError = Literal["skip", "raise"]

BLOCK = 1024  # pictures that a kill can lose: half a second of work
VERSION = 2  # of geometry and decoding; another one makes other packs and other fingerprints
NAMED = 20  # skipped pictures that the log names


@dataclass
class Index:
    """The committed part of a pack's files.

    Attributes:
        taken: how many of the source's names were decoded or skipped, in order.
        total: how many it has.
        pictures, row_bytes: the committed lengths of pictures.bin and rows.jsonl.
        skipped: position, name and reason of the names that are no pictures.
    """

    label: str
    size: int
    source: dict[str, Any]
    total: int = 0
    taken: int = 0
    pictures: int = 0
    row_bytes: int = 0
    skipped: list[tuple[int, str, str]] = field(default_factory=list)
    made: str = field(default_factory=lambda: datetime.now().astimezone().isoformat(timespec="seconds"))
    libraries: dict[str, str] = field(default_factory=lambda: {n: version(n) for n in ("pillow", "numpy")})

    @property
    def content(self) -> dict[str, Any]:
        """What decides the pictures apart from where they lie."""
        described = {key: value for key, value in self.source.items() if key != "place"}
        return {"version": VERSION, "size": self.size, "source": described}

    @property
    def picture_bytes(self) -> int:
        """Bytes of one packed picture."""
        return self.size * self.size * 3


class Pack:
    """The first pictures of a source at one size, mapped from disk.

    Args:
        folder: of the pack.
        index: its committed part.
        taken: how many of the source's names.
        mapped: how many pictures lie here, where that is fewer than have a row; see `data.stream`.

    Attributes:
        pictures: uint8 (N, size, size, 3), copy-on-write: writing to it never reaches the file.
        skipped: (name, reason) of those that could not be read.
        total: how many names the source has.

    Raises:
        ValueError: none of the pictures could be read, or the files are damaged.
    """

    def __init__(self, folder: Path, index: Index, taken: int, mapped: int | None = None):
        self.folder, self.total = folder, index.total
        self.skipped = [(name, why) for position, name, why in index.skipped if position < taken]
        self._index, self._count = index, min(taken, index.taken) - len(self.skipped)
        if not self._count:
            name, why = self.skipped[0]
            first = f"the first: {name}: {why}; prepare clear={folder.name} lets them be tried again"
            raise InputError(f"{index.label}: none of {taken} pictures could be read; {first}")
        shape = (self._count if mapped is None else mapped, index.size, index.size, 3)
        try:
            self.pictures = np.memmap(folder / "pictures.bin", np.uint8, "c", shape=shape)
        except (OSError, ValueError) as error:
            remedy = f"python -m colorization.prepare clear={folder.name} removes it"
            raise InputError(f"{folder} is damaged ({error}); {remedy}") from error

    def __len__(self) -> int:
        return self._count

    @cached_property
    def names(self) -> list[str]:
        """The name of each picture."""
        return [json.loads(row)[0] for row in rows(self.folder, self._count)]

    @cached_property
    def fingerprint(self) -> str:
        """What identifies the data; see `fingerprint`."""
        return fingerprint(self.folder, self._index, self._count)


def pack(
    source: Source,
    size: int,
    cache: Path,
    label: str,
    count: int | None = None,
    workers: int | None = None,
    on_error: OnError = "skip",
) -> Pack:
    """Map the pack of a source's first pictures, after decoding those that it lacks.

    A larger count extends the pack. Killed at any moment, it goes on from the last whole block; of
    two processes that pack the same, the second waits and maps.

    Args:
        source: pictures by name.
        size: pixels per side.
        cache: the folder of all packs.
        label: what the pack is called, such as "coco_train".
        count: how many of the source's names; None takes all.
        workers: decoding processes; None takes every core.
        on_error: "skip" leaves unreadable pictures out and names them, "raise" stops at the first.

    Raises:
        UnreadablePicture: with on_error="raise".
        OSError: not enough space. What was packed stays, and the next call goes on.
        ValueError: no picture at all could be read.
    """
    folder = folder_of(source, size, cache, label)
    index = read_index(folder)
    if index is None or index.taken < _goal(index, source, count):
        total = len(source.names)
        with writing(folder):
            index = read_index(folder) or Index(label, size, source.describe())
            index.total = total
            if index.taken < _goal(index, source, count):
                _extend(folder, index, source, _goal(index, source, count), workers, on_error)
    whole = Pack(folder, index, _goal(index, source, count))
    if whole.skipped and on_error == "raise":
        raise UnreadablePicture(*whole.skipped[0])
    mark_used(folder)
    return whole


def folder_of(source: Source, size: int, cache: Path, label: str) -> Path:
    """Where the pack of a source lies, or will lie."""
    key = digest({"version": VERSION, "size": size, "source": source.describe()})
    return cache / f"{label}_{size}px_{key[:10]}"


def total(source: Source, folder: Path) -> int:
    """How many names a source has; one that knows its place need not be listed where its pack is there."""
    index = read_index(folder)
    return index.total if index and "place" in index.source else len(source.names)


def rows(folder: Path, count: int) -> list[bytes]:
    """The lines of the first `count` pictures of a pack."""
    with (folder / "rows.jsonl").open("rb") as file:
        return list(islice(file, count))


def fingerprint(folder: Path, index: Index, count: int) -> str:
    """What identifies the first `count` pictures: names, stored sizes and order, and their decoding.

    It is the same on every machine and in every place, whether the pictures lie in a folder or an
    archive.
    """
    content = hashlib.sha256(json.dumps(index.content, sort_keys=True).encode())
    content.update(b"".join(rows(folder, count)))
    return content.hexdigest()[:16]


def digest(content: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_index(folder: Path) -> Index | None:
    """The index of a pack, or None where there is none yet. Raises InputError where it is damaged."""
    try:
        return Index(**json.loads((folder / "index.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        fault = f"{folder}/index.json is damaged or of another version ({error})"
        remedy = f"python -m colorization.prepare clear={folder.name} removes it"
        raise InputError(f"{fault}; {remedy}") from error


@contextmanager
def writing(folder: Path, wait: bool = True) -> Any:
    """Lock a pack for writing. The lock ends with the process; a reader needs none."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            raise
        log.info("another process prepares %s; waiting for it", folder.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _goal(index: Index, source: Source, count: int | None) -> int:
    """How many names are asked for, without listing a source that knows its place."""
    names = index.total if "place" in index.source else len(source.names)
    return names if count is None else min(count, names)


def _extend(
    folder: Path, index: Index, source: Source, goal: int, workers: int | None, on_error: OnError
) -> None:
    """Decode the names after those taken, block by block, and commit each block."""
    missing = source.names[index.taken : goal]
    check_space(folder, len(missing) * index.picture_bytes)
    log.info("%s: %s", index.label, _plan(source, missing, len(missing) * index.picture_bytes))
    before = index.pictures
    slots = Slots(folder / "pictures.bin", index.pictures * index.picture_bytes, index.size)
    _cut(slots.path, slots.start)
    try:
        with (
            progress(index.label, len(missing), source) as bar,
            Decoding(source, slots, workers) as decoding,
        ):
            for block in decoding.blocks(missing, BLOCK):
                if on_error == "raise":
                    _raise_unreadable(block)
                _append(folder, index, slots, block)
                bar.advance(len(block))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            packed = (read_index(folder) or index).pictures
            raise OSError(f"{_no_space(folder)}; {packed} pictures are packed and stay") from error
        raise
    finally:
        committed = read_index(folder)
        _cut(slots.path, committed.pictures * committed.picture_bytes if committed else 0)
    packed = index.pictures - before
    log.info("packed %d pictures of %s at %d px: %s", packed, index.label, index.size, folder)
    _log_skipped(index, goal - len(missing))


def _plan(source: Source, names: Sequence[str], disk: int) -> str:
    """How many pictures are packed, how much disk they take, and how much is downloaded from where."""
    files = files_of(source)
    plan = f"{len(names)} pictures to pack, {disk / 1e9:.2f} GB of disk"
    if isinstance(files, Remote):
        plan += f", {files.length(names) / 1e9:.2f} GB to download from {files.url}"
    return plan


def _append(folder: Path, index: Index, slots: Slots, block: list[Result]) -> None:
    """Write pictures, then their rows, then the index that commits both."""
    good = [result for result in block if not result.reason]
    rows = b"".join(json.dumps(result.row).encode() + b"\n" for result in good)
    with slots.path.open("r+b") as file:
        _close_gaps(file, index, slots, good)
        _to_disk(file)
    _cut(folder / "rows.jsonl", index.row_bytes)
    with (folder / "rows.jsonl").open("ab") as file:
        file.write(rows)
        _to_disk(file)
    index.skipped += [(index.taken + i, r.name, r.reason) for i, r in enumerate(block) if r.reason]
    index.taken += len(block)
    index.pictures += len(good)
    index.row_bytes += len(rows)
    partial = folder / "index.partial"
    with partial.open("wb") as file:
        file.write(json.dumps(asdict(index)).encode())
        _to_disk(file)
    partial.replace(folder / "index.json")


def _close_gaps(file: BinaryIO, index: Index, slots: Slots, good: Sequence[Result]) -> None:
    """Move the pictures that lie behind the slot of a skipped one forward."""
    for place, result in enumerate(good, start=index.pictures):
        target = place * index.picture_bytes
        if slots.at(result.slot) != target:
            file.seek(slots.at(result.slot))
            picture = file.read(index.picture_bytes)
            file.seek(target)
            file.write(picture)


def _to_disk(file: BinaryIO) -> None:
    """Flush and fsync: what other processes wrote into it as well."""
    file.flush()
    os.fsync(file.fileno())


def _cut(path: Path, length: int) -> None:
    """Drop what lies beyond `length`; make the file where there is none."""
    with path.open("ab") as file:
        file.truncate(length)


def check_space(folder: Path, needed: int) -> None:
    """Raise an OSError where the disk cannot hold `needed` more bytes."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        sizes = f"{needed / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB are free"
        raise OSError(f"{_no_space(folder)}: {sizes}")


def _no_space(folder: Path) -> str:
    return f"no space left for {folder} (make some, choose another data.cache_dir, or a smaller data.subset)"


def _raise_unreadable(block: Sequence[Result]) -> None:
    for result in block:
        if result.reason:
            raise UnreadablePicture(result.name, f"{result.reason} (data.on_error=skip leaves it out)")


def _log_skipped(index: Index, since: int) -> None:
    skipped = [(name, why) for position, name, why in index.skipped if position >= since]
    for name, why in skipped[:NAMED]:
        log.warning("skipped %s: %s", name, why)
    if len(skipped) > NAMED:
        log.warning("skipped %d pictures in all; index.json names each", len(skipped))


def mark_used(folder: Path) -> None:
    """Let `prepare list=true` say when a pack was last used."""
    with suppress(OSError):  # a cache of another user, or mounted read-only
        os.utime(folder)
