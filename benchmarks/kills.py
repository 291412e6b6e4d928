"""kill -9 at random moments of a prepare: python -m benchmarks.kills [PICTURES] [KILLS] [SEED].

PICTURES is a zip or a folder; without one, small pictures are made. Every fifth kill comes while the command
starts. Each of the others waits until the packs hold a random share of their bytes, and then for up to the
time that a block takes. The last run is left alone.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.pictures import photos
from benchmarks.proof import contents, finished, started, table, verdict, workplace
from colorization.data.pack import BLOCK, read_index


def main(root: str | None = None, kills: str = "20", seed: str = "0") -> None:
    draw = np.random.default_rng(int(seed))
    with workplace() as folder:
        source = Path(root).absolute() if root else photos(folder, 10_000, size=(160, 120))
        settings = ("data=folder", f"data.root={source}")
        starting, packing = undisturbed(folder, *settings, "data.cache_dir=whole")
        whole = contents(folder / "whole")
        block = packing * BLOCK / sum(pack.pictures for pack in whole.values())
        shares, rows = np.sort(draw.uniform(0, 0.95, int(kills))), []
        for i, share in enumerate(shares):
            early = i % 5 == 0
            least = 0 if early else share * held(folder / "whole")
            process = started("prepare", folder, *settings, "data.cache_dir=killed")
            seconds = killed(process, folder / "killed", least, draw.uniform(0, starting if early else block))
            rows.append((i + 1, seconds, *state(folder / "killed")))
        finished(started("prepare", folder, *settings, "data.cache_dir=killed"), folder)
        rows.append(("left alone", "", *state(folder / "killed")))
        after = contents(folder / "killed")
    print(f"Undisturbed: {starting:.1f} s to the first picture, {packing:.1f} s more for all.\n")
    columns = ("kill", "after, s", "pictures that count", "bytes beyond them, dropped later")
    print(table("kill -9 of prepare and its workers", columns, rows))
    verdict(
        {
            "the packs equal, bit for bit, those of an undisturbed run": whole == after,
            "every kill hit a running command": "had ended" not in [row[1] for row in rows],
        }
    )


def undisturbed(folder: Path, *settings: str) -> tuple[float, float]:
    """Seconds until the first picture is written, and from then to the end."""
    began = time.perf_counter()
    process = started("prepare", folder, *settings)
    while not held(folder / "whole") and process.poll() is None:
        time.sleep(0.01)
    first = time.perf_counter()
    finished(process, folder)
    return first - began, time.perf_counter() - first


def killed(process: subprocess.Popen, cache: Path, least: float, delay: float) -> str:
    """Kill a command and its workers some time after the packs hold so many bytes; when that was."""
    began = time.perf_counter()
    while held(cache) < least and process.poll() is None:
        time.sleep(0.001)
    try:
        process.wait(delay)
        return "had ended"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"{time.perf_counter() - began:.1f}"


def held(cache: Path) -> int:
    """Bytes of pictures in all packs, whether they count or not."""
    return sum(path.stat().st_size for path in cache.glob("*/pictures.bin"))


def state(cache: Path) -> tuple[str, str]:
    """How many pictures count in all packs, and how many bytes lie beyond them."""
    indices = [index for index in map(read_index, cache.glob("*")) if index]
    counted = sum(index.pictures for index in indices)
    beyond = held(cache) - sum(index.pictures * index.picture_bytes for index in indices)
    return f"{counted:,}", f"{beyond:,}"


if __name__ == "__main__":
    main(*sys.argv[1:])
