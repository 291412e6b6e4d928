"""Peak memory of prepare and of training: python -m benchmarks.memory [ZIP] [N ...].

Each N pictures, the first of ZIP or small made ones, are an archive of their own. Counted is what belongs to
the processes alone, shared pages once: Pss_Anon and Pss_Shmem of the command and all its workers, as Linux
knows them, every 100 ms; of three runs' peaks the median, for what allocators keep differs by a tenth.
Mapped files are not counted: their pages are the system's to drop. Training takes as many steps and
validations for every N, one epoch of the largest, on crops of pictures that are packed at full size.
"""

import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.pictures import photos
from benchmarks.proof import archived, finished, started, table, verdict, workplace
from colorization.data.archive import Zip

COUNTS = ("1000", "5000", "20000")
CROPS = ("data.image_size=32", "data.load_size=144")
BATCH = 64
RUNS = 3
SHARE, MORE = 0.1, 30  # what is flat: allocators round by some percent, 20,000 names and places take some MiB


def main(archive: str | None = None, *counts: str) -> None:
    if not Path("/proc/self/smaps_rollup").exists():
        sys.exit("benchmarks.memory reads /proc/PID/smaps_rollup, which is Linux's alone")
    numbers = sorted(map(int, counts or COUNTS))
    peaks: dict[str, list[float]] = {"prepare": [], "train": []}
    with workplace() as folder:
        source = Zip(Path(archive) if archive else photos(folder, numbers[-1], size=(160, 120)))
        for count in numbers:
            members = ((name, source.read(name)) for name in source.names[:count])
            chosen = archived(folder / f"{count}.zip", members)
            runs = [measured(folder, chosen, f"{count}_{run}", numbers[-1] // BATCH) for run in range(RUNS)]
            for command, of_runs in zip(peaks, zip(*runs, strict=True), strict=True):
                peaks[command].append(statistics.median(of_runs))
    rows = [
        (f"{count:,}", *(f"{taken[i]:.0f}" for taken in peaks.values())) for i, count in enumerate(numbers)
    ]
    print(table("Peak memory", ("pictures", *(f"{command}, MiB" for command in peaks)), rows))
    verdict(
        {
            f"{command} stays within {SHARE:.0%} + {MORE} MiB of its least": max(taken)
            <= (1 + SHARE) * min(taken) + MORE
            for command, taken in peaks.items()
        }
    )


def measured(folder: Path, archive: Path, name: str, steps: int) -> tuple[float, float]:
    """Peaks of preparing an archive's pictures, and of training on them, in MiB."""
    data = ("data=folder", f"data.root={archive}", f"data.cache_dir=cache_{name}")
    preparing = peak(started("prepare", folder, *data), folder)
    finished(started("prepare", folder, *data, *CROPS), folder)
    settings = (*data, *CROPS, *training(steps), f"run.dir=runs/{name}")
    return preparing, peak(started("train", folder, *settings), folder)


def training(steps: int) -> tuple[str, ...]:
    """Settings of a run of so many steps, validated four times whatever an epoch is."""
    often = ("trainer.check_val_every_n_epoch=null", f"trainer.val_check_interval={max(steps // 4, 1)}")
    budget = ("budget.epochs=null", f"budget.steps={steps}", f"data.batch_size={BATCH}")
    return ("model=cnn", "logger=csv", "trainer.accelerator=cpu", *often, *budget)


def peak(process: subprocess.Popen, folder: Path) -> float:
    """The most MiB that a command and its workers ever held."""
    most = 0.0
    while process.poll() is None:
        most = max(most, sum(map(private, group(process.pid))))
        time.sleep(0.1)
    finished(process, folder)
    return most


def group(leader: int) -> list[int]:
    """The processes of a process group."""
    members = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(path.name)) == leader:
                members.append(int(path.name))
    return members


def private(pid: int) -> float:
    """MiB of a process that no file holds; shared ones are divided among those that share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon", "Pss_Shmem"))) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
