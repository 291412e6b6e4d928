"""A sweep: one run after another, each from its own complete configuration."""

import logging
import os
import traceback
from collections.abc import Sequence
from pathlib import Path

import torch

from colorization import ranks
from colorization.command import in_words
from colorization.compose import Trial, trials
from colorization.config import InputError, command_line
from colorization.job import started
from colorization.journal import write_yaml
from colorization.request import Request
from colorization.training import train

log = logging.getLogger(__name__)


def sweep(asked: Request) -> int:
    """Run every trial, whatever becomes of the others. Returns the exit code: 1 where one has failed.

    All trials are composed and checked before the first one starts.
    """
    chosen = trials(asked.overrides, file=asked.flags.config_name)
    describe(chosen, asked)
    failed = [trial for trial in chosen if not succeeds(trial)]
    if failed:
        lines = [f"  {folder_of(trial)}: {' '.join(trial.overrides)}" for trial in failed]
        log.error("%d of %d trials failed:\n%s", len(failed), len(chosen), "\n".join(lines))
    return 1 if failed else 0


def succeeds(trial: Trial) -> bool:
    """Run one trial; what ends it, other than a person, is told and kept in the trial's log."""
    before = dict(os.environ)
    try:
        job = started(trial.cfg, trial.overrides)
        ranks.bequeath(job.folder)
        train(job)
    except Exception as error:
        log.error("%s: %s", folder_of(trial), in_words(error))
        if not isinstance(error, InputError | OSError):
            traceback.print_exception(error)
        return False
    finally:
        alone(before)
    return True


def alone(environment: dict[str, str]) -> None:
    """Leave no processes, variables or memory of one trial to the next."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    os.environ.clear()
    os.environ.update(environment)
    torch.cuda.empty_cache()


def describe(chosen: Sequence[Trial], asked: Request) -> None:
    """Write multirun.yaml: the command and what each trial was asked for, beside the trials' folders."""
    listed = {folder_of(trial).name: trial.overrides for trial in chosen}
    about = {"command": command_line("train", *asked.arguments), "trials": listed}
    write_yaml(folder_of(chosen[0]).parent / "multirun.yaml", about)


def folder_of(trial: Trial) -> Path:
    """Where a trial is to be."""
    return Path(trial.cfg.run.dir)
