"""Weights & Biases, never in the way: offline without a key or a server, and silent about it."""

import logging
import os
import secrets
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import rank_zero_experiment
from pytorch_lightning.utilities import rank_zero_only

from colorization.config import InputError
from colorization.files import read_csv

log = logging.getLogger(__name__)

Mode = Literal["auto", "online", "offline", "disabled"]
MODES = ("auto", "online", "offline", "disabled")
PATIENCE = 15  # seconds that a start may wait for the server
PICTURES = 64  # of an evaluation that go to the server, evenly spaced, the same ones for every run
EVALUATION = "evaluation"  # the type of the artifact that holds a run folder without its checkpoints
SUMMARY = {"val/psnr": "max", "val/ssim": "max", "val/ciede2000": "min", "val/loss": "min"}
STEP = "trainer/global_step"  # the axis of every metric, as Lightning calls it: batches trained on


class Wandb(WandbLogger):
    """Lightning's logger, of a run that starts when the first number is logged.

    Args:
        folder: the run folder; W&B's own files go to its wandb/.
        moment: where the run stands, beside every number; "step" is the axis.
        composed: the composed configuration, as plain data.
        run_id: the W&B run to go on with, for a resumed run; null makes a new one.
        name: the name that the dashboard shows; null is the folder's.
        mode: "auto" is what WANDB_MODE says, else online when a key is there and offline when none is;
            an unreachable server turns online into offline.
        project: the project on the dashboard.
        entity: the user or team; null is the key's default.
        group, tags, notes: as W&B shows them.
        log_model: True uploads the best checkpoint at the end, "all" every one.
    """

    def __init__(
        self,
        folder: Path,
        moment: Callable[[], dict[str, float]],
        composed: dict[str, Any] | None = None,
        run_id: str | None = None,
        name: str | None = None,
        mode: Mode = "auto",
        project: str = "colorization",
        entity: str | None = None,
        group: str | None = None,
        tags: list[str] | None = None,
        notes: str | None = None,
        log_model: bool | Literal["all"] = False,
    ):
        chosen_mode(mode)  # what is wrong with it is said before anything is packed
        self.mode, self.moment, self.gone = mode, moment, False
        self.run_id = run_id or agents_run() or secrets.token_hex(4)
        about: dict[str, Any] = {
            "entity": entity,
            "group": group,
            "tags": tags,
            "notes": notes,
            "config": composed,
        }
        super().__init__(
            name=name or folder.name, save_dir=str(folder), id=self.run_id, project=project,
            log_model=log_model, **about,
        )  # fmt: skip

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The W&B run."""
        if self._experiment is None:
            self._experiment = started(self.mode, **self._wandb_init)
            self._experiment.define_metric(STEP)
            self._experiment.define_metric("*", step_metric=STEP)
            for metric, best in SUMMARY.items():
                self._experiment.define_metric(metric, step_metric=STEP, summary=best)
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log beside the axes of this moment: steps, epochs, pictures and seconds."""
        moment = self.moment()
        self._tell(lambda: self.experiment.log(dict(metrics) | moment | {STEP: moment["step"]}))

    @rank_zero_only
    def describe(self, **about: Any) -> None:
        """Add to the run's configuration on the dashboard."""
        self._tell(lambda: self.experiment.config.update(about, allow_val_change=True))

    @rank_zero_only
    def summarize(self, **numbers: Any) -> None:
        """Add to the run's summary on the dashboard."""
        self._tell(lambda: self.experiment.summary.update(numbers))

    @rank_zero_only
    def close(self) -> None:
        """End the run, so that the next trial of a sweep starts its own."""
        if self._experiment is not None:
            self._tell(self._experiment.finish)

    def _tell(self, act: Callable[[], Any]) -> None:
        """Tell nothing more once W&B's own process is gone: a cluster may end that one first."""
        if self.gone:
            return
        try:
            act()
        except Exception as error:
            if not isinstance(error, OSError) and not type(error).__module__.startswith("wandb"):
                raise
            self.gone = True
            log.warning("W&B's process is gone (%s); the run's folder goes on without it", error)


def agents_run() -> str | None:
    """The run that W&B's agent has made for this trial of its sweep."""
    return os.environ.get("WANDB_RUN_ID") if os.environ.get("WANDB_SWEEP_ID") else None


def chosen_mode(mode: str) -> str:
    """The mode that the setting, or else WANDB_MODE, asks for.

    Raises:
        InputError: there is no such mode.
    """
    asked = os.environ.get("WANDB_MODE") if mode == "auto" else None
    for name, value in (("logger.mode", mode), ("WANDB_MODE", asked or "auto")):
        if value not in MODES:
            raise InputError(f"{name}={value}: choose {', '.join(MODES[:-1])} or {MODES[-1]}")
    return asked or mode


def started(mode: str, **about: Any) -> Any:
    """A W&B run, in a mode as `Wandb` says; `about` goes to wandb.init."""
    import wandb

    settings = wandb.Settings(silent=True, console="off", init_timeout=PATIENCE, disable_git=True)
    chosen: Any = chosen_mode(mode)
    try:
        if chosen == "auto":
            chosen = "online" if wandb.login(prompt=False) else "offline"
        run = wandb.init(mode=chosen, settings=settings, reinit="finish_previous", **about)
    except wandb.errors.Error as error:
        if chosen in ("offline", "disabled"):
            raise
        log.warning("W&B cannot be reached (%s); logging offline", str(error).splitlines()[0])
        chosen = "offline"
        run = wandb.init(mode="offline", settings=settings, reinit="finish_previous", **about)
    if chosen == "offline":
        log.info(
            "W&B is offline; to upload this run later: wandb sync %s", shlex.quote(str(Path(run.dir).parent))
        )
    return run


def log_evaluation(run: Any, folder: Path, evaluation: Path) -> None:
    """Send a scored run's tables: one with pictures to look at, and all that `compare` reads.

    Args:
        run: the W&B run.
        folder: the run folder.
        evaluation: where in it pictures.csv, predictions/ and truth/ lie.
    """
    import wandb

    files = sorted(path.name for path in (evaluation / "truth").glob("*.png"))
    files = files[:: max(len(files) // PICTURES, 1)][:PICTURES]
    artifact = wandb.Artifact(f"{EVALUATION}-{run.id}", EVALUATION)
    texts = [folder / name for name in ("config.yaml", "run.json", "metrics.csv")]
    texts += [*evaluation.glob("*.csv"), *evaluation.glob("*.json"), *evaluation.glob("baselines/*.csv")]
    pictures = [evaluation / kind / file for kind in ("truth", "predictions") for file in files]
    for path in [path for path in texts if path.exists()] + pictures:
        artifact.add_file(str(path), str(path.relative_to(folder)))
    run.log({f"{EVALUATION}/{evaluation.name}": _table(evaluation, set(files))})
    run.log_artifact(artifact)


def _table(evaluation: Path, files: set[str]) -> Any:
    """One row for each of these pictures: name, truth, prediction, metrics."""
    import wandb

    rows = read_csv(evaluation / "pictures.csv")
    place = {row["name"]: row["file"] for row in read_csv(evaluation / "manifest.csv")}
    metrics = [column for column in rows[0] if column not in ("name", "grey")]
    table = wandb.Table(["name", "truth", "predicted", *metrics])
    for row in rows:
        if (name := place[row["name"]]) in files:
            both = [wandb.Image(str(evaluation / kind / name)) for kind in ("truth", "predictions")]
            table.add_data(row["name"], *both, *(float(row[metric]) for metric in metrics))
    return table
