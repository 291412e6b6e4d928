"""Who runs the trials of a sweep: goes on with what was left, starts new ones, settles what has ended."""

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from colorization.callback.interrupt import SHELL
from colorization.config import ConfigError
from colorization.launcher.base import Launcher, Running, Task
from colorization.trials.record import Trial
from colorization.trials.study import Study

log = logging.getLogger(__name__)

PAUSE = 0.2  # seconds between two looks at the processes
LOOK = 3.0  # seconds between two looks at the curves of running trials
RETRIES = 1  # of a trial that fails without a new checkpoint
KILLS = 4  # the same of one that is killed by a signal: by a person, or where memory is short
STOPS = tuple(SHELL + number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1))
HOPELESS = 3  # trials that fail while none is finished: the others would, too


@dataclass
class Conductor:
    """The trials of one sweep, while they run.

    Args:
        study: which trials there are.
        launcher: where they run.
        wanted: how many are to be finished or pruned; infinity: all that the search has.
        show: called with this after every look.

    Attributes:
        running: what runs now, by the trial's name.
        ended: finished, pruned and failed ones of this call and of earlier ones, by name.
    """

    study: Study
    launcher: Launcher
    wanted: float
    show: Callable[["Conductor"], None] = lambda conductor: None
    running: dict[str, Running] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    left: list[Trial] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)
    stopping: bool = False
    looked: float = 0.0

    def run(self) -> bool:
        """Run until all are finished, or nothing is left to try. Returns whether all that ended ended well.

        A first Ctrl-C stops the trials at a checkpoint each, a second one kills them.
        """
        self._take_up()
        try:
            while self._step():
                self.show(self)
                time.sleep(PAUSE)
        except BaseException:
            self._stop_all()
            raise
        finally:
            self.show(self)
        return "failed" not in self.ended.values()

    def count(self, state: str) -> int:
        """How many trials have ended so."""
        return list(self.ended.values()).count(state)

    def _take_up(self) -> None:
        """Settle what ended while nobody looked; the rest is left to do, a failed one once."""
        for trial in self.study.asked_for():
            state = trial.state()
            if state in ("finished", "pruned"):
                self._settle(trial, state)
            else:
                self.left.append(trial)
                if trial.notes()["failures"] and state != "stopped":
                    self.attempts[trial.name] = RETRIES

    def _step(self) -> bool:
        """One look; whether there is more to do."""
        for name, process in list(self.running.items()):
            code = process.ended()
            if code is not None:
                del self.running[name]
                self._judge(self.study.trials[name], code)
        if time.monotonic() - self.looked > LOOK:
            self.looked = time.monotonic()
            self._prune()
        room = self.launcher.jobs - len(self.running)
        chosen: list[Trial] = []
        while len(chosen) < room and (trial := self._next(chosen)):
            chosen.append(trial)
        if chosen:
            tasks = [Task("run", trial.path, trial.log) for trial in chosen]
            for trial, process in zip(chosen, self.launcher.start(tasks), strict=True):
                self.running[trial.name] = process
        return bool(self.running or self.left)

    def _next(self, chosen: list[Trial]) -> Trial | None:
        """The next trial to run beside those that are chosen: one that was left, or a new one."""
        if self.left:
            return self.left.pop(0)
        busy = {*self.running, *(trial.name for trial in chosen)}
        while self.study.done + len(busy) < self.wanted and not self._hopeless():
            try:
                trial = self.study.ask()
            except ConfigError as error:  # a combination that does not go together
                log.error("a trial cannot be composed: %s", "; ".join(error.faults))
                self.study.refuse()
                continue
            if trial is None:
                return None
            state = self.ended.get(trial.name) or trial.state()
            if state in ("finished", "pruned") or trial.name in self.ended:  # known: nothing is run twice
                self._settle(trial, state)
            elif trial.name not in busy:
                return trial
        return None

    def _hopeless(self) -> bool:
        return self.study.points is None and self.study.failed >= max(HOPELESS, self.study.done + 1)

    def _judge(self, trial: Trial, code: int) -> None:
        """What an ended process means for its trial."""
        state = trial.state()
        if state in ("finished", "pruned"):
            self._settle(trial, state)
            return
        if code in STOPS and not self.stopping:
            self.left.insert(0, trial)
            return
        last = trial.folder / "checkpoints/last.ckpt"
        mark = last.stat().st_mtime if last.exists() else 0.0
        tried = self.attempts.get(trial.name, 0) if mark == self.marks.get(trial.name, mark) else 0
        self.attempts[trial.name], self.marks[trial.name] = tried + 1, mark
        reason = trial.last_words() or f"exit code {code}"
        trial.note(failures=[*trial.notes()["failures"], {"code": code, "reason": reason}])
        if tried < (KILLS if code < 0 else RETRIES):
            log.info("%s: %s; once more", trial.name, reason)
            self.left.insert(0, trial)
        else:
            log.error("%s failed: %s (%s)", trial.name, reason, trial.log)
            self._settle(trial, "failed")

    def _settle(self, trial: Trial, state: str) -> None:
        self.ended[trial.name] = state
        self.study.tell(trial)

    def _prune(self) -> None:
        """End the trials that are too far behind."""
        for name, process in self.running.items():
            trial = self.study.trials[name]
            if not trial.notes()["pruned"] and self.study.report(trial):
                trial.note(pruned=True)
                log.info("%s is pruned: behind the others at as many pictures", name)
                process.stop()

    def _stop_all(self) -> None:
        """Let every trial write a checkpoint and end; after a second Ctrl-C none is left either."""
        self.stopping = True
        for process in self.running.values():
            process.stop()
        try:
            while any(process.ended() is None for process in self.running.values()):
                time.sleep(PAUSE)
        finally:
            for process in self.running.values():
                if process.ended() is None:
                    process.kill()
