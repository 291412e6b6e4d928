"""How vivid a colouring is: its chroma stretched, from the accurate end to as colourful as the truth.

A mean over what is plausible is greyer than any of it. Stretching its chroma gives the colour back at a price
in accuracy; L and hue stay, and the gamut mapping keeps what comes out inside sRGB.
"""

from typing import NamedTuple

from torch import Tensor

POWER = 0.5  # of a pixel's chroma over its picture's mean; chosen on validation photos (experiments/vivid)


class Vividness(NamedTuple):
    """What brings a network's accurate colours to the truth's mean colorfulness, fitted on validation photos.

    Attributes:
        gain: the factor of all chroma that does: the floor that a vivid method has to beat.
        strength: the same of `stretched` at vivid = 1.
    """

    gain: float
    strength: float


def stretched(ab: Tensor, strength: float, vivid: float = 1.0) -> Tensor:
    """From ab itself (vivid = 0), linearly, to ab * strength * (chroma / mean chroma) ** POWER (vivid = 1).

    The mean is the picture's. What is colourful in a picture gains more than what is pale; pictures gain
    alike. Shape: (B, 2, H, W).
    """
    if vivid == 0:
        return ab
    chroma = ab.norm(dim=1, keepdim=True)
    mean = chroma.mean(dim=(2, 3), keepdim=True).clamp(min=1e-6)
    return ab * (1 + vivid * (strength * (chroma / mean) ** POWER - 1))
