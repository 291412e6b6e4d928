"""A folder of coloured pictures, filled: with a bar, what is done skipped, and a page in the end."""

import logging
from collections.abc import Sequence
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from colorization import __version__
from colorization.album import Photo
from colorization.darkroom import Darkroom, Outcome
from colorization.files import sweep
from colorization.painter import Painter
from colorization.picture.record import Entry, Record, encoded
from colorization.projector import Projector
from colorization.scoring.manifest import some
from colorization.video.film import is_film

PLACE = ("inputs", "out", "run", "weights", "model", "device")  # settings that change no pixel by themselves

log = logging.getLogger(__name__)


class Speed(ProgressColumn):
    """Frames per second, of a film."""

    def render(self, task: Task) -> Text:
        """What the column shows."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.2f} frames/s" if speed and task.fields.get("film") else "")


COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(24),
    MofNCompleteColumn(),
    Speed(),
    TimeRemainingColumn(),
)


class Watcher:
    """A line for the film that is being coloured.

    Args:
        bar: on which it stands.
    """

    def __init__(self, bar: Progress):
        self.bar = bar
        self.tasks: dict[Path, TaskID] = {}

    def __call__(self, path: Path, done: int, total: int | None) -> None:
        if path in self.tasks:
            self.bar.update(self.tasks[path], completed=done, total=total)
        else:
            self.tasks[path] = self.bar.add_task(path.name, total=total, completed=done, film=True)


def printed(
    cfg: DictConfig, photos: Sequence[Photo], darkroom: Darkroom, projector: Projector, out: Path
) -> int:
    """Colour what is not done yet; 1 when a picture could not be.

    Of one picture alone nothing is recorded, and it is always made.
    """
    record = Record(out) if len(photos) > 1 else None
    keys = _keys(cfg, photos, darkroom.painter)
    left = [p for p in photos if not (record and record.has(str(p.source), keys[p]))]
    films = {photo: keys[photo] for photo in left if is_film(photo.source)}
    pictures = [photo for photo in left if photo not in films]
    outcomes: list[Outcome] = []
    for folder in {path.parent for photo in left for path in photo.files}:
        sweep(folder)
    try:
        with Progress(*COLUMNS, console=Console(stderr=True)) as bar:
            task = bar.add_task("colour", total=len(photos), completed=len(photos) - len(left))
            projector.watch = Watcher(bar)
            for outcome in chain(darkroom.develop(pictures), projector.develop(films)):
                outcomes.append(outcome)
                if record:
                    record.add(_entry(outcome, keys[outcome.photo], out))
                bar.advance(task)
    finally:
        if record:
            page = record.page(f"{len(photos)} pictures, coloured by {darkroom.model}")
    _tell(outcomes, darkroom, len(photos), len(photos) - len(left), out)
    if record:
        log.info("before and after: %s", page)
    return 1 if any(outcome.fault for outcome in outcomes) else 0


def _tell(outcomes: Sequence[Outcome], darkroom: Darkroom, total: int, done: int, out: Path) -> None:
    """A line for each thing that there is to know."""
    faults = [outcome for outcome in outcomes if outcome.fault]
    own = [outcome for outcome in outcomes if outcome.tone != "grey" and not outcome.fault]
    skipped = sum(outcome.skipped for outcome in outcomes)
    count = len(outcomes) - len(faults) - skipped
    before = f"; {done} were done before" if done else ""
    log.info("coloured %d of %d pictures with %s: %s%s", count, total, darkroom.model, out, before)
    for outcome in outcomes:
        for words in outcome.said:
            log.warning("%s: %s", outcome.photo.source, words)
    for tone, words in (("toned", "are toned"), ("colour", "have colour of their own")):
        if those := [str(outcome.photo.source) for outcome in own if outcome.tone == tone]:
            did = {"recolour": "coloured anew", "keep": "kept as they are", "skip": "skipped"}[darkroom.toned]
            log.info("%d %s and were %s (toned=recolour|keep|skip): %s", len(those), words, did, some(those))
    for outcome in faults:
        log.error("skipped %s", outcome.fault)


def _keys(cfg: DictConfig, photos: Sequence[Photo], painter: Painter) -> dict[Photo, str]:
    """For each picture a digest of its file's state, the settings, the network and this program."""
    settings = {k: v for k, v in OmegaConf.to_container(cfg).items() if k not in PLACE}  # type: ignore[union-attr]
    reference = [part.tolist() for part in painter.reference or ()]
    asked = (__version__, sorted(settings.items(), key=str), reference)
    common = blake2b(repr(asked).encode("utf-8", "surrogateescape"))
    for name, values in painter.colorizer.state_dict().items():
        common.update(name.encode())
        common.update(values.detach().cpu().contiguous().flatten().view(-1).numpy().tobytes())
    keys = {}
    for photo in photos:
        digest, stat = common.copy(), photo.source.stat()
        digest.update(f"{stat.st_size} {stat.st_mtime_ns}".encode())
        keys[photo] = digest.hexdigest()[:32]
    return keys


def _entry(outcome: Outcome, key: str, out: Path) -> Entry:
    photo, said = outcome.photo, list(outcome.said)
    if outcome.skipped:
        said.append(f"skipped: {'is toned' if outcome.tone == 'toned' else 'has colour of its own'}")
    there = [] if outcome.fault or outcome.skipped else [p for p in photo.files if p.is_file()]
    files = [str(path.relative_to(out)) for path in there]
    before, after = encoded(outcome.before), encoded(outcome.after)
    return Entry(str(photo.source), key, files, said, outcome.fault, before, after)
