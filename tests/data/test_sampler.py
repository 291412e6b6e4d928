import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorization.data.sampler import Sampler, crops

COUNTS = {
    "count": st.integers(8, 40) | st.integers(8, 300),
    "batch_size": st.integers(1, 40),
    "world": st.integers(1, 8),
}


def epoch(world, rank=None, **settings):
    """The batches of all ranks, joined step by step."""
    ranks = [Sampler(rank=r, world=world, **settings).batches() for r in range(world)]
    assert len({len(batches) for batches in ranks}) == 1
    return [np.concatenate(step) for step in zip(*ranks, strict=True)]


@given(**COUNTS)
def test_scored_pictures_come_once_each(count, batch_size, world):
    steps = epoch(world, count=count, batch_size=batch_size, shuffle=False)
    assert sorted(np.concatenate(steps)) == list(range(count))
    batches = [Sampler(count, batch_size, 0, rank, world, False).batches() for rank in range(world)]
    assert min(len(batch) for rank in batches for batch in rank) > 0


@given(**COUNTS, seed=st.integers(0, 9))
def test_ranks_share_an_epoch(count, batch_size, world, seed):
    settings = {"count": count, "batch_size": batch_size, "seed": seed}
    taken = np.concatenate(epoch(world, **settings))
    assert len(set(taken)) == len(taken)
    assert len(taken) >= min(count, count - batch_size * world + 1)


def test_a_step_is_the_same_for_any_number_of_ranks():
    alone, shared = (epoch(n, count=1000, batch_size=64 // n) for n in (1, 4))
    assert all(set(a) == set(b) for a, b in zip(alone, shared, strict=True))


def test_epochs_and_seeds_differ_and_repeat():
    order = Sampler(500, 32, seed=1)
    first = np.concatenate(order.batches())
    order.set_epoch(1)
    assert not np.array_equal(first, np.concatenate(order.batches()))
    order.set_epoch(0)
    assert np.array_equal(first, np.concatenate(order.batches()))
    assert not np.array_equal(first, np.concatenate(Sampler(500, 32, seed=2).batches()))


def test_more_devices_than_pictures_is_an_error():
    with pytest.raises(ValueError, match="3 pictures cannot be shared by 4 devices"):
        Sampler(3, 1, world=4)


def test_crops_are_of_the_picture_not_of_the_batch():
    whole = crops(np.arange(1000), 16, True, seed=3, epoch=5)
    assert np.array_equal(whole[[7, 500]], crops(np.array([7, 500]), 16, True, seed=3, epoch=5))
    assert not np.array_equal(whole, crops(np.arange(1000), 16, True, seed=3, epoch=6))
    assert not np.array_equal(whole, crops(np.arange(1000), 16, True, seed=4, epoch=5))


def test_crops_are_uniform_and_independent():
    drawn = crops(np.arange(40_000), 16, True, seed=0, epoch=0)
    assert drawn.min(0).tolist() == [0, 0, 0]
    assert drawn.max(0).tolist() == [16, 16, 1]
    assert np.allclose(np.bincount(drawn[:, 0]), 40_000 / 17, rtol=0.08)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.02
    assert crops(np.arange(100), 0, False, 0, 0).max() == 0
