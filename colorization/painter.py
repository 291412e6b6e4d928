"""A trained network's colours on pictures of any size."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig
from PIL import Image
from torch import Tensor

from colorization.album import Photo
from colorization.chance import Chance
from colorization.color import lab
from colorization.color.upsampling import guided
from colorization.command import device, in_words
from colorization.config import ConfigError, InputError
from colorization.data.batch import Given
from colorization.hints.clicks import Click, read_clicks
from colorization.module import Colorizer
from colorization.released import released
from colorization.reopen import newest_run, open_run
from colorization.weights.file import BOX, FOLDER

LONGEST = 16  # sides: a longer strip is squeezed to that for the network, which sees a bounded picture

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Painter:
    """Finds colour in a small copy, enlarges it along the picture's own lightness and joins it to that.

    What is drawn at random for a picture depends on its pixels and the seed alone.

    Args:
        colorizer: the network with its objective and hints.
        size: pixels of the shorter side that the network sees.
        samples: how many colourings are drawn; 0: the one best.
        seed: of the samples.
        gamut: how colours outside sRGB are brought inside.
        clicks: what a person has revealed, in the picture's own pixels.
    """

    colorizer: Colorizer
    size: int
    samples: int = 0
    seed: int = 0
    gamut: lab.GamutMapping = "chroma"
    clicks: Sequence[Click] = field(default_factory=list)

    @torch.no_grad()
    def colour(self, picture: Image.Image) -> list[Image.Image]:
        """A picture in full resolution in each of its colourings."""
        small = picture.resize(self.seen(picture), Image.Resampling.BILINEAR)
        given = self._given(small, picture.size)
        objective, network = self.colorizer.objective, self.colorizer.network
        if self.samples:
            ab = objective.chroma * objective.sample(network, given, self.samples)[:, 0]
        else:
            ab = objective.colouring(network, given)
        L, _ = lab.split(_tensor(picture).to(ab.device))
        return [self._joined(L, guided(colours[None], given.L, L)) for colours in ab]

    def seen(self, picture: Image.Image) -> tuple[int, int]:
        """The (width, height) of the copy that the network sees."""
        scale = self.size / min(picture.size)
        width, height = (min(max(round(side * scale), 1), LONGEST * self.size) for side in picture.size)
        return width, height

    def _given(self, small: Image.Image, full: tuple[int, int]) -> Given:
        """What the network is given of a picture whose (width, height) is `full`."""
        device, hints = self.colorizer.device, self.colorizer.hints
        L, _ = lab.split(_tensor(small).to(device))
        revealed = hints.blank(L)
        if self.clicks:
            revealed = hints.clicked(self.clicks, full[::-1], (small.height, small.width)).to(L)
        pixels = blake2b(small.tobytes(), digest_size=8).digest()
        index = torch.tensor([int.from_bytes(pixels, signed=True)], device=device)
        return Given(L, revealed, chance=Chance(index, self.seed))

    def _joined(self, L: Tensor, ab: Tensor) -> Image.Image:
        """Lightness (1, 1, H, W) and colours (1, 2, H, W) -> a picture."""
        rgb = lab.to_uint8(lab.merge(L, ab, self.gamut)[0])
        return Image.fromarray(rgb.movedim(0, -1).cpu().numpy())


def painter(cfg: DictConfig, pictures: int) -> tuple[str, Painter]:
    """The network that predict's configuration asks for, and its name.

    Raises:
        ConfigError: there is none, or it cannot do what is asked of it.
    """
    name, trained_at, colorizer = network(cfg)
    objective = colorizer.objective
    if cfg.samples and not objective.samples:
        remedy = "leave it out, or train with a distribution, such as objective=classification"
        kind = type(objective).__name__.lower()
        raise ConfigError([f"samples={cfg.samples}: {kind} gives one colouring; {remedy}"])
    objective.decode(**cfg.decoding)
    if cfg.samples and objective.vivid is not None:
        raise ConfigError([f"samples={cfg.samples} vivid={objective.vivid}: samples are as vivid as they are "
                           "drawn, vivid is of the one best; give one of them, or chroma=1.2"])  # fmt: skip
    clicks: list[Click] = []
    if cfg.hints:
        if pictures > 1:
            raise ConfigError([f"hints={cfg.hints}: points belong to one picture, and {pictures} are given"])
        clicks = read_clicks(Path(cfg.hints).expanduser())
        colorizer.hints.clicked([], (1, 1), (1, 1))  # refuses where hints are no points
    colorizer.to(device(cfg.device))
    size = trained_at if cfg.size == "auto" else cfg.size
    return name, Painter(colorizer, size, cfg.samples, cfg.seed, cfg.gamut, clicks)


def network(cfg: DictConfig) -> tuple[str, int, Colorizer]:
    """What `run` or `weights` holds: its name, the size it was trained at, the network.

    Raises:
        ConfigError: both are given, or the one that is given is not what it should be.
    """
    model = cfg.get("model")
    if not cfg.weights:
        if model:
            fault = "a run knows its network; give it with weights=FILE.pth, or leave it out"
            raise ConfigError([f"model=: {fault}"])
        run = open_run(cfg.run or newest_run() or _in_the_box())
        return run.name, run.config.data.image_size, run.colorizer()
    if cfg.run:
        raise ConfigError([f"run={cfg.run} weights={cfg.weights}: give one of them"])
    weights = Path(cfg.weights).expanduser()
    config, colorizer = released(weights)
    if model and model._target_ != config.model._target_:
        given, found = (node._target_.rpartition(".")[2] for node in (model, config.model))
        raise ConfigError([f"weights={weights}: are of {found}, not of {given}; leave model= out"])
    return weights.stem, config.data.image_size, colorizer


def _in_the_box() -> str:
    """The network that comes with the package, and a word that it is used."""
    card = FOLDER / f"{BOX}.md"
    log.info("no run in runs/ yet: %s, the network that comes with colorization, colours (%s)", BOX, card)
    return BOX


def painted(
    photos: Iterable[Photo], painter: Painter, faults: list[str]
) -> Iterator[tuple[Photo, list[Image.Image]]]:
    """Each photo with its colourings; what goes wrong with one joins the faults and leaves the others alone.

    COLORIZATION_TRACEBACK=1 in the environment stops at the first and shows where it came from.
    """
    for photo in photos:
        try:
            colourings = painter.colour(photo.picture())
        except Exception as error:
            if os.environ.get("COLORIZATION_TRACEBACK"):
                raise
            text = str(error) if isinstance(error, InputError | OSError) else in_words(error)
            faults.append(text if str(photo.source) in text else f"{photo.source}: {text}")
        else:
            yield photo, colourings


def _tensor(picture: Image.Image) -> Tensor:
    """An RGB picture -> (1, 3, H, W) uint8."""
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None]
