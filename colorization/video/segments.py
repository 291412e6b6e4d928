"""Frames on their way to a film, encoded in segments that are kept: what is killed goes on after the last."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from colorization.files import replaced, write_text
from colorization.video.film import Frame

FRAMES = 120  # of a segment
BT709, LIMITED = 1, 1  # of ITU-T H.273, and FFmpeg's name for 16..235
CODECS: dict[str, tuple[str, dict[str, str]]] = {
    ".webm": ("libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "4", "row-mt": "1"}),
}
ANY = ("libx264", {"crf": "17", "preset": "medium"})


@dataclass(frozen=True)
class Encoding:
    """How a film's frames are encoded.

    Attributes:
        suffix: of the film, which decides the codec.
        size: width and height.
        tick: seconds of a unit of time.
        rate: frames per second, on average.
        aspect: of a pixel.
    """

    suffix: str
    size: tuple[int, int]
    tick: Fraction
    rate: Fraction
    aspect: Fraction

    def stream(self, container: Any) -> Any:
        """A new stream of a container.

        No frame waits for a later one, so that segments can be joined at any frame; odd sides keep the
        colour of every pixel, for only even ones can share it.
        """
        codec, options = CODECS.get(self.suffix, ANY)
        stream = container.add_stream(codec, rate=self.rate, options=options)
        stream.width, stream.height = self.size
        stream.pix_fmt = "yuv444p" if any(side % 2 for side in self.size) else "yuv420p"
        context = stream.codec_context
        context.time_base, context.max_b_frames = self.tick, 0
        context.sample_aspect_ratio = self.aspect
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        return stream


class Segments:
    """A folder of encoded segments, each with the state in which the next begins.

    Args:
        folder: theirs; it is there until `remove`.
        key: what the film is made of and how; segments of another key are not taken.
    """

    def __init__(self, folder: Path, key: str):
        self.folder = folder
        note = folder / "key"
        if not note.is_file() or note.read_text(encoding="utf-8") != key:
            self.remove()
            write_text(note, key)
        self.done = 0
        while self._state(self.done).is_file():
            self.done += 1

    def last(self) -> Mapping[str, np.ndarray] | None:
        """The state after the last whole segment; None: there is none yet."""
        if not self.done:
            return None
        with np.load(self._state(self.done - 1)) as held:
            return dict(held)

    def write(self, frames: Iterable[Frame], encoding: Encoding) -> int:
        """Encode the next segment, of so many frames; `close` makes it whole."""
        import av

        with (
            replaced(self._film(self.done)) as partial,
            av.open(str(partial), "w", format="nut") as container,
        ):
            stream, count = encoding.stream(container), 0
            for frame in frames:
                container.mux(stream.encode(_encodable(frame, stream.pix_fmt, encoding.tick)))
                count += 1
            container.mux(stream.encode(None))
        return count

    def close(self, state: dict[str, Any]) -> None:
        """Note the state after the segment just written."""
        with replaced(self._state(self.done)) as partial, partial.open("wb") as file:
            np.savez(file, **state)
        self.done += 1

    def films(self) -> list[Path]:
        """The segments in order."""
        return [self._film(number) for number in range(self.done)]

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _film(self, number: int) -> Path:
        return self.folder / f"{number:06}.nut"

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:06}.npz"


def _encodable(frame: Frame, kind: str, tick: Fraction) -> Any:
    import av

    made = av.VideoFrame.from_ndarray(frame.picture.pixels, format="rgb24")
    made = made.reformat(format=kind, dst_colorspace="ITU709", dst_color_range="MPEG")
    made.pts, made.time_base, made.duration = frame.pts, tick, frame.duration
    return made
