"""Several colourings of a picture side by side."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

SIDE = 480  # pixels of the longer side of each
GAP = 8
PAPER = (24, 24, 24)


def contact_sheet(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size in rows, from left to right, as many across as down or more."""
    width, height = (max(round(side * min(1, SIDE / max(pictures[0].size))), 1) for side in pictures[0].size)
    across = int(np.ceil(np.sqrt(len(pictures) * height / width)))
    down = -(-len(pictures) // across)
    size = (across * (width + GAP) + GAP, down * (height + GAP) + GAP)
    sheet = Image.new("RGB", size, PAPER)
    for i, picture in enumerate(pictures):
        place = (GAP + i % across * (width + GAP), GAP + i // across * (height + GAP))
        sheet.paste(picture.resize((width, height), Image.Resampling.BILINEAR).convert("RGB"), place)
    return sheet
