"""Colour grey photos, at their full resolution.

    python -m colorization.predict photo.jpg
    python -m colorization.predict photo.jpg album/ out=coloured run=runs/RUN
    python -m colorization.predict photo.jpg samples=4                    four plausible colourings
    python -m colorization.predict photo.jpg temperature=0.2              more vivid than 0.38, near the mode
    python -m colorization.predict photo.jpg weights=siggraph17-df00044c.pth   the authors' released file

Each picture is written to OUT/NAME.png, samples to OUT/NAME_1.png and on. The network sees a small
copy; the colour that it finds is enlarged and joined to the picture's own lightness, which stays as it
is. Samples and temperature need a run that learnt a distribution, such as objective=classification.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig
from PIL import Image
from rich.progress import Progress
from torch import Tensor
from torch.nn.functional import interpolate

from colorization.color import lab
from colorization.command import command, device
from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.data.decode import EXTENSIONS, UnreadablePicture, open_picture
from colorization.files import replaced
from colorization.hints.clicks import Click, clicked, read_clicks
from colorization.hints.points import Points
from colorization.module import Colorizer
from colorization.objective.base import Objective
from colorization.objective.classification import Classification
from colorization.released import released
from colorization.reopen import newest_run, open_run

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A picture to colour and where its colourings go."""

    source: Path
    targets: tuple[Path, ...]


@command("predict", __doc__, positional="inputs")
def main(cfg: DictConfig) -> int:
    """Colour every input; 1 when one of them could not be read."""
    jobs = planned([Path(name) for name in cfg.inputs], Path(cfg.out), cfg.samples)
    name, trained_at, colorizer = chosen(cfg)
    colorizer.to(device(cfg.device))
    if cfg.samples:
        can_sample(colorizer, cfg.samples)
    anneal(colorizer, cfg.temperature, cfg.samples)
    size = cfg.size or trained_at
    clicks = wanted_clicks(cfg.hints, colorizer, len(jobs))
    torch.manual_seed(cfg.seed)
    unreadable: list[str] = []
    with Progress() as bar:
        task = bar.add_task("colour", total=len(jobs))
        for batch in batched(readable(jobs, unreadable), size, cfg.batch_size):
            for target, rgb in coloured(colorizer, batch, size, cfg.gamut, clicks, cfg.samples):
                save(rgb, target)
            bar.update(task, completed=bar.tasks[task].completed + len(batch))
    log.info("coloured %d of %d pictures with %s: %s", len(jobs) - len(unreadable), len(jobs), name, cfg.out)
    for reason in unreadable:
        log.error("skipped %s", reason)
    return 1 if unreadable else 0


def chosen(cfg: DictConfig) -> tuple[str, int, Colorizer]:
    """The network that `run` or `weights` holds: its name, the size it was trained at, itself.

    Raises:
        ConfigError: both are given, or the one that is given is not what it should be.
    """
    model = cfg.get("model")
    if not cfg.weights:
        if model:
            raise ConfigError(
                ["model=: a run knows its network; give it with weights=FILE.pth, or leave it out"]
            )
        opened = open_run(cfg.run or newest_run())
        return opened.name, opened.config.data.image_size, opened.colorizer()
    if cfg.run:
        raise ConfigError([f"run={cfg.run} weights={cfg.weights}: give one of them"])
    config, colorizer = released(Path(cfg.weights))
    if model and model._target_ != config.model._target_:
        given, found = (node._target_.rpartition(".")[2] for node in (model, config.model))
        raise ConfigError([f"weights={cfg.weights}: are of {found}, not of {given}; leave model= out"])
    return Path(cfg.weights).stem, config.data.image_size, colorizer


def can_sample(colorizer: Colorizer, samples: int) -> None:
    """Raise a ConfigError where the objective gives one colouring alone."""
    objective = type(colorizer.objective)
    if objective.sample is Objective.sample:
        remedy = "leave it out, or train with a distribution, such as objective=classification"
        raise ConfigError([f"samples={samples}: {objective.__name__.lower()} gives one colouring; {remedy}"])


def anneal(colorizer: Colorizer, temperature: float | None, samples: int) -> None:
    """Set the temperature of the annealed mean, where the objective takes one."""
    if temperature is None:
        return
    objective = colorizer.objective
    if not isinstance(objective, Classification):
        kind = type(objective).__name__.lower()
        remedy = "leave it out, or take a run of objective=classification"
        raise ConfigError([f"temperature={temperature}: this run's objective, {kind}, has none; {remedy}"])
    if samples:
        raise ConfigError([f"temperature={temperature}: samples are drawn as they are; give one of the two"])
    if temperature <= 0:
        raise ConfigError([f"temperature={temperature}: choose above 0 (1 is the mean, near 0 the mode)"])
    objective.temperature = temperature


def planned(inputs: list[Path], out: Path, samples: int = 0) -> list[Job]:
    """What is read and what is written: folders keep their tree, no output is an input or another output.

    Raises:
        ConfigError: no input, an input that does not exist, or a folder without pictures.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError([f"out={out}: is a file; give a folder for the coloured pictures"])
    if not inputs:
        raise ConfigError(
            ["no picture given: python -m colorization.predict photo.jpg [more.jpg | FOLDER]..."]
        )
    found: list[tuple[Path, Path]] = []
    for path in inputs:
        if not path.exists():
            raise ConfigError([f"{path}: no such picture or folder"])
        inside = (
            sorted(p for p in path.rglob("*") if p.suffix.lower() in EXTENSIONS) if path.is_dir() else [path]
        )
        if not inside:
            raise ConfigError(
                [f"{path}: no pictures in this folder (looked for {', '.join(sorted(EXTENSIONS))})"]
            )
        found += [(p, p.relative_to(path) if path.is_dir() else Path(p.name)) for p in inside]
    taken = {source.resolve() for source, _ in found}
    jobs = []
    for source, relative in found:
        whole = out / relative.with_suffix(".png")
        wanted = [whole.with_stem(f"{whole.stem}_{k}") for k in range(1, samples + 1)] or [whole]
        targets = []
        for target in wanted:
            targets.append(free(target, source.suffix, taken))
            taken.add(targets[-1].resolve())
        jobs.append(Job(source, tuple(targets)))
    return jobs


def free(target: Path, suffix: str, taken: set[Path]) -> Path:
    """The target, or NAME_jpg.png, NAME_jpg_2.png... where that is an input or taken."""
    candidate, count = target, 1
    while candidate.resolve() in taken:
        tail = f"_{suffix.lstrip('.')}" + (f"_{count}" if count > 1 else "")
        candidate, count = target.with_stem(target.stem + tail), count + 1
    return candidate


def readable(jobs: Iterable[Job], unreadable: list[str]) -> Iterator[tuple[Job, Image.Image]]:
    """The jobs whose picture opens, each with its picture; the others are named in `unreadable`."""
    for job in jobs:
        try:
            yield job, open_picture(job.source)
        except (UnreadablePicture, OSError) as error:
            unreadable.append(str(error) if str(job.source) in str(error) else f"{job.source}: {error}")


Loaded = tuple[Job, Image.Image]


def batched(pictures: Iterable[Loaded], size: int, batch_size: int) -> Iterator[list[Loaded]]:
    """Neighbouring pictures that the network sees at the same size, together."""
    batch: list[Loaded] = []
    for loaded in pictures:
        same = batch and seen_size(loaded[1], size) == seen_size(batch[0][1], size)
        if batch and (not same or len(batch) == batch_size):
            yield batch
            batch = []
        batch.append(loaded)
    if batch:
        yield batch


def seen_size(picture: Image.Image, size: int) -> tuple[int, int]:
    """(width, height) with the shorter side at `size` pixels."""
    scale = size / min(picture.size)
    width, height = (max(round(side * scale), 1) for side in picture.size)
    return width, height


def wanted_clicks(hints: str | None, colorizer: Colorizer, pictures: int) -> list[Click]:
    """The clicks of `hints=clicks.json`, for one picture and a network that takes points."""
    if hints is None:
        return []
    if pictures > 1:
        raise ConfigError([f"hints={hints}: points belong to one picture, and {pictures} are given"])
    if not isinstance(colorizer.hints, Points):
        raise ConfigError(
            [f"hints={hints}: this run was trained without points; train one with hints=points"]
        )
    return read_clicks(hints)


def coloured(
    colorizer: Colorizer,
    batch: list[Loaded],
    size: int,
    gamut: lab.GamutMapping,
    clicks: list[Click],
    samples: int,
) -> Iterator[tuple[Path, Tensor]]:
    """Each target with its full-resolution colouring, (3, H, W) sRGB 0..1."""
    small = [picture.resize(seen_size(picture, size), Image.Resampling.BILINEAR) for _, picture in batch]
    L, _ = lab.split(torch.stack([tensor(picture) for picture in small]).to(colorizer.device))
    hints = colorizer.hints.blank(L)
    if clicks:
        width, height = batch[0][1].size
        hints = clicked(clicks, (height, width), (L.shape[-2], L.shape[-1])).to(L)
    objective, network = colorizer.objective, colorizer.network
    with torch.no_grad():
        if samples:
            ab = objective.sample(network, Given(L, hints), samples)
        else:
            ab = objective.predict(network, Given(L, hints))[None]
    for (job, picture), colours in zip(batch, ab.unbind(1), strict=True):
        full, _ = lab.split(tensor(picture)[None].to(colorizer.device))
        for target, colour in zip(job.targets, colours, strict=True):
            enlarged = interpolate(colour[None], size=full.shape[-2:], mode="bicubic", align_corners=False)
            yield target, lab.merge(full, enlarged, gamut)[0]


def tensor(picture: Image.Image) -> Tensor:
    """An RGB picture -> (3, H, W) uint8."""
    return torch.from_numpy(np.asarray(picture).copy()).movedim(-1, 0)


def save(rgb: Tensor, target: Path) -> None:
    """Write a PNG whole or not at all."""
    with replaced(target) as partial:
        Image.fromarray(lab.to_uint8(rgb).movedim(0, -1).cpu().numpy()).save(partial, format="png")


if __name__ == "__main__":
    main()
