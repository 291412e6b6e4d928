"""Decode the pictures of a data set once, so that every run starts immediately.

    python -m colorization.prepare data=coco data.subset=20000  pack; train does so itself where it must
    python -m colorization.prepare data=coco stream=s3://B/COCO pack, and write shards for data=stream
    python -m colorization.prepare list=true                    the packs, their sizes, the runs that used one
    python -m colorization.prepare clear=NAME                   remove a pack; clear=all removes all

Stopped at any moment, it continues where it was. Packs are in data.cache_dir.
"""

import logging
from pathlib import Path

from omegaconf import DictConfig

from colorization.command import command

log = logging.getLogger(__name__)


@command("prepare", __doc__)
def main(cfg: DictConfig) -> None:
    """Pack the three splits, or list or remove packs."""
    from rich.console import Console

    from colorization import build, packs
    from colorization.data.module import SPLITS

    cache = Path(cfg.data.cache_dir).expanduser()
    if cfg["list"] and not packs.packs(cache):
        print(f"no packs in {cache}")
    elif cfg["list"]:
        Console().print(packs.table(cache, packs.usage(Path(cfg.runs))))
    elif cfg["clear"]:
        packs.clear(cache, cfg["clear"])
    else:
        data = build.data(cfg)
        data.prepare_data()
        for split in SPLITS:
            pack = data.pack(split)
            counts = f"{len(pack):7} pictures, {len(pack.skipped)} skipped"
            log.info("%-5s %s, fingerprint %s", split, counts, pack.fingerprint)
        if cfg["stream"]:
            packs.write_shards(data, cfg["stream"])


if __name__ == "__main__":
    main()
