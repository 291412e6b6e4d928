"""The packs of a cache: what they hold, which runs used them; removed, or written as shards."""

import json
import logging
import shutil
import time
from pathlib import Path

from filelock import Timeout
from rich.table import Column, Table

from colorization.config import ConfigError, command_line
from colorization.data.module import PictureData
from colorization.data.pack import Index, fingerprint, read_index, writing
from colorization.data.stream import Stream, engine

log = logging.getLogger(__name__)

Usage = dict[tuple[int, str], set[str]]  # (number of pictures, their fingerprint) -> runs that used them


def write_shards(data: PictureData, url: str) -> None:
    """Write the three packs for `data=stream data.root=URL`."""
    if isinstance(data, Stream):
        raise ConfigError([f"data=stream stream={url}: the source is shards already; copy them instead"])
    engine().write(data, url)
    log.info("train on them, on any machine: %s", command_line("train", "data=stream", f"data.root={url}"))


def packs(cache: Path) -> list[Path]:
    """The folders of all packs, including those without a first block."""
    return sorted(path.parent for path in cache.glob("*/lock"))


def table(cache: Path, runs: Usage) -> Table:
    """Each pack's content, size, last use, and the runs that used it."""
    columns = ("pictures", "skipped", "GB", "last used", "runs")
    rows = Table(Column("pack", no_wrap=True), *columns, title=f"{cache}", caption_justify="left")
    notes = []
    for folder in packs(cache):
        try:
            index = read_index(folder)
        except ValueError as error:
            log.warning("%s", error)
            continue
        size = f"{on_disk(folder) / 1e9:.2f}"
        last = time.strftime("%Y-%m-%d %H:%M", time.localtime(folder.stat().st_mtime))
        pictures = f"{index.pictures} of {index.total}" if index else "unfinished"
        skipped, names = (len(index.skipped), users(folder, index, runs)) if index else (0, [])
        rows.add_row(folder.name, pictures, str(skipped), size, last, str(len(names)))
        notes += [f"{folder.name}: {', '.join(names)}"] if names else []
    rows.caption = "\n".join(["the pictures of these packs were used by", *notes] if notes else [])
    return rows


def on_disk(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def usage(runs: Path) -> Usage:
    """The pictures that the runs below a folder were trained or scored on."""
    pictures: Usage = {}
    for record in sorted(runs.glob("**/run.json")):
        try:
            data = json.loads(record.read_text(encoding="utf-8"))["data"]
            pairs = [(data["pictures"][split], mark) for split, mark in data["fingerprint"].items()]
        except (ValueError, KeyError, TypeError):
            log.warning("%s does not say which pictures it used; ignored", record)
            continue
        for path in record.parent.glob("evaluation/*/summary.json"):
            summary = json.loads(path.read_text(encoding="utf-8"))
            pairs.append((summary["pictures"], summary["fingerprint"]))
        for pair in pairs:
            pictures.setdefault(pair, set()).add(str(record.parent.relative_to(runs)))
    return pictures


def users(folder: Path, index: Index, runs: Usage) -> list[str]:
    """The runs that used a pack or its first pictures: their fingerprint is the pack's at that length."""
    lengths = {count for count, _ in runs if count <= index.pictures}
    parts = [(count, fingerprint(folder, index, count)) for count in lengths]
    return sorted(set().union(*(runs.get(part, set()) for part in parts)))


def clear(cache: Path, name: str) -> None:
    """Remove one pack or all.

    Raises:
        ConfigError: no such pack, or another process is writing it.
    """
    chosen = [folder for folder in packs(cache) if name in ("all", folder.name)]
    if not chosen and name != "all":
        names = ", ".join(folder.name for folder in packs(cache)) or "none"
        raise ConfigError([f"clear={name}: no such pack in {cache}; there are: {names}"])
    for folder in chosen:
        size = on_disk(folder)
        try:
            with writing(folder, wait=False):
                shutil.rmtree(folder)
        except Timeout as error:
            raise ConfigError([f"clear={folder.name}: another process is writing this pack"]) from error
        log.info("removed %s, %.2f GB", folder, size / 1e9)
