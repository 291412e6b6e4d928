"""What lies on disk of a sweep, and what of it counts.

sweep.yaml            the question: command, fixed settings, space, search, what is watched
journal.log           Optuna's journal, for optuna-dashboard
NAME/                 the run of a trial
trials/NAME.yaml      what the trial is: identity, overrides, complete configuration
trials/NAME.json      what became of it beside its run: failures, pruned
trials/NAME.log       what its processes said
checks/               what was tried for one batch before the first trial

A trial is finished when its run is scored; nothing that a database says counts against its folder.
"""

import hashlib
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from omegaconf import DictConfig, OmegaConf

from colorization import journal
from colorization.compose import Trial as Composed
from colorization.files import TEXT, read_csv, write_json
from colorization.reopen import literal

log = logging.getLogger(__name__)

PLACE = (
    "run",
    "resume",
    "logger",
    "name",
)  # of a configuration: where it is written and shown, not what it is
LINES = 50  # of a log, in which an error is looked for
State = Literal["waiting", "stopped", "trained", "finished", "failed", "pruned"]


@dataclass(frozen=True)
class Trial:
    """One trial of a sweep, by its file.

    Attributes:
        path: SWEEP/trials/NAME.yaml.
    """

    path: Path

    @property
    def name(self) -> str:
        """Of its file and of its run's folder."""
        return self.path.stem if self.path.suffix == ".yaml" else self.path.name

    @property
    def folder(self) -> Path:
        """Its run's folder."""
        return self.path.parent.parent / self.name

    @property
    def log(self) -> Path:
        """What its processes said."""
        return self._beside(".log")

    @property
    def lock(self) -> Path:
        """Held by the one process that runs it."""
        return self._beside(".lock")

    def about(self) -> dict[str, Any]:
        """The content of its file."""
        return yaml.safe_load(self.path.read_text(**TEXT))

    def config(self) -> DictConfig:
        """Its complete configuration."""
        return OmegaConf.create(literal(self.about()["config"]))

    def notes(self) -> dict[str, Any]:
        """What became of it beside its run: "failures" and "pruned"."""
        path = self._beside(".json")
        return json.loads(path.read_text(**TEXT)) if path.exists() else {"failures": [], "pruned": False}

    def note(self, **what: Any) -> None:
        """Add to what became of it."""
        write_json(self._beside(".json"), self.notes() | what)

    def state(self) -> State:
        """Where it stands, whoever runs it; "stopped" is also what is running or was killed."""
        if (self.folder / "metrics.json").exists():
            return "finished"
        if self.notes()["pruned"]:
            return "pruned"
        if not (self.folder / "run.json").exists():
            return "failed" if self.notes()["failures"] else "waiting"
        status = journal.record(self.folder)["status"]
        return {"finished": "trained", "failed": "failed"}.get(status, "stopped")  # type: ignore[return-value]

    def values(self, watched: Sequence[str]) -> list[float] | None:
        """The watched numbers of its best checkpoint; None where one was not measured, or is not finite."""
        found = json.loads((self.folder / "metrics.json").read_text(**TEXT))["best"] or {}
        numbers = [float(found.get(f"val/{name}", "nan")) for name in watched]
        return numbers if all(abs(number) < float("inf") for number in numbers) else None

    def curve(self, watched: str) -> list[tuple[float, float]]:
        """(pictures seen, watched number) of each validation so far."""
        path = self.folder / "metrics.csv"
        rows = read_csv(path) if path.exists() else []
        return [
            (float(row["pictures"]), float(row[f"val/{watched}"]))
            for row in rows
            if row.get(f"val/{watched}")
        ]

    def last_words(self) -> str:
        """The last line that its processes said, or the empty string."""
        lines = self.log.read_text(**TEXT).split("\n")[-LINES:] if self.log.exists() else []
        said = [
            line.strip()
            for line in lines
            if line.strip() and not line.startswith((" ", "the log is", "log:"))
        ]
        return said[-1][:300] if said else ""

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.name}{suffix}")


def identity(cfg: DictConfig, without: Sequence[str] = ()) -> str:
    """The hash of a resolved configuration, whatever folder and dashboard it is written to."""
    plain: Any = OmegaConf.to_container(cfg, resolve=True)
    kept = {name: value for name, value in plain.items() if name not in (*PLACE, *without)}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:12]


def recorded(sweep: Path, composed: Composed, name: str, params: Mapping[str, Any]) -> Trial:
    """Write a new trial, and give it."""
    (trial := Trial(sweep / "trials" / f"{name}.yaml")).path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "identity": identity(composed.cfg),
        "params": dict(params),
        "overrides": composed.overrides,
        "wandb_id": secrets.token_hex(4),
        "config": OmegaConf.to_container(composed.cfg, resolve=True),
    }
    journal.write_yaml(trial.path, about)
    return trial


def trials_of(sweep: Path) -> list[Trial]:
    """The trials of a sweep, by number."""

    def order(path: Path) -> tuple[int, str]:
        number = path.stem.partition("_")[0]
        return (int(number) if number.isdigit() else 0, path.stem)

    return [Trial(path) for path in sorted((sweep / "trials").glob("*.yaml"), key=order)]


def scored_among(places: Sequence[str]) -> list[str]:
    """Paths without what lies in a sweep's folder and is no scored run, as SWEEP/* names it; that is said."""
    inside = [place for place in places if is_sweep(Path(place).absolute().parent)]
    left = [place for place in inside if not any(Path(place).glob("evaluation/*/pictures.csv"))]
    if runs := [Path(place).name for place in left if (Path(place) / "run.json").exists()]:
        log.warning("left out, for they are not scored: %s", ", ".join(runs))
    return [place for place in places if place not in left]


def is_sweep(folder: Path) -> bool:
    """Whether a folder holds a sweep."""
    return (folder / "sweep.yaml").is_file() and (folder / "trials").is_dir()
