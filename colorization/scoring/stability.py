"""How much a network's colours change with the size at which it sees a picture."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from colorization.chance import Chance
from colorization.color import lab
from colorization.color.upsampling import guided
from colorization.data.batch import NONE, Given
from colorization.metric.ciede2000 import delta_e
from colorization.module import Colorizer
from colorization.objective.base import Column
from colorization.protocol import Protocol
from colorization.scoring.predictions import Colour, Coloured, tensor

SIZES = (96, 128, 160, 224, 320)  # pixels per side that the network sees
LARGEST = max(SIZES)  # at which the colourings are compared
NAME = "size_difference"
COLUMN = Column("dE00", "lower")


def with_size_difference(
    colour: Colour,
    colorizer: Colorizer,
    protocol: Protocol,
    large: np.ndarray,
    places: Mapping[int, int],
    extra: Mapping[str, np.ndarray] = NONE,
) -> Colour:
    """What `colour` gives, and the size difference of each picture beside it.

    Args:
        colour: how pictures are coloured at the size that they are scored at.
        colorizer: the network.
        protocol: how colourings become 8-bit sRGB.
        large: (N, 320, 320, 3) uint8, the pictures read at the largest size.
        places: where each stands in `large`, by its position in the split.
        extra: what the data set has beside them, a row for each of `large`.
    """

    def both(index: Tensor, truth: Tensor) -> Coloured:
        coloured = colour(index, truth)
        rows = [places[i] for i in index.tolist()]
        pictures = torch.stack([tensor(large[row]) for row in rows])
        beside = {name: torch.from_numpy(of[rows]).to(colorizer.device) for name, of in extra.items()}
        found = size_difference(colorizer, protocol, index, pictures, beside)
        return coloured._replace(columns={**coloured.columns, NAME: found})

    return both


@torch.no_grad()
def size_difference(
    colorizer: Colorizer,
    protocol: Protocol,
    index: Tensor,
    truth: Tensor,
    extra: Mapping[str, Tensor] = NONE,
    sizes: Sequence[int] = SIZES,
) -> Tensor:
    """Mean CIEDE2000 between the colourings of a picture at each two sizes, over pixels and pairs.

    The network sees the picture reduced by an antialiased triangle filter to 8 bits; its colouring, at the
    decoding that is set, is enlarged along the edges of the picture's own L and joined to it, as predict
    does, under the protocol. Nothing is revealed. No size is the right one: every two count alike.

    Args:
        colorizer: the network.
        protocol: how colourings become 8-bit sRGB.
        index: (B,) positions of the pictures in their split, for what is random.
        truth: (B, 3, H, W) uint8 sRGB of the largest size.
        extra: what the data set has beside these pictures.
        sizes: pixels per side, two or more.

    Returns: (B,) in dE00; 0 for colours that size does not change.
    """
    truth = truth.to(colorizer.device)
    L, _ = lab.split(truth)
    colourings = (_colouring(colorizer, reduced(truth, size), L, index, extra) for size in sizes)
    shown = [lab.rgb_to_lab(protocol.rgb(L, ab)) for ab in colourings]
    pairs = [delta_e(one, other).mean(dim=(1, 2)) for one, other in combinations(shown, 2)]
    return torch.stack(pairs).mean(dim=0)


def reduced(picture: Tensor, size: int) -> Tensor:
    """(B, 3, H, W) uint8 -> (B, 3, size, size) uint8, as protocol v1's filter."""
    small = interpolate(picture.float(), size=(size, size), mode="bilinear", antialias=True)
    return small.round().clamp(0, 255).byte()


def _colouring(
    colorizer: Colorizer, seen: Tensor, L: Tensor, index: Tensor, extra: Mapping[str, Tensor]
) -> Tensor:
    """The colours that the network finds in what it sees, at the size of L (B, 1, H, W)."""
    small, _ = lab.split(seen)
    given = Given(small, colorizer.hints.blank(small), extra, Chance(index.to(L.device)))
    return guided(colorizer.objective.colouring(colorizer.network, given), small, L)
