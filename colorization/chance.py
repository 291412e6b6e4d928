"""Random numbers that belong to a picture: functions of (seed, epoch, picture, purpose) and nothing else.

A picture draws the same numbers alone and in a batch, before and after a resume, on any rank and any
device. They are computed where the pictures are, without generators and without waiting for the device.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from zlib import crc32

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
WORD = 2**64


@dataclass(frozen=True)
class Chance:
    """Numbers drawn for each picture of a batch, by SplitMix64 (Steele et al. 2014) in counter mode.

    Asking twice gives the same numbers twice: whoever needs several draws names each by `stream`.

    Args:
        index: (B,) int64, what each picture is known by: its position in its split, or a hash of it.
        seed: of the run.
        epoch: each draws anew.
        key: what `stream` has made of them.
    """

    index: Tensor
    seed: int = 0
    epoch: int = 0
    key: int = 0

    def stream(self, name: str) -> "Chance":
        """Other numbers, for a purpose of that name."""
        return replace(self, key=_mixed((self.key, crc32(name.encode()))))

    def uniform(self, *shape: int) -> Tensor:
        """(B, *shape) float32, uniform inside 0..1: neither end is ever drawn."""
        bits = self._bits(math.prod(shape)) >> 40 & 0xFFFFFF
        numbers = ((bits.double() + 0.5) * 2.0**-24).float().clamp(max=1 - 2.0**-24)
        return numbers.reshape(len(self.index), *shape)

    def normal(self, *shape: int) -> Tensor:
        """(B, *shape) float32, standard normal."""
        return torch.special.ndtri(self.uniform(*shape).double()).float()

    def _bits(self, count: int) -> Tensor:
        """(B, count) int64, all 64 bits of each at random."""
        start = _scrambled(self.index * _signed(GOLDEN) + _signed(_mixed((self.seed, self.epoch, self.key))))
        counter = torch.arange(1, count + 1, device=self.index.device) * _signed(GOLDEN)
        return _scrambled(start[:, None] + counter)


def reseed(*numbers: int) -> None:
    """Let torch's own generators, which dropout draws from, start from these numbers alone."""
    torch.manual_seed(_mixed(numbers))


def _scrambled(z: Tensor) -> Tensor:
    """SplitMix64's output function; int64 stands for uint64, whose products wrap alike."""
    z = (z ^ _shifted(z, 30)) * _signed(FIRST)
    z = (z ^ _shifted(z, 27)) * _signed(SECOND)
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, by: int) -> Tensor:
    """A shift to the right that brings in zeros, whatever the sign."""
    return z >> by & (1 << 64 - by) - 1


def _mixed(numbers: Iterable[int]) -> int:
    """Whole numbers -> one of 64 bits that depends on each and on their order."""
    z = 0
    for number in numbers:
        z = (z + number * GOLDEN + GOLDEN) % WORD
        z = (z ^ z >> 30) * FIRST % WORD
        z = (z ^ z >> 27) * SECOND % WORD
        z ^= z >> 31
    return z


def _signed(word: int) -> int:
    """The int64 of the same 64 bits."""
    return word - WORD if word >= WORD // 2 else word
