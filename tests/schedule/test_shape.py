"""The schedules' ends, torch's own for comparison, and that nothing jumps."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from colorization.schedule.shape import Constant, Cosine, OneCycle, Step

SHAPES = [Constant(), Constant(warmup=0.1), Cosine(), Cosine(warmup=0.0, floor=0.1), OneCycle()]


def test_ends():
    assert Constant()(0) == Constant()(1) == 1
    assert Cosine(warmup=0.1)(0.1) == pytest.approx(1) and Cosine()(1) == pytest.approx(0)
    assert Cosine(floor=0.1)(1) == pytest.approx(0.1)
    assert OneCycle(up=0.3, start=0.04)(0) == pytest.approx(0.04)
    assert OneCycle(up=0.3)(0.3) == pytest.approx(1)
    assert OneCycle(end=1e-5)(1) == pytest.approx(1e-5)


def rates(schedule, steps, **settings):
    """The learning rates of one of torch's own schedulers, for a base rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = schedule(optimizer, **settings)
    found = []
    for _ in range(steps + 1):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_the_shapes_are_those_of_torch():
    steps = [step / 100 for step in range(101)]
    cosine = rates(CosineAnnealingLR, 100, T_max=100, eta_min=0.1)
    assert [Cosine(warmup=0.0, floor=0.1)(p) for p in steps] == pytest.approx(cosine, abs=1e-6)
    cycle = rates(OneCycleLR, 99, max_lr=1.0, total_steps=101, pct_start=31 / 101, final_div_factor=400)
    assert [OneCycle(up=0.3, end=1e-4)(p) for p in steps[:-1]] == pytest.approx(cycle, abs=1e-6)


def test_the_warm_up_is_linear_and_never_nothing():
    assert [Constant(warmup=0.4)(p) for p in (0, 0.1, 0.3, 0.4, 0.5)] == pytest.approx(
        [1e-3, 0.25, 0.75, 1, 1]
    )
    assert [Cosine(warmup=0.4)(p) for p in (0, 0.1, 0.4, 0.7)] == pytest.approx([1e-3, 0.25, 1, 0.5])


@given(st.sampled_from(SHAPES), st.floats(0, 1), st.floats(0, 1e-3))
def test_always_a_share_and_never_a_jump(shape, progress, step):
    value = shape(progress)
    assert 0 <= value <= 1
    assert abs(shape(min(progress + step, 1.0)) - value) <= 60 * step + 1e-9


def test_steps_are_those_of_the_published_recipe():
    """The authors' ECCV16 solver: 3e-5, a tenth from step 225,000, a hundredth from 450,000, of 500,000."""
    solver = [3e-5 * 0.1 ** (step // 225_000) for step in range(0, 500_000, 12_500)]
    ours = [3e-5 * Step(at=[0.45, 0.9])(step / 500_000) for step in range(0, 500_000, 12_500)]
    assert ours == pytest.approx(solver)


@given(
    st.lists(st.floats(0.01, 0.99), unique=True, max_size=5),
    st.floats(0.01, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_steps_only_go_down(at, factor, one, other):
    shape = Step(sorted(at), factor)
    early, late = sorted((one, other))
    assert 0 < shape(late) <= shape(early) <= 1
    assert shape(0) == 1 and shape(1) == pytest.approx(factor ** len(at))


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"at": [0.5, 0.2]}, "at="),
        ({"at": [0.5, 0.5]}, "at="),
        ({"at": [1.0]}, "at="),
        ({"factor": 0}, "factor=0"),
    ],
)
def test_steps_that_cannot_be_are_named(bad, word):
    with pytest.raises(ValueError, match=word):
        Step(**bad)


@pytest.mark.parametrize("make", [lambda: Cosine(warmup=1.0), lambda: OneCycle(up=-0.1)])
def test_shares_are_shares(make):
    with pytest.raises(ValueError, match="share of the budget"):
        make()
