"""One trial, or a check of one, as a process: python -m colorization.trials.worker run|check FILE."""

import json
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from filelock import FileLock
from omegaconf import DictConfig, open_dict

from colorization import ranks
from colorization.command import errors_in_words, in_words
from colorization.config import InputError
from colorization.files import write_json
from colorization.job import Job, built, continued, is_spent, reopened, started
from colorization.journal import saved
from colorization.trials.record import Trial

log = logging.getLogger(__name__)


def run(trial: Trial) -> None:
    """Train what is left of a trial, and score it; by all of its processes."""
    from colorization.training import run_trial, score, train

    if not ranks.is_first():
        run_trial(ranks.run_folder())
        return
    with FileLock(trial.lock), ranks.telling() as tell:  # another process of it may still be stopping
        state = trial.state()
        if state in ("finished", "pruned"):
            return
        last = trial.folder / "checkpoints/last.ckpt"
        if state == "trained" or (last.exists() and is_spent(trial.folder)):
            score(alone(trial.folder))
            return
        job = opened(trial, last)
        tell(job.folder)
        train(job)


def opened(trial: Trial, last: Path) -> Job:
    """The run of a trial: from its last checkpoint, or from the beginning where it came to none."""
    if last.exists():
        return continued(trial.folder, [])
    if (trial.folder / "config.yaml").exists() or (trial.folder / "checkpoints").exists():
        shutil.rmtree(trial.folder)
    about, cfg = trial.about(), trial.config()
    cfg.run.dir = str(trial.folder)
    return started(cfg, about["overrides"], about["wandb_id"])


def alone(folder: Path) -> Job:
    """A trained run, to be scored by this process."""
    cfg = saved(folder)
    if "devices" in cfg.trainer and str(cfg.trainer.devices) not in ("1", "auto"):
        cfg.trainer.devices, cfg.trainer.strategy = 1, "auto"
    return reopened(folder, cfg)


def check(path: Path) -> None:
    """Build what a configuration says and run one batch of it; write what is wrong into FILE.json."""
    fault = None
    try:
        with tempfile.TemporaryDirectory() as place:
            cfg = Trial(path).config()
            cfg.run.dir = place
            one_batch(cfg)
    except InputError as error:
        fault = "\n".join(getattr(error, "faults", [str(error)]))
    except Exception as error:
        logging.getLogger(__name__).exception("one batch failed")
        fault = in_words(error).splitlines()[0]
    write_json(path.with_suffix(".json"), {"fault": fault})


def one_batch(cfg: DictConfig) -> None:
    """Train and validate one batch; nothing is kept."""
    with open_dict(cfg):
        cfg.trainer.fast_dev_run, cfg.trainer.enable_progress_bar = True, False
        cfg.logger, cfg.callback = {}, {}
    if cfg.trainer.devices not in (1, "auto"):
        cfg.trainer.devices, cfg.trainer.strategy = 1, "auto"
    from colorization.training import prepare

    job = built(cfg)
    prepare(job)
    job.trainer.fit(job.colorizer, job.data)


def verdict(path: Path) -> str | None:
    """What a check found, or None; a check that wrote nothing was ended by something else."""
    result = path.with_suffix(".json")
    if not result.exists():
        return "the process that tried one batch was killed: too little memory?"
    return json.loads(result.read_text(encoding="utf-8"))["fault"]


def main() -> None:
    """The command that launchers start."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    task, path = sys.argv[1], Path(sys.argv[2])
    with errors_in_words():
        run(Trial(path)) if task == "run" else check(path)


if __name__ == "__main__":
    main()
