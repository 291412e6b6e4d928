"""Before the first hour is spent: every trial's configuration is built and run for one batch."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from colorization import journal
from colorization.compose import Trial
from colorization.config import ConfigError
from colorization.launcher.base import Launcher, Running, Task
from colorization.trials.conductor import PAUSE
from colorization.trials.record import identity
from colorization.trials.worker import verdict

log = logging.getLogger(__name__)


def preflight(examples: Sequence[Trial], folder: Path, launcher: Launcher) -> None:
    """Try one batch of each, but of those that differ by seed alone one; what went well is not tried again.

    Raises:
        ConfigError: listing the faults of all.
    """
    paths = {}
    for example in examples:
        path = folder / "checks" / f"{identity(example.cfg, without=('seed',))}.yaml"
        if path not in paths:
            paths[path] = example
            path.parent.mkdir(parents=True, exist_ok=True)
            config = OmegaConf.to_container(example.cfg, resolve=True)
            journal.write_yaml(path, {"overrides": example.overrides, "config": config})
    todo = [path for path in paths if not path.with_suffix(".json").exists() or verdict(path)]
    for path in todo:
        path.with_suffix(".json").unlink(missing_ok=True)
    if todo:
        log.info("one batch of each of %d configurations, before the first trial starts", len(todo))
    run(todo, launcher)
    wrong: dict[str, list[str]] = {}
    for path, example in paths.items():
        for fault in (verdict(path) or "").splitlines():
            wrong.setdefault(fault, []).append(Path(example.cfg.run.dir).name)
    if wrong:
        names = {fault: ", ".join(who) for fault, who in wrong.items()}
        logs = f"what they said is in {folder / 'checks'}"
        raise ConfigError([*(f"{who}: {fault}" for fault, who in names.items()), logs])


def run(paths: Sequence[Path], launcher: Launcher) -> None:
    """Run checks, as many at once as the launcher has room for."""
    left = list(paths)
    running: list[Running] = []
    try:
        while left or running:
            running = [process for process in running if process.ended() is None]
            chosen, left = _parted(left, launcher.jobs - len(running))
            if chosen:
                running += launcher.start([Task("check", path, path.with_suffix(".log")) for path in chosen])
            time.sleep(PAUSE)
    except BaseException:
        for process in running:
            process.kill()
        raise


def _parted(paths: list[Path], room: int) -> tuple[list[Path], list[Path]]:
    return paths[: max(room, 0)], paths[max(room, 0) :]
