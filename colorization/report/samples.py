"""The sample sheet of a study: a few pictures in grey, as each run coloured them, and the truth."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from colorization.report.pictures import has_pictures, pictures_of
from colorization.report.reading import Scored

PERCENTILES = (10, 30, 50, 70, 90)  # of the first run's PSNR: the rule that picks the rows
SIDE = 160  # pixels of a cell
GAP = 4
HEAD = 16
QUALITY = 85


def samples(runs: Sequence[Scored], path: Path) -> list[str]:
    """Write the sheet and return the names of its rows; no file where the runs have no pictures in common."""
    rows = sample_rows(runs)
    if not rows:
        return []
    step = SIDE + GAP
    columns = ["grey", *(run.name for run in runs), "truth"]
    sheet = Image.new("RGB", (step * len(columns) - GAP, HEAD + step * len(rows) - GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for x, name in enumerate(columns):
        pen.text((x * step + 2, 2), _shorten(pen, name), fill="black")
    for y, i in enumerate(rows):
        for x, image in enumerate(pictures_of(runs, i).values()):
            cell = ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS)
            sheet.paste(cell, (x * step, HEAD + y * step))
    sheet.save(path, quality=QUALITY, optimize=True)
    return [runs[0].names[i] for i in rows]


def sample_rows(runs: Sequence[Scored]) -> list[int]:
    """Positions of the pictures nearest to PERCENTILES of the first run's PSNR, of those that all have."""
    first = runs[0]
    common = [int(i) for i in np.flatnonzero(first.coloured) if has_pictures(runs, int(i))]
    if not common:
        return []
    psnr = first.values["psnr"][common]
    marks = np.percentile(psnr, PERCENTILES)
    return list(dict.fromkeys(common[int(np.abs(psnr - mark).argmin())] for mark in marks))


def _shorten(pen: ImageDraw.ImageDraw, name: str) -> str:
    while pen.textlength(name) > SIDE - 4:
        name = name.removesuffix("...")[:-1] + "..."
    return name
