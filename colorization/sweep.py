"""Run many trials as one study on disk: a grid, or a search (`train -m` is the same).

    python -m colorization.train -m model=cnn,unet seed=0,1,2                    a grid: six runs
    python -m colorization.train -m search=tpe trials=50 'optimizer.lr=tag(log,interval(1e-4,1e-2))'
    python -m colorization.train -m search=random trials=20 'model.width=choice(32,64)' pruner=median
    python -m colorization.train -m seed=0,1,2 jobs=2                            two at once

Lists, choice(...), range(...), glob(...) and interval(...) are Hydra's; the settings below are the sweep's,
all others are train's. The same command again goes on: what is finished is skipped, what was stopped or
killed goes on from its checkpoint, what failed is tried once more. `compare SWEEP` writes a page about it.
"""

import logging
import os
import shlex
import signal
import sys
from typing import Any

from colorization import ranks
from colorization.command import command_request, errors_in_words, log_to_terminal
from colorization.config import ConfigError, command_line
from colorization.request import Request

log = logging.getLogger(__name__)


def main() -> None:
    """The command."""
    with errors_in_words():
        asked = command_request("sweep", __doc__)
        log_to_terminal(asked)
        ranks.refuse_several("sweep")
        sys.exit(sweep(asked))


def sweep(asked: Request) -> int:
    """Run every trial, whatever becomes of the others. Returns the exit code: 1 where one has failed.

    Before the first one starts all are composed, checked, built and run for one batch.

    Raises:
        ConfigError: with all faults that were found by then.
    """
    from filelock import FileLock, Timeout

    from colorization.factory import make
    from colorization.trials.conductor import Conductor
    from colorization.trials.preflight import preflight
    from colorization.trials.question import question
    from colorization.trials.study import Study
    from colorization.trials.view import shown

    what = question(asked.overrides, asked.flags.config_name)
    better = directions(what)
    folder = what.folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(folder / ".lock", timeout=0).acquire()
    except Timeout:
        raise ConfigError([f"{folder}: another process runs this sweep; wait for it, or end it"]) from None
    with lock:
        describe(what, better, asked)
        launcher = make(what.cfg.launcher, jobs=what.cfg.jobs, folder=folder)
        ended = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        try:
            preflight(what.examples, folder, launcher)
            with shown(what.wanted, what.watched) as view:
                study = Study(what, folder, better)
                conductor = Conductor(study, launcher, what.wanted, view)
                well = conductor.run()
        except (KeyboardInterrupt, SystemExit):
            log.info("stopped; the same command goes on with %s", shlex.quote(os.path.relpath(folder)))
            raise
        finally:
            signal.signal(signal.SIGTERM, ended)
            launcher.close()
    conclude(conductor, what, better)
    return 0 if well else 1


def directions(what: Any) -> list[str]:
    """Whether more or less of each watched metric is better. Raises ConfigError where one is not measured."""
    from colorization import build

    cfg = what.examples[0].cfg.copy()
    found = []
    for name in what.watched:
        cfg.watch = name
        found.append(build.scorer(cfg, build.objective(cfg)).described(name)[1])
    return found


def describe(what: Any, better: list[str], asked: Request) -> None:
    """Write sweep.yaml: the command, the space, what is watched."""
    from omegaconf import OmegaConf

    from colorization.journal import write_yaml

    about = {
        "command": command_line("train", *(() if "-m" in asked.arguments else ("-m",)), *asked.arguments),
        "watch": dict(zip(what.watched, better, strict=True)),
        "fixed": list(what.space.fixed),
        "space": {d.name: d.described() for d in what.space.dimensions},
        "study": f"{what.folder.name}-{what.digest}",
        "settings": OmegaConf.to_container(what.cfg, resolve=True),
    }
    write_yaml(what.folder / "sweep.yaml", about)


def conclude(conductor: Any, what: Any, better: list[str]) -> None:
    """Say how many trials ended how, which was the best, and what to type next."""
    counts = ", ".join(f"{n} {s}" for s in ("finished", "pruned", "failed") if (n := conductor.count(s)))
    place = os.path.relpath(what.folder)
    print(f"sweep: {counts}, in {shlex.quote(place)}")
    for trial in conductor.study.best():
        values = trial.values(what.watched) or []
        told = ", ".join(f"{name} {value:.4f}" for name, value in zip(what.watched, values, strict=True))
        differing = what.space.differs(trial.about()["params"])
        print(f"best: {trial.name}: {told}; {' '.join(map(shlex.quote, differing))}")
    if failed := [name for name, state in conductor.ended.items() if state == "failed"]:
        for name in failed:
            failures = conductor.study.trials[name].notes()["failures"]
            log.error("failed: %s: %s", name, failures[-1]["reason"] if failures else "")
        log.error("%d of %d trials failed", len(failed), len(conductor.ended))
    print(f"page: {command_line('compare', place)}")


if __name__ == "__main__":
    main()
