"""Do training and test pictures overlap? Exact and near duplicates, found by a hash of the lightness.

The hash is 256 bits: of a picture reduced to 16 x 17 means of luma, whether each is darker than its
right neighbour (a difference hash). It survives another size, another JPEG quality, another brightness
and contrast, and less so a small crop. Pictures are compared mirrored, too, as training mirrors them.
"""

from typing import NamedTuple

import numpy as np

ROWS, COLUMNS = 16, 17
BITS = ROWS * (COLUMNS - 1)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. 601

# Near duplicates differ in at most NEAR bits, and their 16 x 17 means correlate: skies and seas have few
# edges and much the same bits. Between 933 and 20,000 photos a pair differs in 127 bits on average. By at
# most 48 did four pairs that are one picture, correlated by 0.977 and more, and seas, by up to 0.973.
NEAR = 48
ALIKE = 0.975
BLOCK = 256  # pictures at a time


class Leak(NamedTuple):
    """A test picture that is among the training pictures.

    Attributes:
        test, train: their positions.
        bits: how many of 256 differ; 0 is the same picture, but for what the hash does not see.
        mirrored: whether the one is the other's mirror image.
    """

    test: int
    train: int
    bits: int
    mirrored: bool


class Hashed(NamedTuple):
    """Pictures as hashes: packed bits (N, 4) uint64, and the means (N, 16, 17) that they come from."""

    bits: np.ndarray
    means: np.ndarray


def leaks(train: np.ndarray, test: np.ndarray) -> list[Leak]:
    """For each test picture its nearest near duplicate among the training pictures, if there is one.

    Both are (N, H, W, 3) uint8 sRGB of the same geometry; their sizes may differ.
    """
    known, means = hashed(train), thumbnails(test)
    found: dict[int, Leak] = {}
    for mirrored, asked in ((False, hashed_means(means)), (True, hashed_means(means[..., ::-1]))):
        for start in range(0, len(test), BLOCK):
            block = Hashed(*(part[start : start + BLOCK] for part in asked))
            apart = distances(block.bits, known.bits)
            for i, j in zip(*np.nonzero(apart <= NEAR), strict=True):
                leak = Leak(start + int(i), int(j), int(apart[i, j]), mirrored)
                better = leak.test not in found or leak.bits < found[leak.test].bits
                if better and correlation(block.means[i], known.means[j]) >= ALIKE:
                    found[leak.test] = leak
    return [found[test] for test in sorted(found)]


def hashed(pictures: np.ndarray) -> Hashed:
    """The hashes of pictures, (N, H, W, 3) uint8 sRGB."""
    return hashed_means(thumbnails(pictures))


def hashed_means(means: np.ndarray) -> Hashed:
    """The hashes of means (N, 16, 17)."""
    bits = np.packbits(means[..., :-1] < means[..., 1:], axis=-1).reshape(len(means), -1)
    return Hashed(np.ascontiguousarray(bits).view(np.uint64), means)


def thumbnails(pictures: np.ndarray) -> np.ndarray:
    """Mean luma over 16 x 17 cells, (N, H, W, 3) uint8 -> (N, 16, 17) float32."""
    N, H, W, _ = pictures.shape
    rows, columns = _averaging(H, ROWS), _averaging(W, COLUMNS)
    means = np.empty((N, ROWS, COLUMNS), np.float32)
    for i in range(0, N, BLOCK):
        block = pictures[i : i + BLOCK].reshape(-1, H, W * 3).astype(np.float32)
        means[i : i + BLOCK] = (rows @ block).reshape(-1, ROWS, W, 3) @ LUMA @ columns.T
    return means


def distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Bits that differ between hashes, (M, 4) and (N, 4) uint64 -> (M, N)."""
    apart = np.zeros((len(some), len(others)), np.uint16)
    for word in range(some.shape[1]):
        apart += np.bitwise_count(some[:, None, word] ^ others[None, :, word])
    return apart


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's, of two thumbnails; 0 where one of them is flat, to a tenth of a grey level."""
    if min(one.std(), other.std()) < 0.1:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _averaging(full: int, cells: int) -> np.ndarray:
    """A matrix (cells, full) that takes means over equal cells, whose borders may cut pixels."""
    edges = np.linspace(0, full, cells + 1)
    pixels = np.arange(full)
    share = np.minimum(pixels + 1, edges[1:, None]) - np.maximum(pixels, edges[:-1, None])
    share = share.clip(min=0).astype(np.float32)
    return share / share.sum(axis=1, keepdims=True)
