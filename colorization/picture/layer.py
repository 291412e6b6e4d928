"""The chroma of a colouring alone, to lie on the original in an editor, blended as "Color"."""

import numpy as np

LUMA = np.array([0.3, 0.59, 0.11], np.float32)  # of PDF's and every editor's non-separable blend modes
MIDDLE = 0.5


def colour_layer(pixels: np.ndarray) -> np.ndarray:
    """uint8 sRGB (H, W, 3) -> a layer of the same differences of R, G and B, as near as may be to mid-grey.

    "Color" (ISO 32000-1, 11.3.5.3) takes hue and saturation of the layer and the luminosity below it: over
    the colouring's own luminosity the layer gives the colouring back.
    """
    values = pixels.astype(np.float32) / 255
    luma = values @ LUMA
    shift = (MIDDLE - luma).clip(-values.min(axis=-1), 1 - values.max(axis=-1))
    return ((values + shift[..., None]) * 255).round().astype(np.uint8)
