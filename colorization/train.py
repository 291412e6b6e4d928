"""Train a network to colour grey pictures.

    python -m colorization.train                                  COCO, U-Net, regression
    python -m colorization.train data=scenes budget.time=2m       no data needed: rendered scenes
    python -m colorization.train data=folder data.root=PHOTOS     your own pictures
    python -m colorization.train model=cnn data.subset=20000      another network, fewer pictures
    python -m colorization.train -m model=cnn,unet seed=0,1,2     a sweep: six runs
    python -m colorization.train resume=runs/RUN                  go on with a stopped run

Everything of a run is written to runs/DATE_TIME_NAME/. Then: evaluate, predict, compare.
"""

import csv
import logging
import os
import shutil
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import hydra
import pytorch_lightning as pl
import torch
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, read_write
from pytorch_lightning.callbacks import ModelCheckpoint
from rich.console import Console

from colorization import build, run
from colorization.callback.budget import Budget
from colorization.command import errors_in_words, help_text, in_words
from colorization.compose import completed, varied
from colorization.config import CONF, ConfigError, groups
from colorization.data.module import PictureData
from colorization.logger.table import Table
from colorization.module import Colorizer
from colorization.reopen import find_checkpoint, open_run
from colorization.score import of_network, summary_table
from colorization.scoring.baselines import mean_colour

log = logging.getLogger(__name__)
failed: list[str] = []  # trials of a sweep


def main() -> None:
    """The command: hold the configuration against its schema, then hand over to Hydra."""
    arguments = sys.argv[1:]
    if {"-h", "--help"} & set(arguments):
        print(help_text("train", __doc__ or ""))
        return
    with errors_in_words():
        sys.argv[1:] = prepared(arguments)
        _hydra_main()
        if failed:
            raise ConfigError([f"these trials failed, see above: {', '.join(failed)}"])


def prepared(arguments: Sequence[str]) -> list[str]:
    """Arguments for Hydra, a resumed run's own first; every fault is found before a folder is made."""
    overrides = [argument for argument in arguments if not argument.startswith("-")]
    flags = [argument for argument in arguments if argument.startswith("-")]
    if not build.first_process():  # started by Lightning with arguments that the first process has prepared
        return list(arguments)
    resume = next((o.partition("=")[2] for o in overrides if o.startswith("resume=")), "null")
    if resume != "null":
        if other := [o for o in overrides if o.partition("=")[0] in groups("train")]:
            raise ConfigError(
                [f"{' '.join(other)}: a resumed run keeps its options; start a new run for others"]
            )
        overrides = [*saved_overrides(Path(resume)), *overrides, f"run.dir={resume}"]
    if {"-m", "--multirun"} & set(flags):
        for trial in varied("train", overrides):
            completed("train", trial)
        return [*flags, *overrides]
    return [*flags, *completed("train", overrides)]


def saved_overrides(folder: Path) -> list[str]:
    """What the run to go on with was started with."""
    if folder.is_file():
        raise ConfigError([f"resume={folder}: give the run's folder, such as {folder.parent.parent}"])
    find_checkpoint(folder, ("last",))
    return [
        o
        for o in yaml.safe_load((folder / "overrides.yaml").read_text())
        if not o.startswith(("resume=", "run.dir="))
    ]


@hydra.main(config_path=str(CONF), config_name="train", version_base="1.3")
def _hydra_main(cfg: DictConfig) -> float:
    """One run, or one trial of a sweep: there a failure is told and the next trial starts."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    cfg.run.dir = str(folder)
    other_processes_join(folder)
    try:
        return train(cfg, folder)
    except (ValueError, OSError) as error:
        if not (folder / "run.json").exists():
            shutil.rmtree(folder, ignore_errors=True)  # nothing ran: leave nothing behind
        if HydraConfig.get().mode is not RunMode.MULTIRUN:
            raise SystemExit(in_words(error) if build.first_process() else 1) from error
        log.error("%s", in_words(error))
        failed.append(folder.name)
        return float("nan")


def other_processes_join(folder: Path) -> None:
    """Let the processes that Lightning starts for more devices run this one trial in this folder.

    They get this process's arguments, which in a sweep name all the trials.
    """
    sys.argv[1:] = list(HydraConfig.get().overrides.task)
    hydra_config = HydraConfig.get()
    with read_write(hydra_config):  # type: ignore[arg-type]
        hydra_config.run.dir = str(folder)


def train(cfg: DictConfig, folder: Path) -> float:
    """Fit, score the best checkpoint on the test pictures, and return the best watched metric."""
    if build.first_process() and (folder / "config.yaml").exists():
        check_same(folder, cfg) if cfg.resume else refuse(folder)
    quiet()
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    budget, data = build.budget(cfg), build.training_data(cfg, build.protocol(cfg))
    last = find_checkpoint(folder, ("last",)) if cfg.resume else None
    colorizer = build.colorizer(cfg, budget.progress, record={"config": plain(cfg), "git": run.git()})
    data.prepare_data()
    colorizer.objective.prepare(data.pack("train"))
    record = run.provenance() | described(cfg, folder, colorizer, data)
    earlier = yaml.safe_load((folder / "run.json").read_text()) if last else {}
    if last:
        take_up(budget, last)
    else:
        colorizer.network.start_from()
    trainer = build.trainer(cfg, folder, budget, colorizer, earlier.get("wandb_id"))
    record["wandb_id"] = build.wandb_id(trainer)
    if trainer.is_global_zero:
        run.start(folder, cfg, record["overrides"], record)
    fit(trainer, colorizer, data, budget, last, record, earlier.get("seconds", 0.0))
    return finish(cfg, folder, trainer, colorizer, data)


def refuse(folder: Path) -> None:
    """Say what to do instead of training where a run lies already."""
    remedy = f"it came to no checkpoint: remove it by rm -r {folder}"
    if (folder / "checkpoints/last.ckpt").exists():
        remedy = f"go on with it by resume={folder}"
    raise ConfigError([f"run.dir={folder}: holds a run already; {remedy}, or choose another"])


def check_same(folder: Path, cfg: DictConfig) -> None:
    """Raise a ConfigError where a resumed run would not learn the same with the same network."""
    before, now = yaml.safe_load((folder / "config.yaml").read_text()), plain(cfg)
    faults = [
        f"{group}.{key}={now[group][key]}: the run has {old} and keeps it; start a new run for another"
        for group in ("model", "objective", "hints")
        for key, old in (before[group] or {}).items()
        if key in now[group] and now[group][key] != old
    ]
    if faults:
        raise ConfigError(faults)


def take_up(budget: Budget, last: Path) -> None:
    """Let a budget stand where the checkpoint left it. Raises ConfigError where nothing is left of it."""
    state = torch.load(last, map_location="cpu", weights_only=True)
    budget.load_state_dict(state["callbacks"][budget.state_key])
    if budget.progress() >= 1 - 1e-9:
        limit, folder = budget.tightest(), last.parent.parent
        spent = f"its budget.{limit}={budget.limits[limit]:g} is spent"
        score = f"python -m colorization.evaluate run={folder}"
        raise ConfigError(
            [f"resume={folder}: {spent}; give a larger one to train on, or score it by {score}"]
        )


def plain(cfg: DictConfig) -> dict[str, Any]:
    """The configuration as plain data."""
    return cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))


def described(cfg: DictConfig, folder: Path, colorizer: Colorizer, data: PictureData) -> dict[str, Any]:
    """What run.json says of a run before it starts, beside where the code comes from."""
    overrides = list(HydraConfig.get().overrides.task)
    parameters = sum(p.numel() for p in colorizer.network.parameters())
    counts = {split: len(data.pack(split)) for split in ("train", "val")}
    log.info("%s: %d parameters, %d training pictures", os.path.relpath(folder), parameters, counts["train"])
    return {
        "name": folder.name,
        "command": " ".join(["python -m colorization.train", *overrides]),
        "overrides": overrides,
        "seed": cfg.seed,
        "parameters": parameters,
        "data": {
            "name": data.name,
            "fingerprint": {split: data.fingerprint(split) for split in counts},
            "pictures": counts,
        },
        "status": "running",
    }


def fit(
    trainer: pl.Trainer,
    colorizer: Colorizer,
    data: PictureData,
    budget: Budget,
    last: Path | None,
    record: dict[str, Any],
    earlier: float,
) -> None:
    """Train, from the checkpoint `last` if there is one, and write to run.json how it ended.

    `earlier` are the seconds that the run took before it was resumed.
    """
    began, folder = time.monotonic(), Path(trainer.default_root_dir)
    if last:
        state = torch.load(last, map_location="cpu", weights_only=True)
        cast(Table, trainer.loggers[0]).resume(state["global_step"])
    record["status"] = "failed"
    try:
        trainer.fit(colorizer, data, ckpt_path=last, weights_only=True)
        record["status"] = "finished" if budget.progress() >= 1 - 1e-9 else "stopped"
    except RuntimeError as error:
        if "loading state_dict" in str(error):
            raise ConfigError([f"{last}: not weights of this network: {error}"]) from error
        raise
    except OSError as error:
        remedy = f"; then go on by resume={folder}" if (folder / "checkpoints/last.ckpt").exists() else ""
        raise OSError(f"{error}{remedy}") from error
    except (KeyboardInterrupt, SystemExit):  # Lightning turns Ctrl-C into an exit
        record["status"] = "stopped"
        raise
    finally:
        record["finished"] = datetime.now().astimezone().isoformat(timespec="seconds")
        record["seconds"] = round(earlier + time.monotonic() - began, 1)
        record["pictures_seen"] = budget.spent["pictures"]
        if trainer.is_global_zero:
            with suppress(OSError) if record["status"] == "failed" else nullcontext():
                run.write_json(folder / "run.json", record)


def finish(
    cfg: DictConfig, folder: Path, trainer: pl.Trainer, colorizer: Colorizer, data: PictureData
) -> float:
    """Score the best checkpoint, record its numbers, and print them beside the grey floor."""
    kept = cast(ModelCheckpoint, trainer.checkpoint_callback)
    best = Path(kept.best_model_path or folder / "checkpoints/best.ckpt")
    if trainer.is_global_zero:
        chosen = open_run(best)
        reopened = chosen.colorizer(own=True).to(colorizer.device)
        scoring = of_network(
            reopened, colorizer.scorer.protocol, data, "test", best, most=build.scored(cfg, "test", data),
            training=partial(mean_colour, data.pack("train").pictures), more=build.metrics(cfg),
        )  # fmt: skip
        summary = scoring.write(folder)
        build.log_evaluation(trainer, folder, folder / "evaluation" / scoring.name)
        scores = summary["metrics"] | summary["set_metrics"]
        tests = {f"test/{summary['protocol']}/{name}": value for name, value in scores.items()}
        for logger in trainer.loggers:
            logger.log_metrics(tests, step=trainer.global_step)
            logger.finalize("success")
        _, better = colorizer.scorer.described(cfg.watch)
        run.write_json(folder / "metrics.json", recorded(folder / "metrics.csv", cfg.watch, better, summary))
        Console().print(summary_table(summary, folder.name))
        shown = os.path.relpath(folder)
        print(f"scored: {best.name}, of step {chosen.state['global_step']} of {trainer.global_step}")
        print(f"run folder: {shown}\ncolour your own: python -m colorization.predict PHOTO run={shown}")
    close_loggers(cfg)
    return float("nan") if kept.best_model_score is None else float(kept.best_model_score)


def recorded(table: Path, watch: str, better: str, summary: dict[str, Any]) -> dict[str, Any]:
    """metrics.json: best and last validation, test means, floors and ceilings."""
    with table.open() as file:
        rows = [row for row in csv.DictReader(file) if row.get("val/loss")]
    validations = [
        {k: float(v) for k, v in row.items() if v and not k.startswith(("train/", "test/"))} for row in rows
    ]
    choose = max if better == "higher" else min
    return {
        "protocol": summary["protocol"],
        "best": choose(validations, key=lambda row: row[f"val/{watch}"]),
        "last": validations[-1],
        "test": summary["metrics"] | summary["set_metrics"],
        "baselines": summary["baselines"],
    }


def close_loggers(cfg: DictConfig) -> None:
    """End the W&B run, so that the next trial of a sweep starts its own."""
    if "wandb" in cfg.logger:
        import wandb

        wandb.finish()


def quiet() -> None:
    """Keep Lightning's advertisements and torch's notices out of the terminal; our own warnings stay."""
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning|torch|lightning_fabric")


if __name__ == "__main__":
    main()
