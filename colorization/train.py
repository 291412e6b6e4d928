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
from datetime import datetime
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
from colorization.command import errors_in_words, help_text, in_words
from colorization.compose import completed, varied
from colorization.config import CONF, ConfigError, groups
from colorization.data.module import PictureData
from colorization.logger.table import Table
from colorization.module import Colorizer
from colorization.score import score, summary_table

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
        if other := [o for o in overrides if o.partition("=")[0] in groups()]:
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
    run.find_checkpoint(folder, ("last",))
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
            raise SystemExit(in_words(error)) from error
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
    if build.first_process() and (folder / "config.yaml").exists() and not cfg.resume:
        raise ConfigError(
            [f"run.dir={folder}: holds a run already; go on with it by resume={folder}, or choose another"]
        )
    quiet()
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    record = run.provenance()
    plain: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    budget = build.budget(cfg)
    data = build.data(cfg)
    colorizer = build.colorizer(cfg, budget.progress, record={"config": plain, "git": record["git"]})
    last = run.find_checkpoint(folder, ("last",)) if cfg.resume else None
    earlier = yaml.safe_load((folder / "run.json").read_text()) if last else {}
    record |= {
        "name": folder.name,
        "command": " ".join(["python -m colorization.train", *HydraConfig.get().overrides.task]),
        "seed": cfg.seed,
        "parameters": sum(p.numel() for p in colorizer.network.parameters()),
        "status": "running",
    }
    began = time.monotonic()
    data.prepare_data()
    data.setup("fit")
    fingerprints = {split: data.fingerprint(split) for split in ("train", "val")}
    record["data"] = {
        "name": data.name,
        "fingerprint": fingerprints,
        "pictures": {split: len(data.pack(split).names) for split in ("train", "val")},
    }
    colorizer.objective.prepare(data.pack("train").pictures)
    trainer = build.trainer(cfg, folder, budget, earlier.get("wandb_id"))
    record["wandb_id"] = build.wandb_id(trainer)
    if last:
        cast(Table, trainer.loggers[0]).resume(
            torch.load(last, map_location="cpu", weights_only=True)["global_step"]
        )
    if trainer.is_global_zero:
        run.start(folder, cfg, list(HydraConfig.get().overrides.task), record)
    counts = record["data"]["pictures"]
    log.info(
        "%s: %d parameters, %d training pictures",
        os.path.relpath(folder),
        record["parameters"],
        counts["train"],
    )
    status = "failed"
    try:
        trainer.fit(colorizer, data, ckpt_path=last, weights_only=True)
        status = "finished" if budget.progress() >= 1 - 1e-9 else "stopped"
    except RuntimeError as error:
        if "loading state_dict" in str(error):
            raise ConfigError([f"{last}: not weights of this network: {error}"]) from error
        raise
    finally:
        record |= {
            "status": status,
            "finished": datetime.now().astimezone().isoformat(timespec="seconds"),
            "seconds": round(earlier.get("seconds", 0) + time.monotonic() - began, 1),
            "pictures_seen": budget.spent["pictures"],
        }
        if trainer.is_global_zero and (folder / "run.json").exists():
            run.write_json(folder / "run.json", record)
    return finish(cfg, folder, trainer, colorizer, data)


def finish(
    cfg: DictConfig, folder: Path, trainer: pl.Trainer, colorizer: Colorizer, data: PictureData
) -> float:
    """Score the best checkpoint, record its numbers, and print them beside the grey floor."""
    kept = cast(ModelCheckpoint, trainer.checkpoint_callback)
    best = Path(kept.best_model_path or folder / "checkpoints/best.ckpt")
    if trainer.is_global_zero:
        reopened = run.open_run(best).colorizer().to(colorizer.device)
        summary = score(reopened, data, "test", folder, best)
        run.write_json(folder / "metrics.json", recorded(trainer, best, summary))
        Console().print(summary_table(summary, folder.name))
        shown = os.path.relpath(folder)
        print(f"run folder: {shown}\ncolour your own: python -m colorization.predict PHOTO run={shown}")
        for logger in trainer.loggers:
            logger.log_metrics(
                {f"test/{k}": v for k, v in summary["metrics"].items()}, step=trainer.global_step
            )
            logger.finalize("success")
    close_loggers(cfg)
    return float("nan") if kept.best_model_score is None else float(kept.best_model_score)


def recorded(trainer: pl.Trainer, best: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """metrics.json: best and last validation, test means, floors."""
    with (Path(trainer.default_root_dir) / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row.get("val/loss")]
    validations = [{k: float(v) for k, v in row.items() if v and not k.startswith("train/")} for row in rows]
    step = torch.load(best, map_location="cpu", weights_only=True)["global_step"]
    return {
        "protocol": summary["protocol"],
        "best": next((v for v in validations if v["step"] == step), validations[-1]),
        "last": validations[-1],
        "test": summary["metrics"],
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
