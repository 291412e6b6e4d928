"""Who learns when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorization.critic.turns import Turns


def test_both_learn_throughout_by_default():
    assert {Turns().phase(n / 100) for n in range(100)} == {"both"}


def test_nogan_is_a_long_first_part_and_cycles():
    turns = Turns(alone=0.5, critic=0.25, cycles=2)
    parts = [turns.phase((n + 0.5) / 16) for n in range(16)]
    assert parts == ["network"] * 8 + ["critic", "both", "both", "both"] * 2


@given(st.floats(0, 0.95), st.floats(0, 0.95), st.integers(1, 5))
def test_each_has_its_share(alone, critic, cycles):
    turns = Turns(alone, critic, cycles)
    moments = [turns.phase((n + 0.5) / 4000) for n in range(4000)]
    slack = (cycles + 2) / 4000
    assert moments.count("network") / 4000 == pytest.approx(alone, abs=slack)
    assert moments.count("critic") / 4000 == pytest.approx((1 - alone) * critic, abs=slack)


@pytest.mark.parametrize("wrong", [{"alone": 1.0}, {"critic": -0.1}, {"cycles": 0}])
def test_a_fault_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Turns(**wrong)
