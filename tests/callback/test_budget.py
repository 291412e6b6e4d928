"""Budgets in every unit."""

import pytest

from colorization.callback.budget import Budget, seconds


@pytest.mark.parametrize(
    ("text", "expected"), [(90, 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("0.5m", 30), (None, None)]
)
def test_wall_time_is_read_as_people_write_it(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["10", "ten minutes", "10m5", ""])
def test_other_text_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="1h30m"):
        seconds(text)


def test_the_first_limit_counts():
    budget = Budget(epochs=4, pictures=1000)
    budget.spent |= {"epochs": 1.0, "pictures": 700}
    assert budget.progress() == pytest.approx(0.7)
    budget.spent["epochs"] = 5.0
    assert budget.progress() == 1.0


def test_time_stands_still_until_training_starts():
    budget = Budget(time="1s")
    assert budget.progress() == 0.0


def test_a_budget_goes_on_where_it_was_saved():
    first, second = Budget(pictures=100), Budget(pictures=100)
    first.spent["pictures"] = 40
    second.load_state_dict(first.state_dict())
    assert second.progress() == pytest.approx(0.4)


@pytest.mark.parametrize("limits", [{}, {"epochs": 0}, {"time": "0s"}])
def test_an_empty_budget_is_refused(limits):
    with pytest.raises(ValueError, match="budget"):
        Budget(**limits)
