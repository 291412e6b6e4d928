"""Decode the pictures of a data set once, so that every run starts at once.

    python -m colorization.prepare data=coco data.subset=20000  pack; train does it by itself, too
    python -m colorization.prepare data=coco stream=s3://B/COCO pack, and write shards for data=stream
    python -m colorization.prepare list=true                    what is packed, how large, which runs used it
    python -m colorization.prepare clear=NAME                   remove a pack; clear=all removes all

Stopped at any moment, it goes on where it was. Packs lie in data.cache_dir.
"""

import json
import logging
import shutil
import time
from pathlib import Path

from filelock import Timeout
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Column, Table

from colorization import build
from colorization.command import command
from colorization.config import ConfigError
from colorization.data.module import SPLITS, PictureData
from colorization.data.pack import Index, fingerprint, read_index, writing
from colorization.data.stream import Stream, engine

log = logging.getLogger(__name__)

Users = dict[tuple[int, str], set[str]]  # runs by how many pictures they used and their fingerprint


@command("prepare", __doc__)
def main(cfg: DictConfig) -> None:
    """Pack the three splits, or look after the packs that are there."""
    cache = Path(cfg.data.cache_dir).expanduser()
    if cfg["list"] and not packs(cache):
        print(f"no packs in {cache}")
    elif cfg["list"]:
        Console().print(table(cache, used(Path(cfg.runs))))
    elif cfg["clear"]:
        clear(cache, cfg["clear"])
    else:
        data = build.data(cfg)
        data.prepare_data()
        for split in SPLITS:
            pack = data.pack(split)
            counts = f"{len(pack):7} pictures, {len(pack.skipped)} skipped"
            log.info("%-5s %s, fingerprint %s", split, counts, pack.fingerprint)
        if cfg["stream"]:
            write_shards(data, cfg["stream"])


def write_shards(data: PictureData, url: str) -> None:
    """Write the three packs for `data=stream data.root=URL`."""
    if isinstance(data, Stream):
        raise ConfigError([f"data=stream stream={url}: these are shards already; copy them instead"])
    engine().write(data, url)
    log.info("train on them, on any machine: python -m colorization.train data=stream data.root=%s", url)


def packs(cache: Path) -> list[Path]:
    """The folders of all packs, those without a first block yet, too."""
    return sorted(path.parent for path in cache.glob("*/lock"))


def table(cache: Path, runs: Users) -> Table:
    """What each pack holds, how large it is, when it was last used, and which runs used it."""
    columns = ("pictures", "skipped", "GB", "last used", "runs")
    shown = Table(Column("pack", no_wrap=True), *columns, title=f"{cache}", caption_justify="left")
    told = []
    for folder in packs(cache):
        try:
            index = read_index(folder)
        except ValueError as error:
            log.warning("%s", error)
            continue
        size = f"{on_disk(folder) / 1e9:.2f}"
        last = time.strftime("%Y-%m-%d %H:%M", time.localtime(folder.stat().st_mtime))
        held = f"{index.pictures} of {index.total}" if index else "unfinished"
        skipped, by = (len(index.skipped), users(folder, index, runs)) if index else (0, [])
        shown.add_row(folder.name, held, str(skipped), size, last, str(len(by)))
        told += [f"{folder.name}: {', '.join(by)}"] if by else []
    shown.caption = "\n".join(["the pictures of these packs were used by", *told] if told else [])
    return shown


def on_disk(folder: Path) -> int:
    """Bytes of all that a folder holds."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def used(runs: Path) -> Users:
    """The pictures that the runs below a folder were trained or scored on."""
    found: Users = {}
    for record in sorted(runs.glob("**/run.json")):
        try:
            data = json.loads(record.read_text())["data"]
            pairs = [(data["pictures"][split], kept) for split, kept in data["fingerprint"].items()]
        except (ValueError, KeyError, TypeError):
            log.warning("%s says nothing of its pictures; passed over", record)
            continue
        for summary in record.parent.glob("evaluation/*/summary.json"):
            scored = json.loads(summary.read_text())
            pairs.append((scored["pictures"], scored["fingerprint"]))
        for pair in pairs:
            found.setdefault(pair, set()).add(str(record.parent.relative_to(runs)))
    return found


def users(folder: Path, index: Index, runs: Users) -> list[str]:
    """The runs that used a pack, or its first pictures: their fingerprint is the pack's at that length."""
    lengths = {count for count, _ in runs if count <= index.pictures}
    ends = [(count, fingerprint(folder, index, count)) for count in lengths]
    return sorted(set().union(*(runs.get(end, set()) for end in ends)))


def clear(cache: Path, name: str) -> None:
    """Remove one pack or all; one that is being written stays.

    Raises:
        ConfigError: no such pack, or another process writes it.
    """
    chosen = [folder for folder in packs(cache) if name in ("all", folder.name)]
    if not chosen and name != "all":
        there = ", ".join(folder.name for folder in packs(cache)) or "none"
        raise ConfigError([f"clear={name}: no such pack in {cache}; there are: {there}"])
    for folder in chosen:
        size = on_disk(folder)
        try:
            with writing(folder, wait=False):
                shutil.rmtree(folder)
        except Timeout as error:
            raise ConfigError([f"clear={folder.name}: another process is writing this pack"]) from error
        log.info("removed %s, %.2f GB", folder, size / 1e9)


if __name__ == "__main__":
    main()
