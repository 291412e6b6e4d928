"""Which picture comes when, and how it is cropped: functions of (seed, epoch, rank) and nothing else."""

from dataclasses import dataclass

import numpy as np

from colorization.config import InputError


@dataclass
class Sampler:
    """The batches of one rank, epoch by epoch.

    Every rank computes the whole epoch's order and takes its share of each global batch: shares
    are disjoint, their union is the epoch, and the pictures of a global batch do not depend on the
    number of ranks.

    Args:
        count: pictures.
        batch_size: pictures per batch and rank.
        seed: of the shuffling.
        rank, world: this process among all.
        shuffle: an order of its own for each epoch, leaving out what does not fill a last batch;
            otherwise all the pictures, in their order.
        positions: without shuffling, the positions of the pictures that are served; None: the first `count`.
    """

    count: int
    batch_size: int
    seed: int = 0
    rank: int = 0
    world: int = 1
    shuffle: bool = True
    epoch: int = 0
    positions: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.count < self.world:
            fault = f"{self.count} pictures cannot be shared by {self.world} devices"
            raise InputError(f"{fault}: lower trainer.devices, or give more pictures to every split")

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that `batches` gives; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        whole = self.batch_size * self.world
        if self.shuffle:
            return max(self.count // whole, 1)
        return min(-(-self.count // whole), self.count // self.world)  # no rank gets an empty batch

    def batches(self) -> list[np.ndarray]:
        """The epoch's batches of this rank: positions of pictures, ascending within a batch."""
        order = np.arange(self.count) if self.positions is None else self.positions
        if self.shuffle:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
            order = order[: len(self) * self.batch_size * self.world]
        parts = np.array_split(order, len(self) * self.world)
        return [np.sort(part) for part in parts[self.rank :: self.world]]


def crops(index: np.ndarray, room: int, flip: bool, seed: int, epoch: int) -> np.ndarray:
    """Where each picture is cropped and whether it is mirrored.

    Args:
        index: (B,) positions of the pictures.
        room: how many pixels a crop may be shifted by.
        flip: whether half of the pictures are mirrored.
        seed: of the run.
        epoch: each draws anew.

    Returns:
        (B, 3) int64: top 0..room, left 0..room, mirrored 0 or 1; of (seed, epoch, index) alone.
    """
    draws = _uniform(index, 3, seed, epoch)
    return (draws * (room + 1, room + 1, 2 if flip else 1)).astype(np.int64)


def _uniform(index: np.ndarray, draws: int, seed: int, epoch: int) -> np.ndarray:
    """(B, draws) numbers in [0, 1): SplitMix64 (Steele et al. 2014) in counter mode."""
    key = np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)
    counter = index.astype(np.uint64)[:, None] * np.uint64(draws) + np.arange(1, draws + 1, dtype=np.uint64)
    z: np.ndarray = key + counter * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
