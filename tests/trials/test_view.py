"""The view in the terminal says what runs, what was best, and when it will have ended."""

import io

import pytest
from rich.console import Console
from rich.live import Live

from colorization.trials.conductor import Conductor
from colorization.trials.view import View, shown
from tests.trials.made import Made, compose_quickly, study, write


@pytest.fixture
def text(tmp_path, monkeypatch):
    """What is drawn at each look, as text."""
    monkeypatch.setattr("colorization.trials.conductor.PAUSE", 0.0)
    compose_quickly(monkeypatch)
    drawn = []

    def act(trial, attempt):
        if trial.config().seed == 1:
            return 1
        write(trial, psnr=20.0 + trial.config().seed, curve=[(100, 19.0)])
        return 0, 2

    what = study(tmp_path, "search=random", "trials=3", "seed=0,1,2", "search.seed=1")
    view = View(Live(console=Console(file=io.StringIO())), what.asked.wanted, what.asked.watched)

    def show(conductor):
        view(conductor)
        console = Console(file=io.StringIO(), width=100)
        console.print(view.drawing(conductor))
        drawn.append(console.file.getvalue())

    Conductor(what, Made(act), what.asked.wanted, show).run()
    return drawn


def test_it_says_how_the_sweep_stands(text):
    assert any("running" in look and "of 3" in look for look in text)
    assert "psnr" in text[-1] and "best" in text[-1] and "0 running" in text[-1]


def test_without_a_terminal_nothing_is_drawn(capsys):
    with shown(3, ("psnr",)) as show:
        show(None)
    assert capsys.readouterr() == ("", "")
