"""Things that drive, fly, sail and stand on the beach."""

import numpy as np

from colorization.data.scenes.canvas import Canvas
from colorization.data.scenes.palette import BALLOON, CAR, DARK, GLASS, LINEN, PARASOL, SAIL, WHITE, WOOD
from colorization.data.scenes.shapes import disc, ground_shadow, rectangle

Rng = np.random.Generator


def car(canvas: Canvas, x: float, ground: float, size: float, light: int) -> None:
    """A car from the side, red or blue."""
    placed = canvas.place(CAR, x - size, ground - 0.75 * size, x + size, ground)
    if placed is None:
        return
    ground_shadow(canvas, x, ground - 0.02 * size, 1.1 * size, 0.12 * size)
    window = canvas.window(x - size, ground - 0.8 * size, x + size, ground)
    u, v = (window.x - x) / size, (ground - window.y) / size
    body = np.maximum(np.abs(u) - (0.98 - 0.12 * np.abs(v - 0.3) * 3), np.abs(v - 0.28) - 0.15)
    cabin = np.maximum(np.abs(u + 0.08) - (0.95 - 0.62 * v * 1.35), np.abs(v - 0.52) - 0.20)
    alpha = canvas.cover(np.minimum(body, cabin) * size)
    gloss = 16 * np.clip(1 - np.abs(v - 0.38) * 14, 0, 1) + 10 * np.clip(1 - np.abs(v - 0.70) * 20, 0, 1)
    canvas.paint(window, alpha, np.clip(32 + 30 * v + gloss + 5 * light * u, 8, 88), placed)
    glass = np.maximum(np.abs(u + 0.08) - (0.84 - 0.6 * v * 1.35), np.abs(v - 0.53) - 0.11)
    canvas.paint(
        window,
        canvas.cover(np.maximum(glass, 0.03 - np.abs(u + 0.05)) * size),
        26 + 26 * (v - 0.4) * 4,
        GLASS,
    )
    for wheel in (-0.56, 0.56):
        disc(canvas, x + wheel * size, ground - 0.14 * size, 0.19 * size, 12, DARK)
        disc(canvas, x + wheel * size, ground - 0.14 * size, 0.09 * size, 70, WHITE)


def balloon(canvas: Canvas, rng: Rng, x: float, y: float, size: float, light: int) -> None:
    """A hot-air balloon: red, green or blue, whatever its grey looks like."""
    r = 0.5 * size
    placed = canvas.place(BALLOON, x - r, y - r, x + r, y + 1.25 * r)
    if placed is None:
        return
    bright = rng.uniform(-10, 12)
    for side in (-0.3, 0.3):  # ropes
        ropes = canvas.window(x - 0.4 * r, y + 0.9 * r, x + 0.4 * r, y + 1.65 * r)
        at = x + (side * r) * (1 - (ropes.y - (y + 0.9 * r)) / (1.6 * r))
        alpha = canvas.cover(np.abs(ropes.x - at) - (0.012 * r)) * (ropes.y < y + 1.6 * r)
        canvas.paint(ropes, alpha, 25, DARK)
    rectangle(canvas, x - 0.15 * r, y + 1.5 * r, x + 0.15 * r, y + 1.75 * r, 40, WOOD)
    window = canvas.window(x - r, y - r, x + r, y + 1.25 * r)
    u, v = (window.x - x) / r, (window.y - y) / r
    below = np.clip(v, 0, 2)
    half = np.where(v < 0, np.sqrt(np.clip(1 - v * v, 0, 1)), np.clip(1 - 0.62 * below * below, 0, 1))
    alpha = canvas.cover((np.abs(u) - half) * r) * canvas.cover((v - 1.2) * r)
    across = np.clip(u / np.maximum(half, 0.05), -1, 1)
    gores = across * (1 + 0.25 * across * across) * 3.2
    seam = np.abs(gores % 1 - 0.5) * 2
    bulge = np.sqrt(np.clip(1 - across * across * 0.9, 0, 1))
    L = 30 + bright + 24 * bulge + 13 * light * across - 9 * v - 14 * np.clip(seam - 0.75, 0, 1)
    canvas.paint(window, alpha, np.clip(L, 8, 90), placed)
    band = alpha * np.clip(1 - np.abs(v - 0.32) * 16, 0, 1) * 0.85
    canvas.paint(window, band, np.clip(L + 26, 8, 96), WHITE)


def boat(canvas: Canvas, x: float, water: float, size: float, light: int) -> None:
    """A sailing boat with one coloured sail (orange or blue) and one white jib."""
    placed = canvas.place(SAIL, x - 0.05 * size, water - size, x + 0.5 * size, water - 0.1 * size)
    if placed is None:
        return
    window = canvas.window(x - 0.6 * size, water - size, x + 0.6 * size, water + 0.1 * size)
    u, v = (window.x - x) / size, (water - window.y) / size
    hull = np.maximum(np.abs(u) - (0.38 + v * 0.8), np.abs(v - 0.04) - 0.06)
    canvas.paint(window, canvas.cover(hull * size), 34 + 90 * v, WOOD)
    belly = 0.42 * (1 - v) * (0.8 + 0.6 * v)
    main = np.maximum(np.maximum(0.02 - u, u - belly), np.maximum(0.16 - v, v - 0.98))
    canvas.paint(window, canvas.cover(main * size), np.clip(56 + 40 * u + 12 * v, 10, 90), placed)
    jib = np.maximum(np.maximum(u + 0.03, -u - 0.34 * (0.9 - v)), 0.16 - v)
    canvas.paint(window, canvas.cover(jib * size), np.clip(88 + 30 * u * light, 60, 97), LINEN)
    canvas.shade(window, 1 - 0.3 * np.clip(1 - np.abs(v + 0.05) * 25, 0, 1) * (np.abs(u) < 0.4))


def parasol(canvas: Canvas, rng: Rng, x: float, ground: float, size: float, light: int) -> None:
    """A beach parasol, red or turquoise, with white gores."""
    r, y = 0.55 * size, ground - 0.62 * size
    placed = canvas.place(PARASOL, x - r, y - 0.7 * r, x + r, y + 0.05 * r)
    if placed is None:
        return
    ground_shadow(canvas, x - 0.35 * size * light, ground, 0.5 * size, 0.07 * size)
    rectangle(canvas, x - 0.014 * size, y, x + 0.014 * size, ground, 82, WHITE)
    window = canvas.window(x - r, y - 0.7 * r, x + r, y + 0.1 * r)
    u, v = (window.x - x) / r, (y - window.y) / (0.65 * r)
    dome = np.sqrt(np.clip(1 - u * u, 0, 1))
    alpha = canvas.cover((v - dome) * (0.65 * r)) * canvas.cover(-v * (0.65 * r)) * (np.abs(u) < 1)
    gore = u / np.maximum(np.sqrt(np.clip(1 - v * v, 0, 1)), 0.1) * rng.uniform(2, 3)
    L = 48 + 14 * v + 12 * light * u
    canvas.paint(window, alpha, np.clip(L, 10, 90), placed)
    stripe = alpha * canvas.cover((np.abs(gore % 2 - 1) - 0.5) * (0.3 * r))
    canvas.paint(window, stripe * 0.95, np.clip(L + 36, 40, 97), LINEN)
