"""Colour pictures from Python: `model = colorization.load(); coloured = model(picture)`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import Any, TypedDict, Unpack, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorization import command
from colorization.color.lab import GamutMapping
from colorization.config import ConfigError, InputError
from colorization.hints.clicks import hint
from colorization.module import Colorizer
from colorization.objective.distribution import Likely
from colorization.painter import Painter
from colorization.picture.objects import Picture, taken
from colorization.picture.original import Original
from colorization.released import released
from colorization.reopen import open_run
from colorization.weights.file import BOX

AUTHORS = {".pth", ".pt"}  # suffixes of released files


class Wishes(TypedDict, total=False):
    """What may be asked of a colouring.

    Attributes:
        hints: points of colour (x, y, colour) in the picture's own pixels; colour is (r, g, b) 0..255 or
            "#rrggbb".
        vivid: 0 the accurate end, 1 as colourful as the truth; None: the objective's own decoding.
        chroma: factor of the chroma of all that is shown, within the gamut.
        decoding: what the objective takes beside these, such as {"temperature": 0.2}.
        seed: of what is drawn at random.
        size: pixels of the shorter side that the network sees; None: what it was trained at.
        gamut: "chroma" keeps lightness, "clip" clips R, G and B.
    """

    hints: Sequence[Any]
    vivid: float | None
    chroma: float
    decoding: Mapping[str, Any]
    seed: int
    size: int | None
    gamut: GamutMapping


@dataclass(frozen=True, eq=False)
class Colourist:
    """A trained network that colours pictures at full resolution, with their own lightness.

    Pictures are paths, Pillow's, arrays (H, W), (H, W, 3) or (H, W, 4), and tensors (1 or 3, H, W) or
    (B, 1 or 3, H, W), uint8, uint16 or float 0..1; the same kind comes back, in colour. A path gives a
    picture of Pillow's. May be called from several threads, which take turns.

    Attributes:
        name: of the run or file.
        colorizer: the LightningModule: network, objective, hints.
        size: pixels of the shorter side that the network sees where none is asked for.
    """

    name: str
    colorizer: Colorizer
    size: int
    _turn: Lock = field(default_factory=Lock, repr=False)

    @overload
    def __call__(
        self, picture: str | PathLike[str] | Image.Image, **wishes: Unpack[Wishes]
    ) -> Image.Image: ...
    @overload
    def __call__(self, picture: np.ndarray, **wishes: Unpack[Wishes]) -> np.ndarray: ...
    @overload
    def __call__(self, picture: Tensor, **wishes: Unpack[Wishes]) -> Tensor: ...
    def __call__(self, picture: Picture, **wishes: Unpack[Wishes]) -> Any:
        """The picture in the one best colouring; see `Wishes`.

        Raises:
            InputError: it is no picture, or a wish is none that this network can fulfil.
        """
        given = taken(picture)
        return given.given_back([next(each) for each in self._coloured(given.originals, 0, wishes)])

    @overload
    def sample(
        self, picture: str | PathLike[str] | Image.Image, n: int = 4, **wishes: Unpack[Wishes]
    ) -> list[Image.Image]: ...
    @overload
    def sample(self, picture: np.ndarray, n: int = 4, **wishes: Unpack[Wishes]) -> list[np.ndarray]: ...
    @overload
    def sample(self, picture: Tensor, n: int = 4, **wishes: Unpack[Wishes]) -> list[Tensor]: ...
    def sample(self, picture: Picture, n: int = 4, **wishes: Unpack[Wishes]) -> Any:
        """So many plausible colourings, of the same kind each; fewer are the first of more.

        Raises:
            InputError: as a call; and where the objective gives one colouring alone.
        """
        if n < 1:
            raise InputError(f"n={n} samples: ask for at least 1")
        if wishes.get("vivid") is not None:
            raise InputError(
                f"vivid={wishes['vivid']}: samples are as vivid as they are drawn; give chroma=1.2"
            )
        given = taken(picture)
        colourings = zip(*self._coloured(given.originals, n, wishes), strict=True)
        return [given.given_back(made) for made in colourings]

    def distribution(
        self, picture: Picture, x: float, y: float, n: int = 8, **wishes: Unpack[Wishes]
    ) -> list[Likely]:
        """The colours that the network finds likely at a pixel, likeliest first, n at most.

        Raises:
            InputError: as a call; where the objective holds no probabilities; a point outside the picture.
        """
        (original,) = _single(taken(picture).originals, f"x={x} y={y}")
        with self._decoded(wishes):
            return self._painter(0, wishes).likely(original, x, y, n)

    def to(self, device: str | torch.device) -> "Colourist":
        """The same on another device."""
        self.colorizer.to(device)
        return self

    def __repr__(self) -> str:
        network, objective = (type(p).__name__ for p in (self.colorizer.network, self.colorizer.objective))
        millions = sum(p.numel() for p in self.colorizer.network.parameters()) / 1e6
        return f"<{self.name}: {network}, {millions:.1f} M parameters, {objective}; sees {self.size} px>"

    def _coloured(
        self, originals: Sequence[Original], samples: int, wishes: Wishes
    ) -> list[Iterator[Original]]:
        if wishes.get("hints"):
            _single(originals, "hints")
        with self._decoded(wishes):
            painter = self._painter(samples, wishes)
            return [painter.colour(original) for original in originals]

    def _painter(self, samples: int, wishes: Wishes) -> Painter:
        if unknown := set(wishes) - set(Wishes.__annotations__):
            raise TypeError(f"{', '.join(sorted(unknown))}: not among {', '.join(Wishes.__annotations__)}")
        size = wishes.get("size") or self.size
        if size < 1:
            raise InputError(f"size={size}: give at least 1 pixel")
        clicks = [hint(each, f"hint {number}") for number, each in enumerate(wishes.get("hints", ()), 1)]
        painter = Painter(self.colorizer, size, samples, wishes.get("seed", 0), clicks=clicks)
        return replace(painter, gamut=wishes["gamut"]) if "gamut" in wishes else painter

    @contextmanager
    def _decoded(self, wishes: Wishes) -> Iterator[None]:
        named = {name: wishes[name] for name in ("vivid", "chroma") if name in wishes}
        with self._turn, self.colorizer.objective.decoded(**named, **wishes.get("decoding", {})):
            yield


def load(source: str | PathLike[str] = BOX, device: str = "auto") -> Colourist:
    """Open a trained network.

    Args:
        source: "box", which comes with the package, whatever was trained here: a script that names no run
            colours alike in every folder; or a run's folder, a checkpoint, a .safetensors file, the
            authors' released .pth, or hf://OWNER/NAME on the hub.
        device: "auto" (CUDA where it is there), "cpu", "cuda", "cuda:1", ...

    Raises:
        InputError: there is no such network, or no such device.
    """
    try:
        place = torch.device(command.device(device))
    except RuntimeError as error:
        raise ConfigError([f"device={device}: no such device; choose auto, cpu or cuda"]) from error
    name, size, colorizer = opened(source)
    return Colourist(name, size=size, colorizer=colorizer.to(place))


def opened(source: str | PathLike[str]) -> tuple[str, int, Colorizer]:
    """The name of a network, the size that it was trained at, itself."""
    path = Path(source).expanduser()
    if path.suffix.lower() in AUTHORS:
        config, colorizer = released(path)
        return path.stem, config.data.image_size, colorizer
    run = open_run(str(source))
    return run.name, run.config.data.image_size, run.colorizer()


def _single(originals: Sequence[Original], asked: str) -> Sequence[Original]:
    if len(originals) > 1:
        raise InputError(f"{asked}: points belong to one picture, and {len(originals)} are given")
    return originals
