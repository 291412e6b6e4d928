"""Pictures read, coloured and written at the same time, in order, in bounded memory."""

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from colorization.album import Photo
from colorization.command import in_words
from colorization.config import InputError
from colorization.files import replaced
from colorization.painter import Painter
from colorization.picture.layer import colour_layer
from colorization.picture.original import Original, eight_bits
from colorization.picture.reading import frames
from colorization.picture.sheet import contact_sheet
from colorization.picture.tone import Tone, tone_of
from colorization.picture.writing import Writer

Toned = Literal["recolour", "keep", "skip"]

AHEAD = 2  # pictures that are read while one is coloured, and as many that are written
ROOM = 50_000_000  # pixels under way; a larger picture is under way alone
THUMB = 320  # pixels of the longer side in the report

log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What became of a picture.

    Attributes:
        photo: its files.
        fault: why it could not be coloured, or the empty string.
        said: what else there is to know.
        tone: whether it had colour of its own.
        skipped: not written, for it had.
        before, after: small pictures of it.
    """

    photo: Photo
    fault: str = ""
    said: list[str] = field(default_factory=list)
    tone: Tone = "grey"
    skipped: bool = False
    before: Image.Image | None = None
    after: Image.Image | None = None


class _Frames(NamedTuple):
    """The frames of a picture, each in all its colourings: [colouring][frame]."""

    originals: list[Original]
    colourings: list[list[Original]]


@dataclass
class Darkroom:
    """Colours pictures one after another, while others are read and written.

    Args:
        painter: finds their colour.
        model: what the mark in their metadata calls it.
        writer: how they are written.
        toned: what is done with those that have colour of their own.
    """

    painter: Painter
    model: str
    writer: Writer = field(default_factory=Writer)
    toned: Toned = "recolour"

    def develop(self, photos: Sequence[Photo]) -> Iterator[Outcome]:
        """Each photo's outcome, in order; what goes wrong with one leaves the others alone.

        COLORIZATION_TRACEBACK=1 in the environment stops at the first and shows where it came from.
        """
        waiting, reading, writing = deque(photos), deque[_Step](), deque[_Step]()
        with ThreadPoolExecutor(2) as pool:
            try:
                while waiting or reading or writing:
                    while waiting and len(reading) < AHEAD and _fits(waiting[0], [*reading, *writing]):
                        photo = waiting.popleft()
                        reading.append(_Step(photo, _pixels(photo), pool.submit(_read, photo)))
                    if reading:
                        writing.append(self._coloured(reading.popleft(), pool))
                    while writing and (len(writing) > AHEAD or not reading or writing[0].work.done()):
                        yield _outcome(writing.popleft())
            finally:
                pool.shutdown(cancel_futures=True)

    def _coloured(self, step: "_Step", pool: ThreadPoolExecutor) -> "_Step":
        """A picture that is read, coloured, and on its way to its files."""
        outcome = Outcome(step.photo)
        try:
            originals = step.work.result()
            first = originals[0]
            outcome.said += dict.fromkeys(words for frame in originals for words in frame.said)
            outcome.before, outcome.tone = thumb(first), tone_of(first)
            if outcome.tone != "grey" and self.toned == "skip":
                outcome.skipped = True
                return _Step(step.photo, 0, pool.submit(lambda: outcome))
            kept = outcome.tone != "grey" and self.toned == "keep"
            each = [[in_rgb(frame)] if kept else list(self.painter.colour(frame)) for frame in originals]
            colourings = [list(frames) for frames in zip(*each, strict=True)]
            if not kept:
                colourings = [[marked(frame, self.model) for frame in frames] for frames in colourings]
            outcome.after = thumb(colourings[0][0])
            work = pool.submit(self._write, outcome, _Frames(originals, colourings))
        except Exception as error:
            work = pool.submit(failed, outcome, error)
        return _Step(step.photo, step.pixels, work)

    def _write(self, outcome: Outcome, made: _Frames) -> Outcome:
        photo = outcome.photo
        try:
            for target, coloured in zip(photo.targets, made.colourings, strict=False):
                outcome.said += self.writer.write(target, coloured)
            for target, coloured in zip(photo.layers, made.colourings, strict=False):
                Writer("png").write(target, [_layer(coloured[0])])
            if photo.sheet and len(made.colourings) > 1:
                shown = [made.originals[0].shown(), *(frames[0].shown() for frames in made.colourings)]
                with replaced(photo.sheet) as partial:
                    contact_sheet(shown).save(partial, "JPEG", quality=92)
        except Exception as error:
            return failed(outcome, error)
        outcome.said = list(dict.fromkeys(outcome.said))
        return outcome


class _Step(NamedTuple):
    """A picture under way."""

    photo: Photo
    pixels: int
    work: Future


def marked(coloured: Original, model: str) -> Original:
    """With the mark that its colour is a model's guess."""
    return replace(coloured, metadata=coloured.metadata.marked(model))


def in_rgb(original: Original) -> Original:
    """With three channels."""
    if not original.grey:
        return original
    return replace(original, pixels=np.repeat(original.pixels, 3, axis=-1))


def _layer(coloured: Original) -> Original:
    layer = np.empty(coloured.pixels.shape, np.uint8)
    for rows in coloured.strips():
        layer[rows] = colour_layer(eight_bits(coloured.pixels[rows]))
    alpha = None if coloured.alpha is None else eight_bits(coloured.alpha)
    return replace(coloured, pixels=layer, alpha=alpha)


def thumb(original: Original) -> Image.Image:
    """A small picture of it, for the report."""
    scale = min(1, THUMB / max(original.size))
    width, height = (max(round(side * scale), 1) for side in original.size)
    return original.shown((width, height))


def _read(photo: Photo) -> list[Original]:
    return list(frames(photo.source))


def _pixels(photo: Photo) -> int:
    """How many a picture has, as far as its beginning says."""
    try:
        with Image.open(photo.source) as picture:
            return picture.width * picture.height
    except Exception:  # whatever is wrong with it, reading it says so
        return 0


def _fits(photo: Photo, under_way: Sequence[_Step]) -> bool:
    taken = sum(step.pixels for step in under_way)
    return not taken or taken + _pixels(photo) <= ROOM


def failed(outcome: Outcome, error: Exception) -> Outcome:
    """The outcome of what went wrong, in words."""
    if os.environ.get("COLORIZATION_TRACEBACK"):
        raise error
    text = str(error) if isinstance(error, InputError | OSError) else in_words(error)
    source = str(outcome.photo.source)
    outcome.fault = text if source in text else f"{source}: {text}"
    return outcome


def _outcome(step: _Step) -> Outcome:
    return step.work.result()
