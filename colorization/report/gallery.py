"""Pictures of runs that no number belongs to: what was drawn of several, and a person's own photos."""

import base64
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from colorization.data.decode import EXTENSIONS, UnreadablePicture, open_picture
from colorization.report.pictures import grey_picture
from colorization.report.reading import Scored

COLOURED = "coloured"  # a run's folder that `predict ... out=RUN/coloured` fills
ROWS = 12  # of a gallery
SIDE = 420  # pixels of the longer side of a photo
QUALITY = 88  # of the JPEGs inside the page

Row = tuple[str, list[tuple[str, Image.Image]]]  # a name, and captions with pictures


def gallery(rows: Iterator[Row]) -> list[dict[str, Any]]:
    """The first rows, as the page holds them."""
    return [
        {"name": name, "images": [(text, jpeg(picture)) for text, picture in pictures]}
        for name, pictures in islice(rows, ROWS)
    ]


def samples_of(runs: Sequence[Scored]) -> Iterator[Row]:
    """Of each picture that a run has drawn samples of: grey, the truth, and those of each run."""
    drawn = {run.name: run.folder / "samples" for run in runs}
    for name in runs[0].names:
        file = Path(runs[0].files[name])
        found = [
            (f"{run} {number}", Image.open(path).convert("RGB"))
            for run, folder in drawn.items()
            for number, path in enumerate(sorted(folder.glob(f"{_escaped(file.stem)}_*.png")), 1)
        ]
        if found:
            truth = Image.open(runs[0].folder / "truth" / file).convert("RGB")
            yield name, [("grey", grey_picture(truth)), ("truth", truth), *found]


def photos_of(runs: Sequence[Scored]) -> Iterator[Row]:
    """Each photo that `predict` has written into a run's folder, as each run has coloured it."""
    folders = {run.name: run.home / COLOURED for run in runs}
    there = {
        p.relative_to(f) for f in folders.values() for p in f.rglob("*") if p.suffix.lower() in EXTENSIONS
    }
    for name in sorted(there):
        pictures = []
        for run, folder in folders.items():
            try:
                pictures.append((run, _small(open_picture(folder / name))))
            except UnreadablePicture:  # another run's alone
                continue
        if pictures:
            yield name.as_posix(), [("grey", grey_picture(pictures[0][1])), *pictures]


def jpeg(picture: Image.Image) -> str:
    """A picture as a data URL."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _small(picture: Image.Image) -> Image.Image:
    return ImageOps.contain(picture, (SIDE, SIDE)) if max(picture.size) > SIDE else picture


def _escaped(stem: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in stem)
