"""The schedules' ends, and that nothing jumps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorization.schedule.shape import Constant, Cosine, OneCycle

SHAPES = [Constant(), Constant(warmup=0.1), Cosine(), Cosine(warmup=0.0, floor=0.1), OneCycle()]


def test_ends():
    assert Constant()(0) == Constant()(1) == 1
    assert Cosine(warmup=0.1)(0.1) == pytest.approx(1) and Cosine()(1) == pytest.approx(0)
    assert Cosine(floor=0.1)(1) == pytest.approx(0.1)
    assert OneCycle(up=0.3, start=0.04)(0) == pytest.approx(0.04)
    assert OneCycle(up=0.3)(0.3) == pytest.approx(1)
    assert OneCycle(end=1e-5)(1) == pytest.approx(1e-5)


@given(st.sampled_from(SHAPES), st.floats(0, 1), st.floats(0, 1e-3))
def test_always_a_share_and_never_a_jump(shape, progress, step):
    value = shape(progress)
    assert 0 <= value <= 1
    assert abs(shape(min(progress + step, 1.0)) - value) <= 60 * step + 1e-9


@pytest.mark.parametrize("make", [lambda: Cosine(warmup=1.0), lambda: OneCycle(up=-0.1)])
def test_shares_are_shares(make):
    with pytest.raises(ValueError, match="share of the budget"):
        make()
