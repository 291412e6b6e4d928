"""The saved pictures of scored runs."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from colorization.color import lab
from colorization.report.reading import Scored


def has_pictures(runs: Sequence[Scored], i: int) -> bool:
    """Whether the first run has kept the truth and all runs their colouring of picture `i`."""
    file = runs[0].files[runs[0].names[i]]
    paths = [runs[0].folder / "truth" / file, *(run.folder / "predictions" / file for run in runs)]
    return all(path.exists() for path in paths)


def row(runs: Sequence[Scored], i: int) -> dict[str, Image.Image]:
    """Picture `i` as "grey", as each run coloured it, and as "truth"."""
    file = runs[0].files[runs[0].names[i]]
    truth = Image.open(runs[0].folder / "truth" / file).convert("RGB")
    coloured = {run.name: Image.open(run.folder / "predictions" / file).convert("RGB") for run in runs}
    return {"grey": grey(truth), **coloured, "truth": truth}


def grey(truth: Image.Image) -> Image.Image:
    """What a network is given, as a picture: the truth's CIE lightness with ab = 0."""
    L, ab = lab.split(torch.from_numpy(np.array(truth)).movedim(-1, 0)[None])
    return Image.fromarray(lab.to_uint8(lab.merge(L, torch.zeros_like(ab)))[0].movedim(0, -1).numpy())
