"""What evaluate scores: a run, the pictures of any tool, or nothing but floors and ceilings."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from rich.console import Console

from colorization import build
from colorization.command import device
from colorization.compose import composed
from colorization.config import ConfigError, InputError, options
from colorization.data.module import PictureData
from colorization.data.pack import Pack
from colorization.data.scenes.dataset import Scenes
from colorization.files import write_csv
from colorization.hints.base import Exactly
from colorization.module import Colorizer
from colorization.objective.colours import MeanColour, mean_colour
from colorization.protocol import Protocol
from colorization.reopen import Run, open_run
from colorization.report.summary import protocols_table
from colorization.score import Scoring, of_network
from colorization.scoring import known as known_truth
from colorization.scoring.curve import by_points
from colorization.scoring.fitting import fitted
from colorization.scoring.known import Known
from colorization.scoring.leaks import leaks
from colorization.scoring.manifest import some
from colorization.scoring.predictions import (
    by_tool,
    changed_lightness,
    in_grey,
    is_evaluation,
    matched,
    of_split,
    reference,
)
from colorization.scoring.stability import COLUMN, LARGEST, NAME, with_size_difference
from colorization.scoring.steps import by_steps

log = logging.getLogger(__name__)
Data = Callable[..., PictureData]


@dataclass
class Subject:
    """What is scored: its name in tables, the folder of its evaluation/, how, and the run if it is one."""

    name: str
    folder: Path
    scoring: Scoring
    run: Run | None = None


def every_protocol(cfg: DictConfig) -> None:
    """The same colourings and grey under each protocol, in the numbers that it reports."""
    cfg.leaks, summaries = False, {}
    for name in sorted(options("protocol"), key=lambda name: name != "v1"):
        whole = build.protocol(composed("evaluate", [f"protocol={name}"]))
        reported = {metric: whole.metrics[metric] for metric in whole.reported.values()}
        chosen = subject(cfg, replace(whole, metrics=reported))
        summaries[name] = replace(
            chosen.scoring, more={}, baselines=("grey",), no_gain="not asked for"
        ).scored()
    table, rows = protocols_table(summaries, chosen.name)
    Console().print(table)
    (chosen.folder / "evaluation").mkdir(parents=True, exist_ok=True)
    write_csv(chosen.folder / "evaluation" / "protocols.csv", rows)


def subject(cfg: DictConfig, protocol: Protocol) -> Subject:
    """What the configuration asks to be scored, under a protocol."""
    torch.manual_seed(cfg.seed)
    if cfg.run and cfg.predictions:
        raise ConfigError(["run and predictions are both given; score one after the other"])
    if cfg.run:
        return a_run(cfg, protocol)
    if cfg.predictions:
        return a_tool(cfg, protocol)
    if cfg.get("data"):
        return floors(cfg, protocol)
    raise ConfigError(["nothing to score: pass run=runs/RUN, or predictions=DIR reference=DIR; see --help"])


def a_run(cfg: DictConfig, protocol: Protocol) -> Subject:
    """A run on its own test pictures, or on others."""
    opened = open_run(cfg.run)
    colorizer = opened.colorizer().to(device(cfg.device))
    decoding = dict(cfg.decoding)
    if cfg.points is not None:
        colorizer.hints = Exactly(colorizer.hints, cfg.points)
    no_gain = know_vividness(cfg, opened, colorizer, protocol)
    colorizer.objective.decode(**decoding)
    if cfg.points is not None:
        decoding["points"] = cfg.points
    source = partial(build.data, cfg) if cfg.get("data") else opened.data
    scoring = of_network(
        colorizer, protocol, source(protocol), cfg.split, opened.checkpoint, cfg.samples, cfg.pictures,
        decoding=decoding, training=partial(colours, opened.data), more=build.metrics(cfg),
        batch_size=cfg.batch_size, about=overlap(cfg, source, opened.data),
    )  # fmt: skip
    scoring.no_gain = no_gain
    if cfg.hints_curve:
        scoring.about = {**scoring.about, "hints_curve": hints_curve(colorizer, scoring)}
    if cfg.samples and isinstance(pictures := source(protocol), Scenes):
        scoring = beside_truth(cfg, scoring, pictures)
    if cfg.steps_curve:
        curve = by_steps(colorizer, protocol, cfg.samples, scoring.batches())
        scoring.about = {**scoring.about, "steps_curve": {str(steps): of for steps, of in curve.items()}}
    if cfg.stability:
        scoring = stability(cfg, colorizer, scoring, source)
    return Subject(opened.name, Path(cfg.out or opened.folder), scoring, opened)


def know_vividness(cfg: DictConfig, opened: Run, colorizer: Colorizer, protocol: Protocol) -> str:
    """Fit how vivid the run's colours have to be made, where its checkpoint does not say; "", or why not."""
    if colorizer.objective.vividness:
        return ""
    most = opened.config.get("validate", {}).get("pictures")
    try:
        found = fitted(colorizer, opened.data(protocol), protocol, most, cfg.batch_size)
    except ConfigError as error:  # a small file names no pictures
        return str(error)
    if isinstance(found, str):
        return found
    colorizer.objective.vividness = found
    where = "fitted on the run's validation photos"
    if cfg.keep_vividness:
        opened.keep(found)
        where += f", and kept in {opened.checkpoint}"
    log.info("chroma gain %.3f, strength of vivid=1 %.3f: %s", *found, where)
    return ""


def a_tool(cfg: DictConfig, protocol: Protocol) -> Subject:
    """Pictures that any tool has coloured, beside a folder of originals or a data set."""
    size: int | None
    training: Callable[[], MeanColour | str]
    if cfg.get("data"):
        data = build.data(cfg, protocol)
        pictures, called = of_split(data, cfg.split, protocol, cfg.pictures)
        size = protocol.size or data.image_size
        training = partial(colours, partial(build.data, cfg))
    elif cfg.reference:
        (pictures, called), size = reference(Path(cfg.reference), protocol, cfg.pictures), protocol.size
        training = partial(str, "needs training pictures: data=NAME instead of reference=DIR")
    else:
        raise ConfigError(
            [f"predictions={cfg.predictions}: pass the originals too, reference=DIR or data=NAME"]
        )
    predicted = matched(Path(cfg.predictions), pictures, size, protocol.geometry)
    changed = changed_lightness(pictures, predicted, protocol.lightness)
    about = lightness(changed, len(pictures.names), protocol.lightness, cfg.lightness)
    colour, more = by_tool(predicted), build.metrics(cfg)
    scoring = Scoring(protocol, pictures, colour, called, training, more, cfg.batch_size, about)
    folder = Path(cfg.predictions).resolve()
    name = folder.parent.parent.name if is_evaluation(folder) else folder.name
    return Subject(name, Path(cfg.out or f"runs/{name}"), scoring)


def floors(cfg: DictConfig, protocol: Protocol) -> Subject:
    """No network: the grey prediction stands where the model does."""
    data = partial(build.data, cfg)
    shown = data(protocol)
    pictures, called = of_split(shown, cfg.split, protocol, cfg.pictures)
    about, more, training = overlap(cfg, data, data), build.metrics(cfg), partial(colours, data)
    scoring = Scoring(
        protocol, pictures, in_grey, called, training, more, cfg.batch_size, about,
        keep=shown.cache / "floors" / "cpu",
    )  # fmt: skip
    return Subject("grey", Path(cfg.out or "runs/grey"), scoring)


def training_pictures(data: Data) -> Pack | str:
    """The training pictures, or the reason why they cannot be had."""
    try:
        return data().pack("train")
    except (ValueError, OSError) as error:
        return f"needs the training pictures ({error})"


def colours(data: Data) -> MeanColour | str:
    """Mean colours of the training pictures, or the reason why they are not known."""
    training = training_pictures(data)
    return training if isinstance(training, str) else mean_colour(training.pictures)


def overlap(cfg: DictConfig, source: Data, trained: Data) -> dict[str, Any]:
    """Pictures that are scored and were trained on, too: told loudly, and kept in the summary."""
    training = training_pictures(trained) if cfg.leaks and cfg.split != "train" else ""
    if isinstance(training, str):
        return {}
    pack = source().pack(cfg.split)
    pairs = [
        {"picture": pack.names[leak.test], "training": training.names[leak.train]} | leak._asdict()
        for leak in leaks(training.pictures, pack.pictures)
    ]
    if pairs:
        names = some([f"{pair['picture']} = {pair['training']}" for pair in pairs])
        log.warning("%d of %d pictures are among the training pictures: %s", len(pairs), len(pack), names)
    return {"leaks": pairs}


def lightness(changed: dict[str, float], count: int, most: float, setting: str) -> dict[str, Any]:
    """What a tool did to the lightness of its pictures.

    Raises:
        ConfigError: it has changed any, and that was not allowed.
    """
    if setting not in ("equal", "any"):
        raise ConfigError(
            [f"lightness={setting}: choose equal, or any to score changed lightness all the same"]
        )
    if not changed:
        return {}
    worst = sorted(changed, key=changed.__getitem__, reverse=True)
    message = f"{len(changed)} of {count} predictions have another lightness than the truth, by more than "
    message += f"{most:g} L on average: {some([f'{name} by {changed[name]:.1f}' for name in worst])}"
    if setting == "equal":
        raise ConfigError([f"{message}; lightness=any scores them all the same"])
    log.warning(message)
    return {"lightness": {"changed": len(changed), "most": changed[worst[0]], "picture": worst[0]}}


def hints_curve(colorizer: Colorizer, scoring: Scoring) -> dict[str, float]:
    """The PSNR that the protocol reports, with so many points revealed. Raises ConfigError without points."""
    name = scoring.protocol.reported.get("psnr", "psnr")
    curve = by_points(colorizer, scoring.protocol, [name], scoring.batches())
    return {str(points): (numbers.means | numbers.sets)[name] for points, numbers in curve.items()}


def beside_truth(cfg: DictConfig, scoring: Scoring, scenes: Scenes) -> Scoring:
    """The scoring with how the samples of each scene stand to the distribution that its colours come from."""
    known = Known(scoring.colour, scenes, cfg.split, scoring.protocol)
    columns = {**scoring.columns, known_truth.NAME: known_truth.COLUMN}
    return replace(scoring, colour=known, columns=columns, after=known.told)


def stability(cfg: DictConfig, colorizer: Colorizer, scoring: Scoring, source: Data) -> Scoring:
    """The scoring with how much the colours of each picture change with the size that the network sees.

    The pictures are read once more from where they come from, at the largest of those sizes.

    Raises:
        ConfigError: they cannot be had at that size.
    """
    if cfg.split == "train":
        raise ConfigError(
            [f"stability=true shows pictures of {LARGEST} pixels a side: split=test or split=val"]
        )
    try:
        data = source(replace(scoring.protocol, size=LARGEST))
        pack, extra = data.pack(cfg.split), data.rows(cfg.split)
    except InputError as error:
        raise ConfigError([f"stability=true needs pictures of {LARGEST} pixels a side: {error}"]) from error
    known = {name: row for row, name in enumerate(pack.names)}
    places = {scoring.pictures.position(i): known[name] for i, name in enumerate(scoring.pictures.names)}
    colour = with_size_difference(scoring.colour, colorizer, scoring.protocol, pack.pictures, places, extra)
    return replace(scoring, colour=colour, columns={**scoring.columns, NAME: COLUMN})
