"""Lightness of a picture and colour of a network, joined a strip at a time."""

from dataclasses import replace

import numpy as np

from colorization.color import lab
from colorization.color.lightness import exact, lightness
from colorization.color.upsampling import Guided
from colorization.picture.original import Original


def joined(original: Original, colour: Guided, gamut: lab.GamutMapping = "chroma") -> Original:
    """The picture with this colour, and its own lightness: to the last bit of 8, and of 16 where it has them.

    Raises:
        NotFinite: the colour holds NaN.
    """
    pixels = np.empty((*original.pixels.shape[:2], 3), original.pixels.dtype)
    for rows in original.strips():
        L = lightness(original.pixels[rows]).to(colour.slope.device)
        rgb = lab.merge(L, colour.rows(L, rows.start), gamut)
        eight = lab.to_uint8(rgb)[0].movedim(0, -1).cpu().numpy()
        values = rgb[0].movedim(0, -1).cpu().numpy()
        if pixels.dtype == np.uint8:
            pixels[rows] = eight
        elif gamut == "clip":
            pixels[rows] = (values * 65535).round()
        else:
            pixels[rows] = exact(values, L[0, 0].cpu().numpy())
    return replace(original, pixels=pixels)
