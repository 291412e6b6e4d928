"""Whether a picture has colour of its own: none, one tone over all of it, or colours."""

from typing import Literal

import torch

from colorization.color import lab
from colorization.data.decode import to_tensor
from colorization.picture.original import Original

Tone = Literal["grey", "toned", "colour"]

SIDE = 256  # pixels of the longer side that are looked at
DEGREE = 3  # a tone's a and b are this polynomial of lightness
LEFT, SHARE = 4.0, 0.35  # units, and of the colour: what a tone's grain and JPEG leave over at most


def tone_of(original: Original) -> Tone:
    """By a picture's chroma: "toned" where lightness tells its a and b, as in sepia or a cyanotype."""
    if original.grey:
        return "grey"
    scale = min(1, SIDE / max(original.size))
    width, height = (max(round(side * scale), 1) for side in original.size)
    L, ab = lab.split(to_tensor(original.shown((width, height))))
    strength = float(ab.square().sum(dim=1).mean().sqrt())
    if strength < lab.GREY:
        return "grey"
    x = L.flatten().double() / 100
    powers = torch.stack([x**k for k in range(DEGREE + 1)], dim=1)
    values = ab[0].flatten(1).T.double()
    fitted = powers @ torch.linalg.lstsq(powers, values, driver="gelsd").solution
    rest = float((values - fitted).square().sum(dim=1).mean().sqrt())
    return "toned" if rest < min(LEFT, SHARE * strength) and _even(ab) else "colour"


def _even(ab: torch.Tensor) -> bool:
    """Whether colour is all over the picture, and not of a few things on grey."""
    chroma = ab.norm(dim=1)
    return bool((chroma > lab.GREY).float().mean() > 0.5)
