"""Fractal noise for textures and skylines: value noise over one fixed random tile.

Only sums, products and comparisons are used here and wherever pixels are drawn. IEEE 754 rounds those the
same everywhere, while `sin`, `exp` and matrix products differ between processors in the last bit: it is
what makes a scene the same picture on every machine.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]  # float32 wherever there are pixels

SIDE = 256
TILE: Array = np.random.default_rng(20170101).random((SIDE, SIDE), dtype=np.float32) * 2 - 1
LINE: Array = TILE[7].copy()


def fractal(rng: np.random.Generator, x: Array, y: Array, octaves: int = 5, gain: float = 0.5) -> Array:
    """Fractal noise on the grid of x and y: `octaves` octaves, each `gain` times as strong as the one before.

    The first octave has one random value per unit of x and of y. An octave too fine for the grid fades
    out, so a scene has the same layout and the same soft textures at every size, and no aliasing.

    Shape: x (1, w) and y (h, 1), both increasing or decreasing -> (h, w), about -1..1 with mean 0.
    """
    total = np.zeros((y.shape[0], x.shape[1]), np.float32)
    offsets = rng.random((octaves, 2)) * SIDE
    if total.size == 0:
        return total
    step_x, step_y = _step(x[0])[None, :], _step(y[:, 0])[:, None]
    strength = np.float32(1)
    for octave, (dx, dy) in enumerate(offsets):
        frequency = np.float32(2**octave)
        fade_x, fade_y = _fade(step_x * frequency), _fade(step_y * frequency)
        if fade_x.any() and fade_y.any():
            value = _value(x[0] * frequency + np.float32(dx), y[:, 0] * frequency + np.float32(dy))
            total += value * (fade_y * strength) * fade_x
        strength *= np.float32(gain)
    return total


def line(rng: np.random.Generator, x: Array, octaves: int = 4, gain: float = 0.5) -> Array:
    """Fractal noise along a line, for skylines: (1, w) -> (1, w), about -1..1."""
    total = np.zeros_like(x)
    strength = np.float32(1)
    for octave, dx in enumerate(rng.random(octaves) * SIDE):
        u = x * np.float32(2**octave) + np.float32(dx)
        cell = np.floor(u)
        index = cell.astype(np.int64) % SIDE
        left, right = LINE[index], LINE[(index + 1) % SIDE]
        total += strength * (left + _ease(u - cell) * (right - left))
        strength *= np.float32(gain)
    return total


def smoothstep(low: float, high: float, value: Array) -> Array:
    """0 below `low`, 1 above `high`, with a smooth cubic between."""
    return _ease(np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1))


def _value(u: Array, v: Array) -> Array:
    """Value noise at every crossing of u (w,) and v (h,): the tile, interpolated smoothly."""
    i, j = np.floor(v), np.floor(u)
    row, column = i.astype(np.int64), j.astype(np.int64)
    first = int(column.min())
    band = TILE[:, np.arange(first, int(column.max()) + 2) % SIDE]  # only the columns that are met
    top = band[row % SIDE]
    rows = top + _ease(v - i)[:, None] * (band[(row + 1) % SIDE] - top)
    left = rows[:, column - first]
    return left + _ease(u - j) * (rows[:, column - first + 1] - left)


def _ease(t: Array) -> Array:
    return t * t * (3 - 2 * t)


def _step(values: Array) -> Array:
    """How far neighbouring samples are apart, at each sample."""
    if values.size == 1:
        return np.zeros(1, np.float32)
    between = np.abs(np.diff(values))
    return np.append(between, between[-1])


def _fade(step: Array) -> Array:
    """1 while a period has four samples or more, 0 from two on (Nyquist)."""
    return np.clip(2 - 4 * step, 0, 1)
