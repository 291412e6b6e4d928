"""What is lost between a network in PyTorch and a file made of it: units of ab, and dB."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from colorization.color import lab
from colorization.config import ConfigError
from colorization.data.folder import files_at
from colorization.data.scenes.source import SceneSource
from colorization.data.source import first
from colorization.metric.base import Pair
from colorization.metric.psnr import psnr

Colouring = Callable[[Tensor], Tensor]  # L (1, 1, H, W) -> ab (1, 2, H, W)

LIMIT = 0.05  # units of ab that a float32 file may be off anywhere: rounding, and no more
CUT = (7, 29)  # rows and columns cut off, for a size that no stride divides


class Parity(NamedTuple):
    """A file beside PyTorch.

    Attributes:
        most, mean: how far ab is apart, in CIE units, over all pictures, whole and cut.
        psnr: mean dB of the pictures, by PyTorch and by the file.
        milliseconds: of processor time per picture, likewise.
        pictures: how many.
    """

    most: float
    mean: float
    psnr: tuple[float, float]
    milliseconds: tuple[float, float]
    pictures: int

    def told(self) -> str:
        """In a few lines."""
        before, after = self.psnr
        return (
            f"parity: ab at most {self.most:.5f} and on average {self.mean:.5f} CIE units from PyTorch's\n"
            f"PSNR on {self.pictures} pictures: {before:.3f} dB by PyTorch, {after:.3f} dB by the file: "
            f"{round(before - after, 3) + 0:.3f} dB lost\n"
            f"processor time of a picture: {self.milliseconds[0]:.0f} ms in PyTorch, "
            f"{self.milliseconds[1]:.0f} ms by the file"
        )


@torch.no_grad()
def parity(torchs: Colouring, files: Colouring, pictures: Tensor) -> Parity:
    """Hold two colourings together on pictures (N, 3, S, S) uint8."""
    lightness, _ = lab.split(pictures)
    made: list[list[Tensor]] = []
    seconds = []
    for colour in (torchs, files):
        colour(lightness[:1])
        began = time.process_time()
        made.append([colour(L[None]) for L in lightness])
        seconds.append((time.process_time() - began) / len(lightness))
    down, right = (side if pictures.shape[-1] > 2 * side else 0 for side in CUT)
    cut = lightness[:1, :, down:, right:].contiguous()
    apart = [(one - other).abs() for one, other in zip(*made, strict=True)]
    apart.append((torchs(cut) - files(cut)).abs())
    values = torch.cat([each.flatten() for each in apart])
    before, after = (_psnr(torch.cat(each), lightness, pictures) for each in made)
    milliseconds = (1000 * seconds[0], 1000 * seconds[1])
    return Parity(float(values.max()), float(values.mean()), (before, after), milliseconds, len(pictures))


def pictures(root: str | None, size: int, count: int) -> tuple[Tensor, Tensor]:
    """Squares to calibrate by and others to measure on, at most `count` of each: (N, 3, size, size) uint8.

    Args:
        root: a folder or archive of colour pictures; None: drawn scenes.
        size: of their sides.
        count: of each, at most.

    Raises:
        InputError: there are fewer than two pictures.
    """
    if root is None:
        parts = (SceneSource.first(0, split, count) for split in ("train", "test"))
        by, on = ([source.load(name, size) for name in source.names] for source in parts)
        return _stacked(by), _stacked(on)
    files = files_at(root, "photos")
    names = [files.names[i] for i in first(files.names, 2 * count)]
    if len(names) < 2:
        raise ConfigError([f"photos={root}: holds one picture; give two or more, or leave it out"])
    by, on = ([files.load(name, size) for name in names[start::2]] for start in (0, 1))
    return _stacked(by), _stacked(on)


def _stacked(squares: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(squares)).movedim(-1, 1).contiguous()


def _psnr(ab: Tensor, lightness: Tensor, truth: Tensor) -> float:
    rgb = lab.quantize(lab.merge(lightness, ab))
    return float(psnr(Pair(rgb, truth / 255)).mean())
