"""How a sweep stands, in the terminal: its trials, the best so far, the time that is left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from colorization.trials.conductor import Conductor
from colorization.trials.record import Trial

ROWS = 12  # of trials that have ended; those that run are all shown
PERIOD = 1.0  # seconds between two looks
STYLES = {"finished": "green", "failed": "red", "pruned": "yellow", "running": "cyan"}


class View:
    """A table that is drawn anew while a sweep runs.

    Args:
        live: where it is drawn.
        total: how many trials there will be; infinity: as many as a grid has.
        watched: the metrics.
    """

    def __init__(self, live: Live, total: float, watched: tuple[str, ...]):
        self.live, self.total, self.watched = live, total, watched
        self.began, self.drawn, self.before = time.monotonic(), 0.0, -1

    def __call__(self, conductor: Conductor) -> None:
        """Draw, at most once a second."""
        if self.before < 0:
            self.before = len(conductor.ended)
        if time.monotonic() - self.drawn > PERIOD or not conductor.running:
            self.drawn = time.monotonic()
            self.live.update(self.drawing(conductor), refresh=True)

    def drawing(self, conductor: Conductor) -> Group:
        """The table, and a line below it."""
        table = Table("trial", "state", "pictures", *self.watched, expand=False, box=None)
        best = {trial.name for trial in conductor.study.best()}
        ended = list(conductor.ended.items())
        for name, state in ended[-ROWS:] + [(name, "running") for name in conductor.running]:
            trial = conductor.study.trials[name]
            mark = "best" if name in best else state
            table.add_row(name, Text(mark, STYLES[state]), *cells(trial, state, self.watched))
        return Group(table, Text(self.summary(conductor), "dim"))

    def summary(self, conductor: Conductor) -> str:
        """Counts, the best trial, and when all will have ended at this pace."""
        counts = {state: conductor.count(state) for state in ("finished", "pruned", "failed")}
        parts = [f"{count} {state}" for state, count in counts.items() if count]
        parts.append(f"{len(conductor.running)} running")
        if self.total < float("inf"):
            parts.append(f"of {self.total:.0f}")
        if best := conductor.study.best():
            parts.append("best: " + " ".join(trial.name for trial in best[:3]))
        done = len(conductor.ended) - self.before
        left = self.total - conductor.study.done
        if done and 0 < left < float("inf"):
            parts.append(f"about {(time.monotonic() - self.began) / done * left / 60:.0f} min left")
        return ", ".join(parts)


def cells(trial: Trial, state: str, watched: tuple[str, ...]) -> list[str]:
    """Pictures that a trial has seen, and the watched numbers: of its best checkpoint, or its last ones."""
    curve = trial.curve(watched[0])
    pictures = f"{curve[-1][0]:,.0f}" if curve else ""
    if state == "finished" and (values := trial.values(watched)):
        return [pictures, *(f"{value:.4g}" for value in values)]
    lasts = [trial.curve(name)[-1:] for name in watched]
    return [pictures, *(f"{last[0][1]:.4g}" if last else "" for last in lasts)]


@contextmanager
def shown(total: float, watched: tuple[str, ...]) -> Iterator[Callable[[Conductor], None]]:
    """A view for as long as the sweep runs, where there is a terminal to draw on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda conductor: None
        return
    with Live(console=console, auto_refresh=False, redirect_stderr=True) as live:
        yield View(live, total, watched)
