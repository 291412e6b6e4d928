"""How often each bin of colour occurs in a data set: counted once, kept beside the pack."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from colorization.color.gamut import Gamut
from colorization.files import replaced


class Packed(Protocol):
    """What is counted: a `Pack`, or whatever has its folder, pictures and fingerprint."""

    @property
    def folder(self) -> Path:
        """Where the counts are kept."""

    @property
    def pictures(self) -> np.ndarray:
        """(N, H, W, 3) uint8 sRGB."""

    @property
    def fingerprint(self) -> str:
        """What identifies the pictures and how many they are."""


def prior(gamut: Gamut, pack: Packed) -> Tensor:
    """The smoothed share of each bin among a pack's pixels, (Q,); see `Gamut.prior`.

    The shares themselves are counted by the first who asks and read by all later ones. They are kept
    before smoothing, so that every width of the Gaussian shares them. Where the folder cannot be
    written to, each counts for itself.
    """
    path = pack.folder / f"prior_{key(gamut, pack.fingerprint)}.npy"
    shares = kept(path, len(gamut))
    if shares is None:
        shares = gamut.shares(pack.pictures).numpy()
        keep(path, shares)
    return gamut.smooth(torch.from_numpy(shares))


def key(gamut: Gamut, fingerprint: str) -> str:
    """What decides the shares: the pictures and the bins."""
    centres = gamut.centres.cpu().numpy().tobytes()
    return hashlib.sha256(fingerprint.encode() + centres).hexdigest()[:16]


def kept(path: Path, bins: int) -> np.ndarray | None:
    """Shares that were kept, (Q,) float64, or None where there are none or the file is damaged."""
    try:
        shares = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = isinstance(shares, np.ndarray) and shares.shape == (bins,) and np.isclose(shares.sum(), 1)
    return shares if whole else None


def keep(path: Path, shares: np.ndarray) -> None:
    """Write the shares beside the pack, whole or not at all."""
    if not path.parent.is_dir():
        return
    with suppress(OSError), replaced(path) as partial, partial.open("wb") as file:  # a cache may be read-only
        np.save(file, shares)
