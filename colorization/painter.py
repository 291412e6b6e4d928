"""A trained network's colours on pictures of any size."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import torch
from omegaconf import DictConfig
from PIL import Image
from torch import Tensor

from colorization.chance import Chance
from colorization.color import lab
from colorization.color.lightness import lightness
from colorization.color.transport import Statistics, transported
from colorization.color.upsampling import Guided
from colorization.command import device
from colorization.config import ConfigError, InputError
from colorization.data.batch import Given
from colorization.data.decode import to_tensor
from colorization.hints.clicks import Click, read_clicks
from colorization.hints.sketch import is_sketch, read_sketch
from colorization.module import Colorizer
from colorization.objective.distribution import Likely
from colorization.picture.join import joined
from colorization.picture.original import Original
from colorization.picture.reference import colours_of
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
        frame: (height, width) of what the clicks are in the pixels of, where that is no picture but a sketch.
        reference: of another picture's colours, which every colouring takes on.
    """

    colorizer: Colorizer
    size: int
    samples: int = 0
    seed: int = 0
    gamut: lab.GamutMapping = "chroma"
    clicks: Sequence[Click] = field(default_factory=list)
    frame: tuple[int, int] | None = None
    reference: Statistics | None = None

    def colour(self, original: Original) -> Iterator[Original]:
        """A picture in full resolution in each of its colourings."""
        L, colourings = self.found(original)
        return (self.laid(original, L, ab[None]) for ab in colourings)

    @torch.no_grad()
    def found(self, original: Original) -> tuple[Tensor, Tensor]:
        """Of the copy that the network sees: lightness (1, 1, h, w), and its colourings (n, 2, h, w)."""
        given = self.given(original.shown(self.seen(original.size)), original.size)
        objective, network = self.colorizer.objective, self.colorizer.network
        if self.samples:
            ab = objective.chroma * objective.sample(network, given, self.samples)[:, 0]
        else:
            ab = objective.colouring(network, given)
        return given.L, transported(ab, self.reference) if self.reference else ab

    def laid(self, original: Original, L: Tensor, ab: Tensor) -> Original:
        """A picture in full resolution, with ab (1, 2, h, w) of a small copy whose lightness is L."""
        height, width = original.pixels.shape[:2]
        return joined(original, Guided(ab, L, (height, width)), self.gamut)

    @torch.no_grad()
    def likely(self, original: Original, x: float, y: float, count: int) -> list[Likely]:
        """What the network holds likely at a pixel of a picture, likeliest first; see `Distribution.likely`.

        Raises:
            InputError: the pixel lies outside.
            ConfigError: the objective holds no probabilities.
        """
        width, height = original.size
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(f"x={x} y={y}: outside the picture of {width} x {height} pixels")
        small = original.shown(self.seen(original.size))
        given = self.given(small, original.size)
        held = self.colorizer.objective.distribution(self.colorizer.network, given)
        L = float(lightness(original.pixels[int(y) : int(y) + 1, int(x) : int(x) + 1]))
        return held.likely(y * small.height / height, x * small.width / width, L, count)

    def seen(self, size: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) of the copy that the network sees of a picture of that (width, height)."""
        scale = self.size / min(size)
        width, height = (min(max(round(side * scale), 1), LONGEST * self.size) for side in size)
        return width, height

    def given(self, small: Image.Image, full: tuple[int, int]) -> Given:
        """What the network is given of a picture whose (width, height) is `full`."""
        device, hints = self.colorizer.device, self.colorizer.hints
        L, _ = lab.split(to_tensor(small).to(device))
        revealed = hints.blank(L)
        if self.clicks:
            frame = self.frame or full[::-1]
            revealed = hints.clicked(self.clicks, frame, (small.height, small.width)).to(L)
        pixels = blake2b(small.tobytes(), digest_size=8).digest()
        index = torch.tensor([int.from_bytes(pixels, signed=True)], device=device)
        return Given(L, revealed, chance=Chance(index, self.seed))


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
    undone = ["hints"] * bool(cfg.hints) + [name for name in ("vivid", "chroma") if name in cfg.decoding]
    if cfg.reference and undone:
        fault = f"all colours become the reference's, whatever {undone[0]} says; give one of them"
        raise ConfigError([f"reference={cfg.reference}: {fault}"])
    clicks: list[Click] = []
    if cfg.hints:
        if pictures > 1:
            raise ConfigError([f"hints={cfg.hints}: points belong to one picture, and {pictures} are given"])
        colorizer.hints.clicked([], (1, 1), (1, 1))  # refuses where hints are no points
    colorizer.to(device(cfg.device))
    size, frame = trained_at if cfg.size == "auto" else cfg.size, None
    if cfg.hints:
        path = Path(cfg.hints).expanduser()
        clicks, frame = read_sketch(path, size) if is_sketch(path) else (read_clicks(path), None)
    reference = colours_of(Path(cfg.reference).expanduser(), size) if cfg.reference else None
    return name, Painter(colorizer, size, cfg.samples, cfg.seed, cfg.gamut, clicks, frame, reference)


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
