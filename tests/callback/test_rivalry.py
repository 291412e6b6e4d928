"""What is said of a critic, of numbers that are known."""

import pytest
import torch

from colorization.callback.rivalry import Rivalry


class Trainer:
    is_global_zero = True

    def __init__(self, **numbers):
        self.callback_metrics = {f"train/critic/{k}": torch.tensor(v) for k, v in numbers.items()}


HEALTHY = {"right": 0.7, "spread": 0.5, "real": 0.3, "fake": -0.2}


def told(rivalry, caplog, count, turn="critic", **numbers):
    """What is logged in so many turns with these numbers."""
    caplog.clear()
    for _ in range(count):
        trainer = Trainer(**{**HEALTHY, **numbers})
        rivalry.on_train_batch_end(trainer, None, {"turns": (turn,)}, None, 0)
    return [(record.levelname, record.message) for record in caplog.records]


def test_a_healthy_game_is_no_news(caplog):
    caplog.set_level("INFO")
    assert told(Rivalry(turns=5), caplog, 20) == []


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (
            {"right": 0.99},
            "the critic has won: over its last 10 turns the truth scored above the prediction in 99.0%",
        ),
        ({"right": 0.2}, "the critic has lost: over its last 10 turns"),
        ({"spread": 0.0, "right": 0.5}, "the critic has died: every place"),
        ({"spread": 1e-3, "real": 500.0, "right": 1.0}, "the critic has died"),
    ],
)
def test_the_end_of_a_game_is_told_once_with_a_remedy(caplog, numbers, words):
    caplog.set_level("INFO")
    rivalry = Rivalry(turns=10)
    assert told(rivalry, caplog, 9, **numbers) == [], "not before there are enough turns"
    ((level, said),) = told(rivalry, caplog, 31, **numbers)
    assert level == "WARNING" and said.startswith(words) and "try a" in said and "objective." in said
    ((level, said),) = told(rivalry, caplog, 20)
    assert level == "INFO" and "plays again" in said and "70.0%" in said
    ((level, said),) = told(rivalry, caplog, 10, **numbers)
    assert level == "WARNING"


def test_turns_of_the_network_are_not_counted(caplog):
    assert told(Rivalry(turns=5), caplog, 30, turn="network", right=1.0) == []


def test_without_a_critic_nothing_is_asked(caplog):
    rivalry, trainer = Rivalry(turns=1), Trainer()
    trainer.callback_metrics = {}
    rivalry.on_train_batch_end(trainer, None, {"turns": ("network",)}, None, 0)
    assert not caplog.records


def test_the_mean_of_the_turns_counts(caplog):
    """Half of them won and half a guess: no news; and it is the mean that is told."""
    rivalry = Rivalry(turns=10)
    assert told(rivalry, caplog, 5, right=1.0) + told(rivalry, caplog, 5, right=0.5) == []
    told(rivalry, caplog, 5, right=1.0)
    ((_, said),) = told(rivalry, caplog, 5, right=0.98)
    assert "99.0%" in said


@pytest.mark.parametrize("wrong", [{"turns": 0}, {"won": 0.4}, {"lost": 0.6}, {"dead": -1.0}])
def test_a_fault_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rivalry(**wrong)
