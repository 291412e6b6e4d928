"""Plain shapes, and the distances that they are cut out by."""

import numpy as np

from colorization.data.scenes.canvas import Canvas, Material, Placed, Window
from colorization.data.scenes.noise import Array, smoothstep


def ellipse_distance(window: Window, x: float, y: float, rx: float, ry: float) -> Array:
    """Distance from (x, y) in units of the radii: (h, w)."""
    u, v = (window.x - x) / rx, (window.y - y) / ry
    return np.sqrt(u * u + v * v)


def rectangle_cover(
    canvas: Canvas, window: Window, left: float, top: float, right: float, bottom: float
) -> Array:
    """Coverage of an upright rectangle: (h, w)."""
    across = canvas.cover(left - window.x) * canvas.cover(window.x - right)
    return across * (canvas.cover(top - window.y) * canvas.cover(window.y - bottom))


def rectangle(
    canvas: Canvas, left: float, top: float, right: float, bottom: float, L: float, colour: Material | Placed
) -> None:
    """An upright rectangle of one lightness."""
    window = canvas.window(left, top, right, bottom)
    canvas.paint(window, rectangle_cover(canvas, window, left, top, right, bottom), L, colour)


def disc(canvas: Canvas, x: float, y: float, r: float, L: float, colour: Material | Placed) -> None:
    """A disc of one lightness."""
    window = canvas.window(x - r, y - r, x + r, y + r)
    canvas.paint(window, canvas.cover(ellipse_distance(window, x, y, 1, 1) - r), L, colour)


def ground_shadow(canvas: Canvas, x: float, y: float, rx: float, ry: float) -> None:
    """A soft cast shadow on whatever lies there."""
    window = canvas.window(x - rx, y - ry, x + rx, y + ry)
    distance = ellipse_distance(window, x, y, rx, ry)
    canvas.shade(window, 1 - 0.45 * smoothstep(0, 0.7, 1 - distance))
