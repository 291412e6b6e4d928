"""What steadying a film is worth, and what a frame costs: python -m benchmarks.video [RUN] [FILM ...]

A photo that is panned, whose motion is known, and the first frames of each FILM, which has colours: those are
its truth, and its grey is coloured, frame by frame and steadied. Flicker is the mean CIEDE2000 along motion
of what was written, motion being known, or found by another method (Farnebäck 2003) than the one that
steadies; lightness is left alone. Frames per second are of CPU time, one thread.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
import torch
from torch import Tensor

from benchmarks.step import cpu_seconds
from colorization.album import photos
from colorization.color import lab
from colorization.config import InputError
from colorization.metric.ciede2000 import delta_e
from colorization.painter import Painter
from colorization.projector import Projector
from colorization.reopen import open_run
from colorization.video.film import film
from colorization.video.motion import warped
from colorization.video.steady import CUT

SHARES = (0.0, 0.5, 0.8, 0.9, 0.95)
COUNT, STEP = 100, 2  # frames of a film, and pixels by which the photo moves between two
WIDTH, HEIGHT = 320, 180
FADED = 6.0  # units of lightness by which a thing may change

Way = Callable[[Tensor, Tensor], Tensor]  # lightness of a frame and the one before -> (1, 2, h, w)


def main(*arguments: str) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    films = [Path(word) for word in arguments if Path(word).is_file()]
    run = open_run(next((word for word in arguments if Path(word) not in films), "box"))
    painter = Painter(run.colorizer().eval(), run.config.data.image_size)
    print("| | steady | flicker | CIEDE2000 to the truth | frames/s |\n|---|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        table("panned photo", pan(), known, painter, Path(folder))
        for path in films:
            table(path.name, beginning(path), farneback, painter, Path(folder))


def table(name: str, frames: list[np.ndarray], way: Way, painter: Painter, folder: Path) -> None:
    """A row of a film as it is, and one for each share."""
    truth = [planes(frame) for frame in frames]
    print(f"| {name}, {len(frames)} frames | truth | {flicker(truth, truth, way):.3f} | | |", flush=True)
    source = write(folder / "grey.mkv", frames)
    for share in SHARES:
        (photo,) = photos([source], folder / f"{share}")
        outcomes = []
        projector = Projector(painter, "box", share)
        seconds = cpu_seconds(lambda: outcomes.extend(projector.develop({photo: "key"})))  # noqa: B023
        if outcomes[0].fault:
            raise InputError(outcomes[0].fault)
        made = [planes(frame) for frame in read(photo.targets[0])]
        error = np.mean(
            [
                float(delta_e(torch.cat(a, 1), torch.cat(b, 1)).mean())
                for a, b in zip(made, truth, strict=True)
            ]
        )
        row = f"{flicker(made, truth, way):.3f} | {error:.3f} | {len(frames) / seconds:.2f}"
        print(f"| {name} | {share:g} | {row} |", flush=True)
        photo.targets[0].unlink()


def flicker(made: list[tuple[Tensor, Tensor]], truth: list[tuple[Tensor, Tensor]], way: Way) -> float:
    """Mean over frames that follow another, of what is seen in both."""
    found = []
    for (_, now), (_, was), (L, _), (before, _) in zip(made[1:], made, truth[1:], truth, strict=False):
        moved = way(L, before)
        seen = torch.exp(-(((L - warped(before, moved)) / FADED) ** 2))
        if seen.mean() > CUT:
            apart = delta_e(torch.cat([L, now], 1), torch.cat([L, warped(was, moved)], 1))
            found.append(float((apart * seen[0]).sum() / seen.sum()))
    return float(np.mean(found))


def known(L: Tensor, before: Tensor) -> Tensor:
    """Of the panned photo."""
    way = torch.zeros(1, 2, *L.shape[-2:])
    way[:, 0] = STEP
    return way


def farneback(L: Tensor, before: Tensor) -> Tensor:
    one, other = (x[0, 0].mul(2.55).byte().numpy() for x in (L, before))
    way = cv2.calcOpticalFlowFarneback(one, other, None, 0.5, 5, 15, 5, 7, 1.5, 0)
    return torch.from_numpy(np.moveaxis(way, -1, 0)[None].copy())


def pan() -> list[np.ndarray]:
    photo = skimage.data.coffee()
    return [photo[100 : 100 + HEIGHT, STEP * i : STEP * i + WIDTH] for i in range(COUNT)]


def beginning(path: Path) -> list[np.ndarray]:
    with film(path) as source:
        return [frame.picture.pixels for frame, _ in zip(source.frames(), range(COUNT), strict=False)]


def planes(frame: np.ndarray) -> tuple[Tensor, Tensor]:
    return lab.split(torch.from_numpy(np.ascontiguousarray(frame)).movedim(-1, 0)[None])


def read(path: Path) -> list[np.ndarray]:
    with film(path) as source:
        return [frame.picture.pixels for frame in source.frames()]


def write(path: Path, frames: list[np.ndarray]) -> Path:
    """The lightness of these frames, without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "gray"
        for frame in frames:
            grey = (lab.grey(planes(frame)[0])[0, 0] * 255).round().byte().numpy()
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="gray")))
        container.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    main(*sys.argv[1:])
