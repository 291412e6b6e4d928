"""A quick try is scored quickly, and no recorded study on fewer pictures than it was."""

import pytest

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError, options
from colorization.scoring.amount import amount, trained


def test_a_quick_try_is_scored_on_few_pictures():
    worth = trained({"epochs": 10, "steps": 20, "pictures": None, "time": None}, lambda: 200, 32)
    assert worth == 640
    assert amount("validate", "auto", lambda: worth) == 64 and amount("test", "auto", lambda: worth) == 160
    assert amount("validate", "auto", lambda: 3) == 32 and amount("test", "auto", lambda: 3) == 100


@pytest.mark.parametrize(
    ("limits", "worth"),
    [({"time": 60.0, "epochs": None}, 2400), ({"epochs": 0.5}, 500), ({"pictures": 77}, 77)],
)
def test_what_a_budget_trains_on(limits, worth):
    assert trained(limits, lambda: 1000, 8) == worth


def test_who_wants_a_number_or_all_gets_them():
    assert amount("test", 7, None) == 7 and amount("test", None, None) is None


@pytest.mark.parametrize("wanted", [0, -1, "many", True, 1.5])
def test_what_is_no_number_is_told(wanted):
    with pytest.raises(ConfigError, match=r"test\.pictures="):
        amount("test", wanted, None)


def test_a_resumed_run_is_scored_on_as_many_as_before():
    cfg = composed("train", ["data=scenes", "budget.epochs=null", "budget.steps=20"])
    assert build.training_data(cfg, build.protocol(cfg)).view.most == cfg.validate.pictures == 64
    cfg.budget.steps = 20_000
    assert build.training_data(cfg, build.protocol(cfg)).view.most == 64 and cfg.test.pictures == 160


class Coco:
    """As many training pictures as a recipe asks for."""

    def __init__(self, cfg):
        self.batch_size = cfg.data.batch_size
        self.pictures = cfg.data.get("subset") or cfg.data.get("pictures") or 118_000

    def count(self, split):
        return self.pictures


NOT_TRAINED, SEARCHES = ("grey_baseline",), ("encoder_search",)  # a search's trials are not recorded


@pytest.mark.parametrize("recipe", sorted({*options("experiment")} - {*NOT_TRAINED, *SEARCHES}))
def test_recorded_studies_are_scored_on_all_their_pictures(recipe):
    """500 and 933 photos, or 200 scenes."""
    cfg = composed("train", [f"experiment={recipe}"])
    drawn = "scenes" in cfg.data._target_
    for part, least in (("validate", 200 if drawn else 500), ("test", 200 if drawn else 933)):
        scored = build.scored(cfg, part, Coco(cfg))
        assert scored is None or scored >= least, part
