"""A picture of a study: a few rows of grey, each run's colouring, and truth."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from colorization.report.pictures import has_pictures, row
from colorization.report.reading import Scored

PERCENTILES = (10, 30, 50, 70, 90)  # of the first run's PSNR: the rule that picks the rows
SIDE = 160  # pixels of a cell
GAP = 4
HEAD = 16
QUALITY = 85


def samples(runs: Sequence[Scored], path: Path) -> list[str]:
    """Write the picture and return the names of its rows; nothing is written where no picture is kept."""
    rows = picked(runs)
    if not rows:
        return []
    step = SIDE + GAP
    columns = ["grey", *(run.name for run in runs), "truth"]
    sheet = Image.new("RGB", (step * len(columns) - GAP, HEAD + step * len(rows) - GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for x, name in enumerate(columns):
        pen.text((x * step + 2, 2), _fitting(pen, name), fill="black")
    for y, i in enumerate(rows):
        for x, image in enumerate(row(runs, i).values()):
            cell = ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS)
            sheet.paste(cell, (x * step, HEAD + y * step))
    sheet.save(path, quality=QUALITY, optimize=True)
    return [runs[0].names[i] for i in rows]


def picked(runs: Sequence[Scored]) -> list[int]:
    """Positions of the pictures nearest to PERCENTILES of the first run's PSNR, of those kept by all runs."""
    first = runs[0]
    kept = [int(i) for i in np.flatnonzero(first.coloured) if has_pictures(runs, int(i))]
    if not kept:
        return []
    psnr = first.values["psnr"][kept]
    marks = np.percentile(psnr, PERCENTILES)
    return list(dict.fromkeys(kept[int(np.abs(psnr - mark).argmin())] for mark in marks))


def _fitting(pen: ImageDraw.ImageDraw, name: str) -> str:
    while pen.textlength(name) > SIDE - 4:
        name = name.removesuffix("...")[:-1] + "..."
    return name
