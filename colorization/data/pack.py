"""Pictures packed once into a memory map, so that no epoch decodes a JPEG again."""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_UN, flock
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from colorization.data.decode import UnreadablePicture
from colorization.data.source import Source

log = logging.getLogger(__name__)

BLOCK = 256  # pictures between two lines of the journal: what a kill can lose
VERSION = 1  # of decoding and resizing; a change makes new packs and new fingerprints


@dataclass
class Pack:
    """The first pictures of a source at one size.

    Attributes:
        pictures: uint8 (N, size, size, 3), memory-mapped.
        names: N names, in the source's order.
        skipped: (name, reason) of the pictures that could not be read.
        fingerprint: what decides the content: source, names, size, decoding.
    """

    pictures: np.ndarray
    names: list[str]
    skipped: list[tuple[str, str]] = field(default_factory=list)
    fingerprint: str = ""


def pack(
    source: Source, size: int, folder: Path, label: str, workers: int | None = None, on_error: str = "skip"
) -> Pack:
    """Map the pack of a source, decoding first what it does not hold yet.

    A longer list of names that begins like the packed one extends it. Killed at any moment, it goes
    on from the last finished block; two processes that pack the same wait for each other.

    Args:
        source: pictures by name.
        size: pixels per side.
        folder: cache folder; the pack gets a folder of its own in it.
        label: what the pack is called there, such as "coco_train".
        workers: decoding processes; None takes every core.
        on_error: "skip" leaves unreadable pictures out and names them, "raise" stops at the first.
    """
    key = digest({"version": VERSION, "source": source.describe(), "size": size, "first": list(source.names[:1])})
    place = folder / f"{label}_{size}px_{key[:12]}"
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / "lock"):
        journal = _journal(place, source.names, size)
        if len(journal) < len(source.names):
            _fill(source, size, place, journal, workers, on_error, label)
            journal = _journal(place, source.names, size)
    return _mapped(place, journal[: len(source.names)], size, source)


def digest(content: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock that dies with the process."""
    with path.open("a") as file:
        flock(file, LOCK_EX)
        try:
            yield
        finally:
            flock(file, LOCK_UN)


Line = tuple[str, str | None]  # a name, and why it was skipped


def _journal(place: Path, names: Sequence[str], size: int) -> list[Line]:
    """What is packed so far, as far as it agrees with the wanted names and with the data on disk."""
    path = place / "journal.jsonl"
    if not path.exists():
        return []
    lines: list[Line] = []
    for text in path.read_text().splitlines():
        try:
            lines += [tuple(line) for line in json.loads(text)]
        except json.JSONDecodeError:  # the line that a kill cut short
            break
    agreed = next((i for i, (line, name) in enumerate(zip(lines, names, strict=False)) if line[0] != name), len(lines))
    held = (place / "pictures.bin").stat().st_size // (size * size * 3)
    while sum(reason is None for _, reason in lines[:agreed]) > held:
        agreed -= 1
    return lines[:agreed]


def _fill(
    source: Source, size: int, place: Path, journal: list[Line], workers: int | None, on_error: str, label: str
) -> None:
    """Decode the names after the journal's, block by block: data first, then its journal line."""
    missing = source.names[len(journal) :]
    _check_space(place, len(missing) * size * size * 3)
    kept = sum(reason is None for _, reason in journal)
    blocks = [missing[i : i + BLOCK] for i in range(0, len(missing), BLOCK)]
    _rewrite(place / "journal.jsonl", journal)
    began = time.monotonic()
    skipped = 0
    with (
        (place / "pictures.bin").open("ab") as data,
        (place / "journal.jsonl").open("a") as lines,
        _bar(label, len(missing)) as advance,
    ):
        data.truncate(kept * size * size * 3)
        for block, results in zip(blocks, _decoded(source, blocks, size, workers), strict=True):
            entries: list[Line] = []
            for name, picture in zip(block, results, strict=True):
                if isinstance(picture, str):
                    if on_error == "raise":
                        raise UnreadablePicture(name, picture + " (data.on_error=skip leaves it out)")
                    log.warning("skipped %s: %s", name, picture)
                    skipped += 1
                entries.append((name, picture if isinstance(picture, str) else None))
            data.write(b"".join(p.tobytes() for p in results if not isinstance(p, str)))
            data.flush()
            os.fsync(data.fileno())
            lines.write(json.dumps(entries) + "\n")
            lines.flush()
            advance(len(block))
    span = time.monotonic() - began
    log.info(
        "packed %d pictures of %s at %d px in %.1f s (%.0f/s), %d skipped: %s",
        len(missing) - skipped, label, size, span, len(missing) / max(span, 1e-9), skipped, place,
    )  # fmt: skip


def _decoded(
    source: Source, blocks: list[Sequence[str]], size: int, workers: int | None
) -> Iterator[list[np.ndarray | str]]:
    """Each block's pictures, or why they could not be read, decoded by all cores, a few blocks ahead."""
    workers = workers or len(os.sched_getaffinity(0))
    if workers == 1 or sum(map(len, blocks)) < 64:
        yield from (_load_block(source, block, size) for block in blocks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        pending = []
        for block in blocks:
            parts = [block[i::workers] for i in range(workers)]
            pending.append([pool.submit(_load_block, source.only(part), part, size) for part in parts])
            if len(pending) > 2:
                yield _interleaved([future.result() for future in pending.pop(0)])
        for futures in pending:
            yield _interleaved([future.result() for future in futures])


def _load_block(source: Source, names: Sequence[str], size: int) -> list[np.ndarray | str]:
    results: list[np.ndarray | str] = []
    for name in names:
        try:
            results.append(source.load(name, size))
        except UnreadablePicture as error:
            results.append(error.reason)
    return results


def _interleaved(parts: list[list[Any]]) -> list[Any]:
    whole: list[Any] = [None] * sum(map(len, parts))
    for i, part in enumerate(parts):
        whole[i :: len(parts)] = part
    return whole


def _mapped(place: Path, journal: list[Line], size: int, source: Source) -> Pack:
    names = [name for name, reason in journal if reason is None]
    skipped = [(name, reason) for name, reason in journal if reason is not None]
    if not names:
        raise ValueError(f"{place.name}: none of {len(journal)} pictures could be read; the first: {skipped[:1]}")
    pictures = np.memmap(place / "pictures.bin", np.uint8, "r", shape=(len(names), size, size, 3))
    os.utime(place / "journal.jsonl")
    content = {"version": VERSION, "source": source.describe(), "size": size, "names": names}
    return Pack(pictures, names, skipped, digest(content)[:16])


def _check_space(place: Path, needed: int) -> None:
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OSError(
            f"{place}: the pack needs {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB are free; "
            "choose another data.cache_dir, or a smaller data.subset or data.image_size"
        )


def _rewrite(path: Path, journal: list[Line]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(journal) + "\n" if journal else "")
    os.replace(partial, path)


@contextmanager
def _bar(label: str, total: int) -> Iterator[Any]:
    columns = (TextColumn("pack {task.description}"), BarColumn(24), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TextColumn("{task.fields[rate]:.0f} pictures/s"), TimeRemainingColumn()) as bar:
        task = bar.add_task(label, total=total, rate=0.0)
        began, done = time.monotonic(), 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            bar.update(task, completed=done, rate=done / (time.monotonic() - began))

        yield advance
