"""Decode the pictures of a data set once, so that every run starts at once.

    python -m colorization.prepare data=coco data.subset=20000    pack; train does it by itself, too
    python -m colorization.prepare list=true                      what is packed, and how large it is
    python -m colorization.prepare clear=NAME                     remove a pack; clear=all removes all

Stopped at any moment, it goes on where it was. Packs lie in data.cache_dir.
"""

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
from colorization.data.pack import read_index, writing

log = logging.getLogger(__name__)


@command("prepare", __doc__)
def main(cfg: DictConfig) -> None:
    """Pack the three splits, or look after the packs that are there."""
    cache = Path(cfg.data.cache_dir).expanduser()
    if cfg["list"]:
        Console().print(table(cache))
    elif cfg["clear"]:
        clear(cache, cfg["clear"])
    else:
        data = build.data(cfg)
        data.prepare_data()
        for split in ("train", "val", "test"):
            pack = data.pack(split)
            counts = f"{len(pack):7} pictures, {len(pack.skipped)} skipped"
            log.info("%-5s %s, fingerprint %s", split, counts, pack.fingerprint)


def packs(cache: Path) -> list[Path]:
    """The folders of all packs."""
    return sorted(path.parent for path in cache.glob("*/index.json"))


def table(cache: Path) -> Table:
    """What each pack holds, how large it is, and when it was made and last used."""
    columns = ("px", "pictures", "skipped", "GB", "made", "last used")
    shown = Table(Column("pack", overflow="fold"), *columns, title=f"{cache}")
    for folder in packs(cache):
        index = read_index(folder)
        if index:
            size = sum(path.stat().st_size for path in folder.iterdir())
            used = time.strftime("%Y-%m-%d %H:%M", time.localtime(folder.stat().st_mtime))
            pictures = f"{index.pictures} of {index.total}"
            made = index.made[:16].replace("T", " ")
            skipped = str(len(index.skipped))
            shown.add_row(folder.name, str(index.size), pictures, skipped, f"{size / 1e9:.2f}", made, used)
    return shown


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
        try:
            with writing(folder, wait=False):
                shutil.rmtree(folder)
        except Timeout as error:
            raise ConfigError([f"clear={folder.name}: another process is writing this pack"]) from error
        log.info("removed %s", folder)


if __name__ == "__main__":
    main()
