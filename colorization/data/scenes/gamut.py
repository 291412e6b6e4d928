"""Lab to 8-bit sRGB in numpy, and how much chroma sRGB allows: what drawing needs thousands of times.

D65 white, 2 degree observer, as in `colorization.color.lab` and scikit-image.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from colorization.data.scenes.noise import Array

WHITE = (0.95047, 1.0, 1.08883)
# CIE XYZ to linear sRGB (IEC 61966-2-1), the exact inverse of the four-digit matrix that scikit-image uses.
XYZ_TO_RGB = np.linalg.inv(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
HUES = 512  # cells of the table around the hue circle
LEVELS = 200  # cells of the table along L
CODES = 2**16  # entries of the table of the sRGB curve


def lab_to_uint8(L: Array, ab: Array) -> NDArray[np.uint8]:
    """Lab to sRGB, rounded to 8 bits; what is outside sRGB is clipped.

    Shape: L (...) 0..100 and ab (2, ...) -> uint8 (..., 3).
    """
    linear = _linear_rgb(L, ab[0], ab[1])
    code = np.clip(linear * np.float32(CODES) + np.float32(0.5), 0, CODES).astype(np.int32)
    return np.stack(_curve()[code], axis=-1)


def chroma_factor(L: Array, ab: Array) -> Array:
    """What to multiply ab by (at most 1) so that the colour lies inside sRGB; L and hue stay.

    Shape: L (n,) 0..100 and ab (..., 2, n) -> (..., n).
    """
    a, b = ab[..., 0, :], ab[..., 1, :]
    turn = b / np.maximum(np.abs(a) + np.abs(b), np.float32(1e-6))
    turn = np.where(a < 0, 2 - turn, np.where(b < 0, 4 + turn, turn))  # 0..4 around the circle, as an angle
    hue = (turn * np.float32(HUES / 4)).astype(np.int32) % HUES
    level = np.clip(L * np.float32(LEVELS / 100), 0, LEVELS - 1).astype(np.int32)
    allowed = _allowed_chroma()[np.broadcast_to(level, hue.shape), hue]
    return allowed / np.maximum(np.sqrt(a * a + b * b), np.maximum(allowed, np.float32(1e-6)))


def _linear_rgb(L: Array, a: Array, b: Array) -> Array:
    """(...) three times -> linear sRGB (3, ...), not clipped."""
    fy = (L + 16) / np.float32(116)
    x, y, z = (
        np.float32(white)
        * np.where(f > np.float32(6 / 29), f * f * f, (f - np.float32(4 / 29)) * np.float32(108 / 841))
        for white, f in zip(WHITE, (fy + a / np.float32(500), fy, fy - b / np.float32(200)), strict=True)
    )
    m = XYZ_TO_RGB.astype(np.float32)
    return np.stack([m[i, 0] * x + m[i, 1] * y + m[i, 2] * z for i in range(3)])


@cache
def _curve() -> NDArray[np.uint8]:
    """Linear light 0..1 in steps of 1/CODES -> the sRGB code."""
    linear = np.arange(CODES + 1) / CODES
    encoded = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return np.round(encoded * 255).astype(np.uint8)


@cache
def _allowed_chroma() -> Array:
    """(LEVELS, HUES): the largest chroma inside sRGB anywhere in each cell of L and hue, found by halving."""
    turn = np.linspace(0, 4, HUES + 1)
    a = np.where(turn <= 2, 1 - turn, turn - 3)
    b = np.where(turn <= 1, turn, np.where(turn <= 3, 2 - turn, turn - 4))
    length = np.sqrt(a * a + b * b)
    a, b = (a / length).astype(np.float32)[None], (b / length).astype(np.float32)[None]
    L = np.linspace(0, 100, LEVELS + 1, dtype=np.float32)[:, None]
    low, high = np.zeros((LEVELS + 1, HUES + 1), np.float32), np.full((LEVELS + 1, HUES + 1), 160, np.float32)
    for _ in range(14):
        middle = (low + high) / 2
        rgb = _linear_rgb(L, middle * a, middle * b)
        inside = ((rgb >= 0) & (rgb <= 1)).all(axis=0)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    low = np.minimum(low[:-1], low[1:])
    return np.minimum(low[:, :-1], low[:, 1:])
