"""The saved pictures of scored runs."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from colorization.color import lab
from colorization.report.reading import Scored


def has_pictures(runs: Sequence[Scored], i: int) -> bool:
    """Whether the truth of picture `i` is in the first run's folder, and its colouring in every run's."""
    file = runs[0].files[runs[0].names[i]]
    paths = [runs[0].folder / "truth" / file, *(run.folder / "predictions" / file for run in runs)]
    return all(path.exists() for path in paths)


def pictures_of(runs: Sequence[Scored], i: int) -> dict[str, Image.Image]:
    """Picture `i` in "grey", as each run coloured it, and "truth"."""
    file = runs[0].files[runs[0].names[i]]
    truth = Image.open(runs[0].folder / "truth" / file).convert("RGB")
    colourings = {run.name: Image.open(run.folder / "predictions" / file).convert("RGB") for run in runs}
    return {"grey": grey_picture(truth), **colourings, "truth": truth}


def grey_picture(truth: Image.Image) -> Image.Image:
    """A network's input as a picture: the truth's CIE lightness with ab = 0."""
    L, ab = lab.split(torch.from_numpy(np.array(truth)).movedim(-1, 0)[None])
    return Image.fromarray(lab.to_uint8(lab.merge(L, torch.zeros_like(ab)))[0].movedim(0, -1).numpy())
