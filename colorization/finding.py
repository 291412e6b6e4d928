"""A learning rate or a batch size, tried in a minute: a table, and a line to paste. Nothing is kept."""

import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, open_dict

from colorization.config import ConfigError, InputError
from colorization.job import Job, built
from colorization.training import prepare

LOW, HIGH, STEPS = 1e-6, 1.0, 120  # of the learning rates that are tried, and how many
SMOOTH = 0.9  # of the losses: the share of what was before
DIVERGED = 4.0  # times the least loss, at which the trial of rates ends
WARM, TIMED = 2, 6  # steps before a batch size is timed, and those that are
GAIN = 1.05  # in pictures per second, that a larger batch has to bring where memory does not end the trial


def find(cfg: DictConfig) -> None:
    """Print what `find` of a configuration asks for."""
    if cfg.find == "lr":
        tried = rates(cfg)
        print("\n".join(["learning rate  loss", *(f"{rate:13.2e}  {loss:.4g}" for rate, loss in tried[::8])]))
        print(f"\noptimizer.lr={suggested(tried):.2g}")
        return
    sizes = []
    print("batch size  pictures/s")
    for size, speed in batch_sizes(cfg):
        sizes.append((size, speed))
        print(f"{size:10}  {speed:10.1f}" if speed else f"{size:10}  out of memory", flush=True)
    print(f"\ndata.batch_size={best_size(sizes)}")


def rates(cfg: DictConfig) -> list[tuple[float, float]]:
    """(learning rate, smoothed loss), the rate rising by a factor a step (Smith 2015, arXiv:1506.01186)."""
    ranged = Range(LOW, HIGH, STEPS)
    attempt(cfg, STEPS, ranged)
    if len(ranged.losses) < 10:
        raise ConfigError(
            ["find=lr: the loss was not finite from the start; look at objective and data first"]
        )
    return list(zip(ranged.rates, smoothed(ranged.losses), strict=False))


def suggested(tried: Sequence[tuple[float, float]]) -> float:
    """The rate at which the loss falls fastest over the logarithm of the rate."""
    rate, loss = np.array(tried).T
    slope = np.gradient(loss, np.log(rate))
    edge = len(slope) // 10
    return float(rate[edge + int(np.argmin(slope[edge:]))])


def smoothed(losses: Sequence[float]) -> list[float]:
    """Exponential moving averages without their bias towards 0."""
    mean, found = 0.0, []
    for i, loss in enumerate(losses):
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        found.append(mean / (1 - SMOOTH ** (i + 1)))
    return found


def batch_sizes(cfg: DictConfig) -> Iterator[tuple[int, float]]:
    """(batch size, pictures per second), doubled until memory ends or speed stops to grow; 0.0: too large."""
    size, before = int(cfg.data.batch_size), 0.0
    while True:
        with open_dict(cfg):
            cfg.data.batch_size = size
        timer = Timer()
        try:
            job = attempt(cfg, WARM + TIMED, timer)
        except (RuntimeError, MemoryError) as error:
            if not isinstance(error, MemoryError) and "out of memory" not in str(error):
                raise
            torch.cuda.empty_cache()
            yield size, 0.0
            return
        except InputError:  # more than there are pictures
            return
        speed = size * TIMED / timer.seconds
        yield size, speed
        if job and 2 * size > job.data.count("train"):
            return
        if speed < before * GAIN and not torch.cuda.is_available():
            return
        size, before = 2 * size, speed


def best_size(sizes: Sequence[tuple[int, float]]) -> int:
    """The smallest of the sizes that are about as fast as the fastest."""
    fastest = max((speed for _, speed in sizes), default=0.0)
    if not fastest:
        raise ConfigError(["find=batch_size: not even the first size fits; give a smaller data.batch_size"])
    return next(size for size, speed in sizes if speed * GAIN >= fastest)


def attempt(cfg: DictConfig, steps: int, watcher: pl.Callback) -> Job:
    """Train for so many steps in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        with open_dict(cfg):
            cfg.run.dir = folder
            cfg.logger, cfg.callback = {}, {}
            cfg.budget.update({"epochs": None, "pictures": None, "time": None, "steps": steps})
            cfg.trainer.update(
                {"limit_val_batches": 0, "enable_progress_bar": False, "log_every_n_steps": 10**6}
            )
        job = built(cfg)
        job.trainer.callbacks.insert(0, watcher)  # type: ignore[attr-defined]
        prepare(job)
        job.trainer.fit(job.colorizer, job.data)
        return job


class Range(pl.Callback):
    """Learning rates from low to high, each step's loss, and an end where it diverges."""

    def __init__(self, low: float, high: float, steps: int):
        self.rates = [low * (high / low) ** (i / (steps - 1)) for i in range(steps)]
        self.losses: list[float] = []

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
        largest = max(group["initial_lr"] for group in groups)
        for group in groups:
            group["lr"] = (
                self.rates[min(len(self.losses), len(self.rates) - 1)] * group["initial_lr"] / largest
            )

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, *args: Any) -> None:
        loss = float(outputs["loss"])
        best = min(smoothed(self.losses), default=math.inf)
        if not math.isfinite(loss) or (len(self.losses) > 10 and loss > DIVERGED * best):
            trainer.should_stop = True
            return
        self.losses.append(loss)


class Timer(pl.Callback):
    """Seconds of the steps after the first ones."""

    def __init__(self) -> None:
        self.steps, self.seconds, self.began = 0, 0.0, 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        self.steps += 1
        if self.steps in (WARM, WARM + TIMED):
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.seconds, self.began = time.perf_counter() - self.began, time.perf_counter()
