"""Houses outside, a table inside."""

import numpy as np

from colorization.data.scenes.canvas import Canvas
from colorization.data.scenes.noise import fractal
from colorization.data.scenes.palette import (
    BRICK,
    DOOR,
    GLASS,
    LAMP,
    LINEN,
    PAINT,
    PAPER,
    PLASTER,
    ROOF,
    STONE,
    WHITE,
    WOOD,
)
from colorization.data.scenes.shapes import ellipse_distance, ground_shadow, rectangle, rectangle_cover

Rng = np.random.Generator


def house(canvas: Canvas, rng: Rng, x: float, ground: float, size: float, light: int) -> None:
    """A cottage: plaster walls, a tiled or slated roof, a wooden door, windows, a chimney."""
    w, h = 0.5 * size, 0.42 * size
    top, peak = ground - h, ground - h - 0.38 * size
    eaves = 1.15 * w
    roof = canvas.place(ROOF, x - eaves, peak, x + eaves, top + 0.01)
    if roof is None:
        return
    ground_shadow(canvas, x - 0.3 * size * light, ground, 0.75 * size, 0.05 * size)
    rectangle(canvas, x + 0.24 * size, peak - 0.02 * size, x + 0.34 * size, top, 46, BRICK)
    wall = canvas.window(x - w, top, x + w, ground)
    alpha = rectangle_cover(canvas, wall, x - w, top, x + w, ground)
    grit = fractal(rng, wall.x * 40, wall.y * 40, 2)
    eave = 1 - 0.25 * np.clip(1 - (wall.y - top) / (0.1 * size), 0, 1)
    canvas.paint(wall, alpha, (80 + 14 * light * (wall.x - x) / w * 0.5 + 3 * grit) * eave, PLASTER)
    tiles = canvas.window(x - eaves, peak, x + eaves, top)
    down = (tiles.y - peak) / (top - peak)
    half = (0.55 * w) + (eaves - 0.55 * w) * down
    alpha = canvas.cover(np.abs(tiles.x - x) - half) * canvas.cover(tiles.y - top)
    alpha = alpha * canvas.cover(peak - tiles.y)
    rows = np.abs((down * 6) % 1 - 0.5) * 16 - 4
    L = 44 + rows + 7 * fractal(rng, tiles.x * 50, tiles.y * 40, 2) + 8 * light * (tiles.x - x) / w
    canvas.paint(tiles, alpha, np.clip(L, 15, 75), roof)
    rectangle(canvas, x - 0.11 * size, ground - 0.27 * size, x + 0.05 * size, ground, 36, WOOD)
    for cx in (x - 0.33 * size, x + 0.28 * size):
        pane(canvas, cx, ground - 0.25 * size, 0.075 * size, 0.08 * size)


def tower(
    canvas: Canvas, rng: Rng, left: float, right: float, top: float, ground: float, light: int, night: bool
) -> None:
    """A block of flats of brick or stone (bricks show their courses), with rows of windows, lit at night."""
    brick = bool(rng.random() < 0.5)
    window = canvas.window(left, top, right, ground)
    alpha = rectangle_cover(canvas, window, left, top, right, ground)
    grit = fractal(rng, window.x * 30, window.y * 30, 3)
    courses = (np.abs((window.y * 44) % 1 - 0.5) * 14 - 3) if brick else 0 * window.y
    side = 9 * light * (window.x - ((left + right) / 2)) / (right - left)
    wall = BRICK if brick else STONE
    L = (wall.L + side + 4 * grit + courses) * (0.35 if night else 1)
    canvas.paint(window, alpha, L, wall)
    columns = max(2, int((right - left) / 0.075))
    rows = max(2, int((ground - top - 0.12) / 0.095))
    pitch = (right - left) / columns
    shining = rng.random((rows, columns)) < 0.45
    shimmer = rng.random((rows, columns))
    for i in range(rows):
        for j in range(columns):
            x, y = left + (j + 0.5) * pitch, top + 0.055 + i * 0.095
            lit = bool(night and shining[i, j])
            glass = 84.0 if lit else (14.0 if night else 24 + 22 * float(shimmer[i, j]))
            half = 0.26 * pitch
            rectangle(canvas, x - half, y - 0.03, x + half, y + 0.03, glass, LAMP if lit else GLASS)
            if not night:
                rectangle(canvas, x - 0.3 * pitch, y + 0.03, x + 0.3 * pitch, y + 0.038, 84, STONE)
    rectangle(canvas, left - 0.01, top - 0.012, right + 0.01, top + 0.012, 20 if night else 58, STONE)


def shopfront(canvas: Canvas, x: float, ground: float, size: float) -> None:
    """A panelled door in one of two colours, with a stone frame."""
    placed = canvas.place(DOOR, x - 0.5 * size, ground - 1.8 * size, x + 0.5 * size, ground)
    if placed is None:
        return
    rectangle(canvas, x - 0.65 * size, ground - 1.95 * size, x + 0.65 * size, ground, 78, STONE)
    rectangle(canvas, x - 0.5 * size, ground - 1.8 * size, x + 0.5 * size, ground, 38, placed)
    for y in (1.3, 0.5):
        top, bottom = ground - (y + 0.3) * size, ground - (y - 0.25) * size
        rectangle(canvas, x - 0.3 * size, top, x + 0.3 * size, bottom, 30, placed)


def pane(canvas: Canvas, x: float, y: float, rx: float, ry: float) -> None:
    """A window with a white frame and a bar."""
    rectangle(canvas, x - 1.25 * rx, y - 1.2 * ry, x + 1.25 * rx, y + 1.25 * ry, 88, WHITE)
    rectangle(canvas, x - rx, y - ry, x + rx, y + ry, 32, GLASS)
    rectangle(canvas, x - 0.1 * rx, y - ry, x + 0.1 * rx, y + ry, 88, WHITE)


def table(canvas: Canvas, rng: Rng, edge: float, light: int) -> None:
    """A wall in lamplight and a table of wooden planks, or under a linen cloth with folds."""
    wall = canvas.window(bottom=edge + 0.02)
    pale = bool(rng.random() < 0.5)
    spread = ellipse_distance(wall, 0.5 + 0.35 * light, 0.1, 1, 1)
    base = rng.uniform(60, 72) if pale else rng.uniform(34, 46)
    L = base + 22 / (1 + 3 * spread * spread) - 8 + 2.5 * fractal(rng, wall.x * 6, wall.y * 6, 5, 0.7)
    canvas.paint(wall, np.ones_like(L), L, PAPER if pale else PAINT)
    window = canvas.window(top=edge - 0.02)
    alpha = canvas.cover(edge - window.y) * np.ones_like(window.x)
    near = (window.y - edge) / (1 - edge)
    lit = 8 * light * (window.x - 0.5) + 10 * near
    if rng.random() < 0.65:
        grain = fractal(rng, window.x * 3, window.y * 60, 4, 0.7) + fractal(
            rng, window.x * 1.5, window.y * 12, 3
        )
        planks = np.abs(((window.y - edge) * 7) % 1 - 0.5) > 0.47
        canvas.paint(window, alpha, np.clip(44 + lit + 8 * grain - 14 * planks, 8, 85), WOOD)
    else:
        folds = fractal(rng, window.x * 5, window.y * 2, 2)
        canvas.paint(window, alpha, np.clip(80 + lit * 0.6 + 8 * folds, 30, 96), LINEN)
