"""A film as it comes: its frames one after another, upright, and what else is in its file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from colorization.config import InputError, installation
from colorization.picture.original import Original, without_colour

FILMS = {
    *(".3gp", ".asf", ".avi", ".dv", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
    *(".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
}
HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics of ITU-T H.273
LIMITED = 1  # FFmpeg's color_range: 16 is black, 235 white


class UnreadableFilm(InputError):
    """A film that cannot be decoded, with its name and the reason."""

    def __init__(self, path: Path, reason: object):
        super().__init__(f"{path}: {reason}")


def is_film(path: Path) -> bool:
    """Whether a file's name says that it is a film."""
    return path.suffix.lower() in FILMS


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        picture: its pixels, 8 bits.
        pts: when it is shown, in units of the film's `tick`.
        duration: for how long, in the same; 0: until the next.
    """

    picture: Original
    pts: int
    duration: int


@dataclass
class Film:
    """An open film.

    Attributes:
        path: its file.
        container: PyAV's.
        stream: its pictures.
        lost: packets that could not be decoded.
    """

    path: Path
    container: Any
    stream: Any
    lost: int = 0
    _first: Any = None

    @property
    def tick(self) -> Fraction:
        """Seconds of a unit of time."""
        return self.stream.time_base

    @property
    def rate(self) -> Fraction:
        """Frames per second, on average."""
        return self.stream.average_rate or self.stream.guessed_rate or Fraction(25)

    @property
    def count(self) -> int | None:
        """About how many frames there are; None: the file does not say."""
        if self.stream.frames:
            return self.stream.frames
        if self.stream.duration:
            return round(self.stream.duration * self.tick * self.rate)
        return round(self.container.duration / 1e6 * self.rate) if self.container.duration else None

    @property
    def aspect(self) -> Fraction:
        """Width over height of a pixel, as shown."""
        aspect = self.stream.codec_context.sample_aspect_ratio or Fraction(1)
        return 1 / aspect if self.turn % 180 else aspect

    @property
    def turn(self) -> int:
        """Degrees by which its frames are turned to be upright; known from the first one on."""
        return self._first.rotation if self._first else 0

    @property
    def others(self) -> list[Any]:
        """Streams of sound and subtitles."""
        return [s for s in self.container.streams if s.type in ("audio", "subtitle")]

    def frames(self) -> Iterator[Frame]:
        """Each frame in the order of showing; what is damaged is left out, and counted in `lost`.

        Raises:
            UnreadableFilm: not one can be decoded, or they are HDR.
        """
        last = -1
        for frame in self._decoded():
            pts = frame.pts if frame.pts is not None else last + round(1 / self.rate / self.tick)
            last = max(pts, last + 1) if self._first else pts
            self._first = self._first or frame
            yield Frame(self._picture(frame), last, frame.duration or 0)
        if self._first is None:
            raise UnreadableFilm(self.path, "none of its frames can be decoded; is it damaged?")

    def _decoded(self) -> Iterator[Any]:
        from av.error import InvalidDataError

        for packet in self.container.demux(self.stream):
            try:
                yield from packet.decode()
            except InvalidDataError:
                self.lost += 1

    def _picture(self, frame: Any) -> Original:
        """A frame's pixels, of the first one's size, turned upright."""
        if (kind := HDR.get(int(frame.color_trc or 0))) is not None:
            raise UnreadableFilm(self.path, f"is HDR ({kind}); convert it to SDR first")
        size = {"width": self._first.width, "height": self._first.height}
        if frame.format.name.startswith("gray") and frame.color_range == LIMITED:  # which swscale overlooks
            grey = frame.to_ndarray(format="gray", **size).astype(np.float32)
            pixels = ((grey - 16) * (255 / 219)).round().clip(0, 255).astype(np.uint8)[..., None]
        else:
            pixels = frame.to_ndarray(format="rgb24", **size)
        return Original(without_colour(np.ascontiguousarray(np.rot90(pixels, self.turn // 90))))


@contextmanager
def film(path: Path) -> Iterator[Film]:
    """Open a film.

    Raises:
        UnreadableFilm: PyAV is not installed, the file is no film, damaged, or holds no pictures.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise UnreadableFilm(path, f"films need PyAV ({error}): {installation('video')}") from error
    try:
        container = av.open(str(path), metadata_errors="replace")
    except FFmpegError as error:
        raise UnreadableFilm(path, f"no film that FFmpeg can read ({error.strerror})") from error
    with container:
        stream: Any = container.streams.best("video")
        if stream is None:
            raise UnreadableFilm(path, "has no pictures, only sound or data")
        stream.thread_type = "AUTO"
        yield Film(path, container, stream)


def stills(source: Film, count: int) -> list[Original]:
    """So many frames spread over a film, or fewer: those that can be reached.

    Raises:
        UnreadableFilm: there is none.
    """
    span = source.container.duration or 0
    found = []
    for number in range(count):
        if number:
            source.container.seek(round(span * number / count))
        if frame := next(source.frames(), None):
            found.append(frame.picture)
        if not span:
            break
    return found
