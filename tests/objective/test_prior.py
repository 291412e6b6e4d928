"""A prior is counted once, kept beside the pack, and never believed when it is not of these pictures."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from colorization.color.gamut import Gamut, in_gamut, square
from colorization.objective.prior import prior

GAMUT = Gamut(in_gamut())


class Counted(NamedTuple):
    """A pack that tells how often its pictures are looked at."""

    folder: object
    fingerprint: str
    seed: int
    looks: list

    @property
    def pictures(self):
        self.looks.append(1)
        return np.random.default_rng(self.seed).integers(0, 256, (4, 8, 8, 3), np.uint8)


@pytest.fixture
def pack(tmp_path):
    return Counted(tmp_path, "one", 0, [])


def test_it_is_counted_once(pack):
    expected = GAMUT.prior(pack.pictures)
    pack.looks.clear()
    for _ in range(3):
        torch.testing.assert_close(prior(GAMUT, pack), expected)
    assert len(pack.looks) == 1
    assert [path.suffix for path in pack.folder.iterdir()] == [".npy"]  # and no partial file


def test_another_width_of_the_label_shares_the_counts(pack):
    wide = Gamut(in_gamut(), neighbours=10, sigma=20.0)
    expected = wide.prior(pack.pictures)
    prior(GAMUT, pack)
    pack.looks.clear()
    torch.testing.assert_close(prior(wide, pack), expected)
    assert not pack.looks


def test_other_pictures_and_other_bins_are_counted_anew(pack):
    prior(GAMUT, pack)
    other = pack._replace(fingerprint="two", seed=1)
    torch.testing.assert_close(prior(GAMUT, other), GAMUT.prior(other.pictures))
    bins = Gamut(square(), neighbours=1)
    torch.testing.assert_close(prior(bins, pack), bins.prior(pack.pictures))


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"no array", "other"])
def test_a_damaged_file_is_counted_again_and_replaced(pack, content):
    expected = prior(GAMUT, pack)
    (kept,) = pack.folder.iterdir()
    if content == "other":
        np.save(kept, np.zeros(313))
    else:
        kept.write_bytes(content)
    pack.looks.clear()
    for _ in range(2):
        torch.testing.assert_close(prior(GAMUT, pack), expected)
    assert len(pack.looks) == 1


def test_where_nothing_can_be_kept_it_is_counted_each_time(pack):
    nowhere = pack._replace(folder=pack.folder / "missing")
    for _ in range(2):
        torch.testing.assert_close(prior(GAMUT, nowhere), GAMUT.prior(pack.pictures))
    assert not nowhere.folder.exists()
