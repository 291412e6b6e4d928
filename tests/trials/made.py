"""A sweep without training: trials whose runs are written by a function, in this process."""

import json
import signal
from functools import cache
from pathlib import Path

import yaml
from omegaconf import OmegaConf

from colorization.compose import Composer, composed, differing
from colorization.compose import Trial as Composed
from colorization.launcher.base import Launcher, Running
from colorization.trials.conductor import Conductor
from colorization.trials.question import question
from colorization.trials.record import Trial
from colorization.trials.study import Study

SETTINGS = ("data=scenes", "logger=csv")


class Ended(Running):
    """A process that ends with a code when it is asked for the second time."""

    def __init__(self, code, looks=1):
        self.code, self.looks, self.stopped = code, looks, False

    def ended(self):
        self.looks -= 1
        return None if self.looks >= 0 else self.code

    def stop(self):
        self.stopped, self.looks, self.code = True, 0, 143

    kill = stop


class Made(Launcher):
    """Run `act(trial, attempt)`, which gives an exit code, or (code, looks)."""

    def __init__(self, act, jobs=1):
        super().__init__(jobs, Path())
        self.act, self.started = act, []

    def start(self, tasks):
        return [self._start(Trial(task.path)) for task in tasks]

    def _start(self, trial):
        self.started.append(trial.name)
        result = self.act(trial, self.started.count(trial.name))
        return Ended(*(result if isinstance(result, tuple) else (result,)))


def write(trial, status="finished", psnr=None, curve=(), checkpoint=None):
    """A run's folder as training leaves it."""
    (trial.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (trial.folder / "run.json").write_text(json.dumps({"status": status}), encoding="utf-8")
    rows = "".join(f"{int(pictures)},{value}\n" for pictures, value in curve)
    (trial.folder / "metrics.csv").write_text("pictures,val/psnr\n" + rows, encoding="utf-8")
    if psnr is not None:
        best = {"val/psnr": psnr, "val/ssim": -psnr, "val/ciede2000": 30 - psnr}
        (trial.folder / "metrics.json").write_text(json.dumps({"best": best}), encoding="utf-8")
    if checkpoint is not None:
        (trial.folder / "checkpoints/last.ckpt").write_text(str(checkpoint), encoding="utf-8")


def finishes(score):
    """An act: the run is finished, scored score(configuration)."""

    def act(trial, attempt):
        write(trial, psnr=score(trial.config()))
        return 0

    return act


def asked(folder, *overrides):
    return question([*SETTINGS, f"hydra.sweep.dir={folder}", *overrides])


def study(folder, *overrides, better=("higher",)):
    folder.mkdir(parents=True, exist_ok=True)
    return Study(asked(folder, *overrides), folder, better)


def conducted(folder, launcher, *overrides, better=("higher",)):
    """Run a sweep; gives its conductor."""
    what = study(folder, *overrides, better=better)
    conductor = Conductor(what, launcher, what.asked.wanted)
    conductor.well = conductor.run()
    return conductor


@cache
def base():
    return composed("train", SETTINGS)


def compose_quickly(monkeypatch):
    """Compose once, and set what the overrides say: nothing here is of composition."""

    def trial(self, number, lines, differs=()):
        cfg = base().copy()
        places = [line.partition("=")[2] for line in lines if line.startswith("hydra.sweep.dir=")]
        for line in lines:
            name, _, value = line.partition("=")
            if not name.startswith("hydra") and name not in ("data", "logger"):
                OmegaConf.update(cfg, name, yaml.safe_load(value), force_add=True)
        folder = places[-1] if places else "runs/sweep"
        cfg.run.dir = f"{folder}/{number}_{differing(differs)}".rstrip("_")
        return Composed(list(lines), cfg)

    monkeypatch.setattr(Composer, "trial", trial)


STOPPED = 128 + signal.SIGTERM
