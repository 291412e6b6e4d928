"""Films coloured frame by frame, steadied along motion, in segments: what is killed goes on."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from shutil import copyfile
from typing import Any

from omegaconf import DictConfig

from colorization.album import Photo
from colorization.config import ConfigError
from colorization.darkroom import Outcome, Toned, failed, thumb
from colorization.files import replaced
from colorization.painter import Painter
from colorization.picture.metadata import dated
from colorization.picture.tone import Tone, tone_of
from colorization.video.film import Film, Frame, film, is_film, stills
from colorization.video.joining import join
from colorization.video.segments import FRAMES, Encoding, Segments
from colorization.video.steady import Steady

LOOKS = 5  # frames that are looked at for colour of its own

Watch = Callable[[Path, int, int | None], None]  # a film, its frames done, and about how many there are

log = logging.getLogger(__name__)


@dataclass
class Projector:
    """Colours films one after another.

    Args:
        painter: finds the colour of a frame.
        model: what the mark in their metadata calls it.
        share: see `Steady`.
        toned: what is done with those that have colour of their own.
        watch: is told of each frame.
    """

    painter: Painter
    model: str
    share: float = 0.9
    toned: Toned = "recolour"
    watch: Watch = lambda *_: None

    def develop(self, films: Mapping[Photo, str]) -> Iterator[Outcome]:
        """Each film's outcome, in order; what goes wrong with one leaves the others alone.

        Args:
            films: with what each is made of and how: segments of the same are taken over.
        """
        for photo, key in films.items():
            outcome = Outcome(photo)
            try:
                yield self._developed(outcome, key)
            except Exception as error:
                yield failed(outcome, error)

    def _developed(self, outcome: Outcome, key: str) -> Outcome:
        path, target = outcome.photo.source, outcome.photo.targets[0]
        with film(path) as source:
            looks = stills(source, LOOKS)
        outcome.tone, outcome.before = _tone_of(looks), thumb(looks[len(looks) // 2])
        outcome.skipped = outcome.tone != "grey" and self.toned == "skip"
        if outcome.skipped:
            return outcome
        if outcome.tone != "grey" and self.toned == "keep":
            with replaced(target) as partial:
                copyfile(path, partial)
        else:
            outcome.said += self._coloured(path, target, key)
        stat = path.stat()
        dated(target, (stat.st_atime_ns, stat.st_mtime_ns))
        with film(target) as made:
            outcome.after = thumb(stills(made, LOOKS)[len(looks) // 2])
        return outcome

    def _coloured(self, path: Path, target: Path, key: str) -> list[str]:
        """Colour a film, and say how it went."""
        segments, steady = Segments(target.with_name(f"{target.name}.partial"), key), Steady(self.share)
        done, state = 0, segments.last()
        if state:
            steady.restore(state)
            done = int(state["frames"])
            log.info("%s: goes on after %d frames", path, done)
        with film(path) as source:
            self.watch(path, done, source.count)
            frames = islice(source.frames(), done, None)
            for first in frames:
                taken = self._counted(chain([first], islice(frames, FRAMES - 1)), source, done)
                encoding = Encoding(target.suffix.lower(), first.picture.size, source.tick, source.rate,
                                    source.aspect)  # fmt: skip
                done += segments.write((self._frame(frame, steady) for frame in taken), encoding)
                segments.close(steady.state() | {"frames": done})
            lost = source.lost
        self.watch(path, done, done)
        note = f"colour is a guess of the model {self.model}; lightness is the original's"
        with film(path) as source, replaced(target) as partial:
            said = join(source, segments.films(), partial, target.suffix, note)
        segments.remove()
        damaged = [f"{lost} packets are damaged and were left out"] if lost else []
        return [_measured(steady, done), *damaged, *said]

    def _counted(self, frames: Iterator[Frame], source: Film, done: int) -> Iterator[Frame]:
        for number, frame in enumerate(frames, done + 1):
            yield frame
            self.watch(source.path, number, source.count)

    def _frame(self, frame: Frame, steady: Steady) -> Frame:
        L, ab = self.painter.found(frame.picture)
        return replace(frame, picture=self.painter.laid(frame.picture, L, steady(L, ab)))


def refuse(cfg: DictConfig, photos: Sequence[Photo]) -> None:
    """Settings that a film cannot follow.

    Raises:
        ConfigError: naming each, where there is a film among the inputs.
    """
    first = next((photo.source for photo in photos if is_film(photo.source)), None)
    asked: dict[str, Any] = {"hints": cfg.hints, "samples": cfg.samples, "layer": cfg.layer}
    reasons = {
        "hints": f"points belong to one picture, and {first} has many",
        "samples": f"{first} gets one colouring, which stays with things as they move",
        "layer": f"{first} is written as a film alone",
    }
    faults = [f"{name}={asked[name]}: {reasons[name]}; leave it out" for name in asked if asked[name]]
    if not 0 <= cfg.steady < 1:
        raise ConfigError([f"steady={cfg.steady}: choose 0 (frame by frame) to below 1, such as 0.9"])
    if first and faults:
        raise ConfigError(faults)


def _tone_of(looks: Sequence[Any]) -> Tone:
    """The most colourful of what frames look like: black ones say nothing."""
    tones: set[Tone] = {tone_of(look) for look in looks}
    return "colour" if "colour" in tones else "toned" if "toned" in tones else "grey"


def _measured(steady: Steady, frames: int) -> str:
    text = f"{frames} frames, {steady.cuts + 1} {'scene' if not steady.cuts else 'scenes'}"
    if math.isnan(steady.steadied.mean):
        return text
    return (f"{text}; colour flickers by {steady.steadied.mean:.3f} CIEDE2000 a frame along motion, "
            f"frame by frame by {steady.alone.mean:.3f}")  # fmt: skip
