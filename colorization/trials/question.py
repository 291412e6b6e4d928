"""What a sweep is asked for: its own settings apart from those of its trials."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from colorization.compose import Composer, Trial, composed, every
from colorization.config import ConfigError, groups
from colorization.override import read_override
from colorization.trials.space import Params, Space, space_of

GRID = "colorization.search.grid.Grid"


@dataclass(frozen=True)
class Question:
    """A sweep before it runs.

    Attributes:
        cfg: conf/sweep.yaml, composed.
        space: what its trials are.
        watched: the metrics that say which trial is good; the first one chooses checkpoints.
        file: the YAML file of a trial, where it is not train.yaml.
    """

    cfg: DictConfig
    space: Space
    watched: tuple[str, ...]
    file: str | None

    @property
    def is_grid(self) -> bool:
        """Whether every combination is tried, and nothing is searched."""
        return self.cfg.search._target_ == GRID

    @property
    def digest(self) -> str:
        """What tells this question from others, however many trials it is worth and wherever they run."""
        text = f"{self.space.digest} {self.cfg.search} {self.watched}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def wanted(self) -> float:
        """How many trials are to be finished; a grid ends by itself."""
        return float("inf") if self.is_grid else self.cfg.trials

    @cached_property
    def composer(self) -> Composer:
        """What composes its trials."""
        return Composer(self.digest, file=self.file)

    @cached_property
    def examples(self) -> list[Trial]:
        """All trials of a grid; of a search those at the ends of its space. Each is composed and checked.

        Raises:
            ConfigError: the faults of all.
        """
        points = self.space.grid() if self.is_grid else self.space.corners()
        return [grouped(t) for t in every(self.composer, [self._asked(p) for p in points])]

    def trial(self, number: int, params: Params) -> Trial:
        """The configuration of a trial, composed and checked; that of a grid's is known already."""
        lines = self.space.lines(params)
        if self.is_grid and number < len(self.examples) and self.examples[number].overrides == lines:
            return self.examples[number]
        return grouped(self.composer.trial(number, *self._asked(params)))

    def _asked(self, params: Params) -> tuple[list[str], list[str]]:
        return self.space.lines(params), self.space.differs(params)

    @property
    def folder(self) -> Path:
        """The sweep's."""
        return Path(self.examples[0].cfg.run.dir).parent


def grouped(trial: Trial) -> Trial:
    """Show a trial in a group named as its sweep, where a logger has groups and none is given."""
    logger: Any = trial.cfg.get("logger") or {}
    group = Path(trial.cfg.run.dir).parent.name
    for node in (logger, *(node for node in logger.values() if isinstance(node, DictConfig))):
        if "group" in node and node.group is None:
            node.group = group
    return trial


def question(overrides: Sequence[str], file: str | None = None) -> Question:
    """Read a sweep's command line.

    Raises:
        ConfigError: what it asks for is not a sweep, or one that cannot be answered.
    """
    own, of_trials = divided(overrides)
    cfg = composed("sweep", own)
    rest, watched = _watched(of_trials)
    asked = Question(cfg, space_of(rest), watched, file)
    if wrong := list(_faults(asked)):
        raise ConfigError(wrong)
    if not watched:
        return Question(cfg, asked.space, (asked.examples[0].cfg.watch,), file)
    return asked


def divided(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """The overrides of the sweep itself, and those of its trials."""
    names = {*groups("sweep"), "trials", "jobs", "journal"}
    is_own = [line.lstrip("+~").partition("=")[0].partition(".")[0] in names for line in overrides]
    own = [line for line, its in zip(overrides, is_own, strict=True) if its]
    return own, [line for line, its in zip(overrides, is_own, strict=True) if not its]


def _watched(overrides: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Overrides with the first of several watched metrics, and all of them."""
    rest: list[str] = []
    watched: list[str] = []
    for line in overrides:
        if line.startswith("watch=["):
            value = read_override(line, sweep=True).value()
            watched = [str(name) for name in value] if isinstance(value, list) else []
            line = f"watch={watched[0]}" if watched else line
        rest.append(line)
    return rest, tuple(watched)


def _faults(asked: Question) -> Iterator[str]:
    cfg, space = asked.cfg, asked.space
    intervals = [d.name for d in space.dimensions if not hasattr(d, "lines")]
    if asked.is_grid and intervals:
        name = intervals[0]
        remedy = f"give some, {name}=A,B,C or {name}=range(FROM,TO,STEP), or search=tpe trials=N"
        yield f"{name}=interval(...): an interval has no list of values to try; {remedy}"
    if asked.is_grid and cfg.trials is not None:
        yield f"trials={cfg.trials}: a grid has as many as its lists make; search=tpe proposes so many"
    if not asked.is_grid and cfg.trials is None:
        yield "trials: a search has no end of its own; give trials=N"
    if not asked.is_grid and not space.dimensions:
        yield "search: nothing to search; give lists, NAME=A,B, or intervals, 'NAME=interval(LOW,HIGH)'"
    if len(asked.watched) > 1 and not cfg.pruner._target_.endswith("NopPruner"):
        yield "pruner: one watched metric can end a trial early, several cannot; give one, or pruner=none"
    if cfg.jobs < 1:
        yield f"jobs={cfg.jobs}: give 1 or more"
