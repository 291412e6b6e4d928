"""Which trials there are, asked of a search and told to it: Optuna's ask and tell over trials on disk."""

import warnings
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from colorization.config import ConfigError, installation
from colorization.factory import make
from colorization.trials.question import Question
from colorization.trials.record import Trial, identity, recorded, trials_of

ROOM = 1 - 1e-3  # of an interval between validations, which other batch sizes shift by some pictures
NAME = "trial"  # of the attribute under which Optuna's trial knows ours


class Study:
    """The trials of a sweep.

    Args:
        asked: what the sweep is.
        folder: where it lies.
        better: of each watched metric, "higher" or "lower".

    Attributes:
        trials: all that there are, by name, in their order.
    """

    def __init__(self, asked: Question, folder: Path, better: Sequence[str]):
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self.asked, self.folder = asked, folder
        self.points = asked.space.grid() if asked.is_grid else None
        self.optuna = optuna.create_study(
            storage=storage(folder, asked.cfg.journal),
            study_name=f"{folder.name}-{asked.digest}",
            directions=["maximize" if way == "higher" else "minimize" for way in better],
            pruner=make(asked.cfg.pruner),
            load_if_exists=True,
        )
        self.trials = {trial.name: trial for trial in trials_of(folder)}
        self.known = {trial.about()["identity"]: trial for trial in self.trials.values()}
        self.open: dict[str, list[optuna.Trial]] = defaultdict(list)  # asked and not told, by our name
        self.heard: dict[int, int] = {}  # Optuna's number -> the last step that was reported
        for begun in self.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.heard[begun.number] = max(begun.intermediate_values, default=0)
            self._take(self._opened(begun))

    def ask(self) -> Trial | None:
        """The next trial: a new one, or one that there is already; None where a grid has no more."""
        number = len(self.optuna.get_trials(deepcopy=False))
        if self.points is not None and number >= len(self.points):
            return None
        self.optuna.sampler = self._sampler(number)
        return self._take(self.optuna.ask())

    def tell(self, trial: Trial) -> None:
        """Tell the search what became of a trial, once; a failed one that is finished later counts anew."""
        state, values = self._outcome(trial)
        for asked in self.open.pop(trial.name, []):
            self.optuna.tell(asked.number, values, state)
        before = [t for t in self._told() if t.user_attrs.get(NAME) == trial.name]
        if state is TrialState.COMPLETE and all(t.state is TrialState.FAIL for t in before):
            told = before[-1]
            self.optuna.add_trial(
                optuna.trial.create_trial(
                    values=values,
                    params=told.params,
                    distributions=told.distributions,
                    user_attrs={NAME: trial.name},
                )
            )

    def asked_for(self) -> list[Trial]:
        """The trials that this search has proposed so far; others in the folder are of another question."""
        names = dict.fromkeys(t.user_attrs.get(NAME) for t in self.optuna.get_trials(deepcopy=False))
        return [self.trials[name] for name in names if name in self.trials]

    @property
    def done(self) -> int:
        """How many proposals were finished or pruned."""
        return sum(t.state in (TrialState.COMPLETE, TrialState.PRUNED) for t in self._told())

    @property
    def failed(self) -> int:
        """How many proposals have failed."""
        return sum(t.state is TrialState.FAIL for t in self._told())

    def refuse(self) -> None:
        """Tell the search that what it proposed last goes together in no run."""
        for begun in self.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if NAME not in begun.user_attrs:
                self.optuna.tell(begun.number, state=TrialState.FAIL)

    def report(self, trial: Trial) -> bool:
        """Tell the search how a running trial stands; whether it is to be ended early."""
        if len(self.asked.watched) > 1 or trial.name not in self.open:
            return False
        curve = trial.curve(self.asked.watched[0])
        if not curve:
            return False
        if "unit" not in self.optuna.user_attrs:
            self.optuna.set_user_attr("unit", curve[0][0])
        asked = self.open[trial.name][-1]
        for rung, value in rungs(curve, self.optuna.user_attrs["unit"]):
            if rung > self.heard.get(asked.number, 0):
                asked.report(value, rung)
                self.heard[asked.number] = rung
        return asked.should_prune()

    def best(self) -> list[Trial]:
        """The best finished trial; of several watched metrics those that no other one beats in all."""
        with suppress(ValueError):  # none is finished
            return [self.trials[t.user_attrs[NAME]] for t in self.optuna.best_trials if NAME in t.user_attrs]
        return []

    def _told(self) -> list[optuna.trial.FrozenTrial]:
        return [t for t in self.optuna.get_trials(deepcopy=False) if t.state.is_finished()]

    def _outcome(self, trial: Trial) -> tuple[TrialState, list[float] | None]:
        state = trial.state()
        if state == "finished" and (values := trial.values(self.asked.watched)):
            return TrialState.COMPLETE, values
        return (TrialState.PRUNED if state == "pruned" else TrialState.FAIL), None

    def _opened(self, begun: optuna.trial.FrozenTrial) -> optuna.Trial:
        """One that was asked for by a process that is no more."""
        self.optuna.sampler = self._sampler(begun.number)
        return optuna.Trial(self.optuna, begun._trial_id)

    def _take(self, asked: optuna.Trial) -> Trial:
        """The trial on disk that Optuna's stands for, made where there is none."""
        name = asked.user_attrs.get(NAME)
        if name is None or name not in self.trials:
            params = self.asked.space.suggest(asked)
            name = self._named(params).name
            asked.set_user_attr(NAME, name)
        self.open[name].append(asked)
        return self.trials[name]

    def _named(self, params: dict[str, Any]) -> Trial:
        composed = self.asked.trial(len(self.trials), params)
        key = identity(composed.cfg)
        if key not in self.known:
            name = free(Path(composed.cfg.run.dir).name, self.trials)
            composed.cfg.run.dir = str(self.folder / name)
            self.known[key] = recorded(self.folder, composed, name, params)
            self.trials[name] = self.known[key]
        return self.known[key]

    def _sampler(self, number: int) -> Any:
        """What proposes trial N: the same one for the same trials before it, in whatever process."""
        node = self.asked.cfg.search
        points = {"points": self.points} if self.points is not None else {}
        try:
            return make(node, **points, seed=int(node.get("seed") or 0) + number)
        except ImportError as error:
            raise ConfigError([f"search: {error}; {installation('search')}"]) from error


def free(name: str, taken: Any) -> str:
    """A name, or NAME_2, NAME_3 ... where it is taken."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def rungs(curve: Sequence[tuple[float, float]], unit: float) -> list[tuple[int, float]]:
    """(step, value) at whole multiples of `unit` pictures, between validations by a straight line.

    A trial with other batches is validated after other numbers of pictures; what is compared is what each had
    reached after as many.
    """
    pictures, values = np.array(curve, dtype=float).T
    steps = range(1, int(pictures[-1] / unit / ROOM) + 1)
    return [
        (step, float(np.interp(step * unit, pictures, values)))
        for step in steps
        if pictures[0] * ROOM <= step * unit
    ]


def storage(folder: Path, url: str | None) -> Any:
    """Optuna's storage: a database, or the journal in the sweep's folder, mended after a kill."""
    if url:
        return optuna.storages.RDBStorage(url)
    from optuna.storages.journal import JournalFileBackend

    path = folder / "journal.log"
    if path.exists():
        mend(path)
    return optuna.storages.JournalStorage(JournalFileBackend(str(path)))


def mend(path: Path) -> None:
    """Cut what a killed process has left of a line, and its lock; for the sweep's own process alone."""
    for lock in path.parent.glob(f"{path.name}.lock*"):
        lock.unlink()
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        path.write_bytes(content[: content.rfind(b"\n") + 1])
