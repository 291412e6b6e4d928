"""Films made in a moment: a panned photo with a tone as sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import skimage.data

SIZE = (96, 64)  # width and height
TICK = Fraction(1, 600)
HERTZ, SAMPLES = 8000, 1024


def panned(photo: np.ndarray, count: int, step: int = 2) -> list[np.ndarray]:
    """Frames (64, 96, 3) of a photo that moves to the left, `step` pixels a frame."""
    width, height = SIZE
    return [photo[40 : 40 + height, 20 + step * i : 20 + step * i + width] for i in range(count)]


def coffee() -> np.ndarray:
    return skimage.data.coffee()[::3, ::3]


def rocket() -> np.ndarray:
    return skimage.data.rocket()[::3, ::2]


def write(
    path: Path,
    frames: list[np.ndarray],
    pts: list[int] | None = None,
    turn: int = 0,
    grey: bool = True,
    sound: bool = True,
    codec: str = "libx264",
    kind: str = "yuv420p",
    **metadata: str,
) -> Path:
    """A film of these frames, shown at `pts` ticks of 1/600 s; 24 a second without."""
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata)
        stream = container.add_stream(codec, rate=24, options={"crf": "10"} if codec == "libx264" else {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = kind
        stream.codec_context.time_base = TICK
        stream.codec_context.color_range = 1
        if turn:
            stream.set_display_rotation(turn)
        tone = (
            container.add_stream("aac" if path.suffix != ".avi" else "pcm_s16le", rate=HERTZ)
            if sound
            else None
        )
        for i, pixels in enumerate(frames):
            pixels = (
                pixels.mean(axis=-1, keepdims=True).astype(np.uint8).repeat(3, axis=-1) if grey else pixels
            )
            if kind == "gray":
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[..., 0]), format="gray")
            else:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = pts[i] if pts else 25 * i, TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone:
            for start in range(0, HERTZ, SAMPLES):
                wave = np.sin(np.arange(start, start + SAMPLES) * (2 * np.pi * 440 / HERTZ))
                frame = av.AudioFrame.from_ndarray(
                    (wave * 9000).astype(np.int16)[None], format="s16", layout="mono"
                )
                frame.sample_rate, frame.pts = HERTZ, start
                container.mux(tone.encode(frame))
            container.mux(tone.encode(None))
    return path
