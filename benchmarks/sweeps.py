"""A grid of 12 trials and a search of 30, killed at random: python -m benchmarks.sweeps [KILLS] [SEED].

Each kill -9 hits, at a random moment, either the sweep's own process or the trial that trains. A killed sweep
is typed again. In the end every trial is there, whole, and was trained once but for what a kill took.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.proof import started, table, verdict, workplace
from colorization.files import read_csv
from colorization.trials.record import Trial, trials_of

STEPS, BATCH = 24, 8
SETTINGS = (
    "-m", "data=scenes", "data.pictures=64", "data.val_pictures=16", "data.test_pictures=16",
    "data.cache_dir=cache", "data.image_size=32", f"data.batch_size={BATCH}", "model.width=8",
    "model.depth=1",
    "logger=csv", "trainer.accelerator=cpu", "metric=[psnr]", "callback=[]", "budget.epochs=null",
    f"budget.steps={STEPS}", "trainer.val_check_interval=4", "test.pictures=4",
)  # fmt: skip
GRID = ("optimizer.lr=1e-3,3e-3,1e-2", "model.norm=batch,group", "seed=0,1")
RATE = "optimizer.lr=tag(log,interval(1e-4,1e-1))"
SEARCH = ("search=tpe", "trials=30", RATE, "model.norm=batch,group")


def main(kills: str = "10", seed: str = "0") -> None:
    draw = np.random.default_rng(int(seed))
    rows, claims, best = [], {}, {}
    with workplace() as folder:
        for name, settings, wanted in (("grid", GRID, 12), ("search", SEARCH, 30)):
            hits = list(killed(folder, name, settings, wanted, int(kills) // 2, draw))
            trials = trials_of(folder / name)
            rows += [(f"{name}: kill {i + 1}", *hit) for i, hit in enumerate(hits)]
            records = [json.loads((t.folder / "run.json").read_text(encoding="utf-8")) for t in trials]
            parts, repeated = sum(len(r["parts"]) for r in records), sum(map(again, trials))
            rows.append(
                (
                    f"{name}: in the end",
                    f"{len(trials)} trials",
                    f"{parts} parts, {repeated} validations twice",
                )
            )
            finished = [t for t in trials if t.state() == "finished"]
            best[name] = max(t.values(["psnr"])[0] for t in finished)
            if wanted > 12:
                best[f"{name}, its first 12"] = max(t.values(["psnr"])[0] for t in finished[:12])
            claims |= {
                f"{name}: {wanted} of {wanted} trials are finished": len(finished) == wanted,
                f"{name}: every trial has seen all of its pictures": all(
                    r["pictures_seen"] == STEPS * BATCH for r in records
                ),
                f"{name}: no two trials are the same": len({t.about()["identity"] for t in trials})
                == len(trials),
                f"{name}: no more parts than trials and kills": parts <= len(trials) + len(hits),
                f"{name}: no validation stands twice in a trial's table": repeated == 0,
                f"{name}: typed again, it runs nothing": nothing(folder, name, settings),
            }
    print(table(f"kill -9, seed {seed}", ("", "what", "after"), rows))
    print("Best PSNR: " + ", ".join(f"{name} {value:.3f} dB" for name, value in best.items()) + ".\n")
    verdict(claims)


def killed(
    folder: Path, name: str, settings: tuple[str, ...], wanted: int, kills: int, draw: np.random.Generator
) -> Iterator[tuple[str, str]]:
    """Run a sweep to its end, killed so many times; gives what was hit, and how many trials were finished."""
    marks = np.sort(draw.uniform(0, wanted - 1, kills))
    sweep = started("train", folder, *SETTINGS, *settings, f"hydra.sweep.dir={name}")
    for mark in marks:
        while done(folder / name) < int(mark):
            waited(sweep, folder)
        time.sleep(draw.uniform(0, 2))
        whole = draw.random() < 0.5
        victim = sweep.pid if whole else training(sweep, folder, name)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:  # the trial had just ended
            victim, whole = sweep.pid, True
            os.kill(victim, signal.SIGKILL)
        yield "the sweep" if whole else "a trial", f"{done(folder / name)} finished"
        if whole:
            sweep.wait()
            sweep = started("train", folder, *SETTINGS, *settings, f"hydra.sweep.dir={name}")
    if sweep.wait():
        raise SystemExit((folder / "log.txt").read_text(encoding="utf-8")[-4000:])


def done(sweep: Path) -> int:
    """How many trials are finished."""
    return sum(1 for _ in sweep.glob("*/metrics.json"))


def training(sweep: subprocess.Popen, folder: Path, name: str) -> int:
    """The process of the trial that trains now."""
    while True:
        beats = sorted((folder / name).glob("*/heartbeat.json"), key=lambda path: path.stat().st_mtime)
        for beat in reversed(beats):
            process = json.loads(beat.read_text(encoding="utf-8"))["process"]
            if not (beat.parent / "metrics.json").exists() and Path(f"/proc/{process}").exists():
                return process
        waited(sweep, folder)


def waited(sweep: subprocess.Popen, folder: Path) -> None:
    """A moment, in which the sweep must not have ended."""
    if sweep.poll() is not None:
        raise SystemExit((folder / "log.txt").read_text(encoding="utf-8")[-4000:])
    time.sleep(0.02)


def again(trial: Trial) -> int:
    """How many of its validations were written more than once."""
    steps = [row["step"] for row in read_csv(trial.folder / "metrics.csv") if row.get("val/psnr")]
    return len(steps) - len(set(steps))


def nothing(folder: Path, name: str, settings: tuple[str, ...]) -> bool:
    """Whether the same command ends well and changes no run."""
    before = {path: path.stat().st_mtime_ns for path in (folder / name).glob("*/run.json")}
    sweep = started("train", folder, *SETTINGS, *settings, f"hydra.sweep.dir={name}")
    after = {path: path.stat().st_mtime_ns for path in (folder / name).glob("*/run.json")}
    return sweep.wait() == 0 and before == after


if __name__ == "__main__":
    main(*sys.argv[1:])
