"""A run that trains: packed, fitted, scored, and what becomes of it written into its folder."""

import logging
import os
import shlex
import time
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from colorization import build, journal, ranks
from colorization.allocator import keep_memory
from colorization.callback.checkpoint import BestAndLast
from colorization.callback.interrupt import SHELL
from colorization.config import ConfigError, command_line
from colorization.files import read_csv, write_json
from colorization.job import Job, reopened
from colorization.logger.wandb import log_evaluation
from colorization.objective.colours import mean_colour
from colorization.reopen import open_run
from colorization.report.summary import summary_table
from colorization.score import of_network
from colorization.trainer import PROFILE

log = logging.getLogger(__name__)


def run_trial(folder: Path) -> None:
    """Train what lies in a folder, as a process does that another one has started for it."""
    train(reopened(folder))


def train(job: Job) -> float:
    """Fit, score the best checkpoint on the test pictures, and return the best watched metric."""
    keep_memory()
    with journal.logged(job.folder) if job.trainer.is_global_zero else nullcontext():
        try:
            fit(job)
            return finish(job)
        except SystemExit as stop:  # Lightning takes another code than 0 of a process it started for a crash
            raise SystemExit(0 if ranks.is_inherited() else stop.code) from None
        finally:
            for board in job.dashboards:
                board.close()


def score(job: Job) -> float:
    """Score a run that has been trained and was ended before it was scored."""
    with journal.logged(job.folder):
        job.data.prepare_data()
        seconds = journal.record(job.folder).get("seconds", round(job.budget.spent["time"], 1))
        seen = job.budget.spent["pictures"]
        journal.note(job.folder, status="finished", pictures_seen=seen, seconds=seconds)
        try:
            return finish(job)
        finally:
            for board in job.dashboards:
                board.close()


def fit(job: Job) -> None:
    """Pack what is missing, train, and write to run.json how it ended."""
    began, first = time.monotonic(), job.trainer.is_global_zero
    earlier = journal.record(job.folder).get("seconds", 0.0) if job.last else 0.0
    status = "failed"
    try:
        prepare(job)
        if first:
            announce(job)
        job.trainer.fit(job.colorizer, job.data, ckpt_path=job.last, weights_only=True)
        status = "finished"
    except RuntimeError as error:
        if "loading state_dict" in str(error):
            raise ConfigError([f"{job.last}: not weights of this network: {error}"]) from error
        raise
    except OSError as error:
        if (job.folder / "checkpoints/last.ckpt").exists():
            raise OSError(f"{error}; then go on by resume={shlex.quote(str(job.folder))}") from error
        raise
    except (KeyboardInterrupt, SystemExit) as stop:
        status = "stopped"
        if isinstance(stop, SystemExit) and stop.code == 1:  # Lightning's word for a second Ctrl-C
            raise SystemExit(SHELL + 2) from stop
        raise
    finally:
        if first:
            seconds = round(time.monotonic() - began, 1)
            ended = {
                "status": status,
                "reason": reason(job, status),
                "pictures_seen": job.budget.spent["pictures"],
                "finished": datetime.now().astimezone().isoformat(timespec="seconds"),
            }
            journal.note(
                job.folder, part=ended | {"seconds": seconds}, **ended, seconds=round(earlier + seconds, 1)
            )


def prepare(job: Job) -> None:
    """Pack what is missing, let the objective learn from it, and load the weights to start from."""
    job.data.prepare_data()
    job.colorizer.objective.prepare(job.data.pack("train"))
    for term in job.colorizer.terms.values():
        term.start_from()
    if not job.last and not job.cfg.get("start"):
        job.colorizer.network.start_from()


def announce(job: Job) -> None:
    """Say what is trained, to the user, to run.json and to the dashboards."""
    data = job.data
    counts = {split: len(data.pack(split)) for split in ("train", "val")}
    prints = {split: data.fingerprint(split) for split in counts}
    scored = len(data.validation())
    about = {"data": {"name": data.name, "fingerprint": prints, "pictures": counts, "validated": scored}}
    known = journal.record(job.folder)
    if job.last and known["data"]["fingerprint"] != prints:
        raise ConfigError([f"resume={job.folder}: the pictures are not those that the run has learned from"])
    journal.note(job.folder, **about)
    parameters = known["parameters"]
    log.info(
        "%s: %d parameters, %d training pictures, validated on %d of %d",
        os.path.relpath(job.folder), parameters, counts["train"], scored, counts["val"],
    )  # fmt: skip
    for board in job.dashboards:
        board.describe(git=known["git"], versions=known["versions"], parameters=parameters, **about)


def reason(job: Job, status: str) -> str | None:
    """Why training ended."""
    if status != "finished":
        return None
    if job.budget.is_spent:
        limit = job.budget.tightest()
        return f"budget.{limit}={job.budget.limits[limit]:g} is spent"
    if job.trainer.fast_dev_run:  # type: ignore[attr-defined]
        return "trainer.fast_dev_run"
    early = job.trainer.early_stopping_callback
    return (early.stopping_reason_message if early else None) or "ended by a callback or by the trainer"


def finish(job: Job) -> float:
    """Score the best checkpoint, by all processes; the first records its numbers and prints them."""
    cfg, folder, trainer = job.cfg, job.folder, job.trainer
    kept, place = cast(BestAndLast, trainer.checkpoint_callback), os.path.relpath(folder)
    score = float("nan") if kept.best_model_score is None else float(kept.best_model_score)
    if trainer.fast_dev_run:  # type: ignore[attr-defined]
        print(f"trainer.fast_dev_run: the first batches went through; nothing of them is kept in {place}")
        return score
    best = Path(kept.best_model_path if Path(kept.best_model_path).exists() else kept.last_model_path)
    chosen = open_run(best)
    colorizer = chosen.colorizer(own=True).to(trainer.strategy.root_device)
    scoring = of_network(
        colorizer, job.colorizer.scorer.protocol, job.data, "test", best, most=cfg.test.pictures,
        more=build.metrics(cfg), training=partial(mean_colour, job.data.pack("train").pictures),
    )  # fmt: skip
    summary = scoring.write(folder)
    if not trainer.is_global_zero:
        return score
    scores = summary["metrics"] | summary["set_metrics"]
    tests = {f"test/{summary['protocol']}/{name}": value for name, value in scores.items()}
    for logger in trainer.loggers:
        logger.log_metrics(tests, step=int(job.budget.spent["steps"]))
        logger.finalize("success")
    for board in job.dashboards:
        log_evaluation(board.experiment, folder, folder / "evaluation" / scoring.name)
        grey = {f"grey/{name}": value for name, value in summary["baselines"]["grey"]["metrics"].items()}
        board.summarize(
            **grey, seconds=journal.record(folder)["seconds"], pictures_seen=job.budget.spent["pictures"]
        )
    _, better = job.colorizer.scorer.described(cfg.watch)
    write_json(folder / "metrics.json", recorded(folder / "metrics.csv", cfg.watch, better, summary))
    Console().print(summary_table(summary, folder.name))
    steps = chosen.state["callbacks"][job.budget.state_key]["steps"]
    print(f"scored: {best.name}, of step {steps} of {job.budget.spent['steps']}")
    for profile in sorted((folder / PROFILE).glob("*")):
        opened = " (open it in ui.perfetto.dev or chrome://tracing)" if profile.suffix == ".json" else ""
        print(f"profile: {shlex.quote(os.path.relpath(profile))}{opened}")
    print(f"run folder: {shlex.quote(place)}")
    print(f"colour your own: {command_line('predict', 'PHOTO', f'run={place}')}")
    return score


def recorded(table: Path, watch: str, better: str, summary: dict[str, Any]) -> dict[str, Any]:
    """metrics.json: best and last validation, test means, floors and ceilings."""
    rows = [row for row in read_csv(table) if row.get("val/loss")]
    validations = [
        {k: float(v) for k, v in row.items() if v and not k.startswith(("train/", "test/"))} for row in rows
    ]
    choose = max if better == "higher" else min
    watched = [row for row in validations if f"val/{watch}" in row]
    return {
        "protocol": summary["protocol"],
        "best": choose(watched, key=lambda row: row[f"val/{watch}"]) if watched else None,
        "last": validations[-1] if validations else None,
        "test": summary["metrics"] | summary["set_metrics"],
        "baselines": summary["baselines"],
    }
