"""Trees, flowers and fruit."""

import numpy as np

from colorization.data.scenes.canvas import Canvas, Material, Placed
from colorization.data.scenes.noise import fractal, smoothstep
from colorization.data.scenes.palette import (
    APPLE,
    BARK,
    CONIFER,
    FLOWER,
    GRASS,
    LEMON,
    ORANGE,
    PEAR,
    PLUM,
    TREE,
    WHITE,
)
from colorization.data.scenes.shapes import disc, ellipse_distance, ground_shadow, rectangle

Rng = np.random.Generator


def deciduous(canvas: Canvas, rng: Rng, x: float, ground: float, size: float, light: int) -> None:
    """A round tree: green, or in autumn colours; its grey does not tell which."""
    crown_y, rx, ry = ground - 0.72 * size, 0.36 * size, 0.40 * size
    placed = canvas.place(TREE, x - 1.3 * rx, crown_y - 1.3 * ry, x + 1.3 * rx, crown_y + 1.3 * ry)
    if placed is None:
        return
    ground_shadow(canvas, x - 0.25 * size * light, ground, 0.40 * size, 0.06 * size)
    trunk = canvas.window(x - 0.1 * size, ground - 0.5 * size, x + 0.1 * size, ground)
    half = (0.035 * size) + 0.03 * np.clip(trunk.y - (ground - 0.1 * size), 0, 1)
    upright = canvas.cover(np.abs(trunk.x - x) - half) * canvas.cover(trunk.y - ground)
    canvas.paint(trunk, upright, 26 + 80 * light * (trunk.x - x) + 0 * trunk.y, BARK)
    window = canvas.window(x - 1.3 * rx, crown_y - 1.3 * ry, x + 1.3 * rx, crown_y + 1.3 * ry)
    leaves = fractal(rng, window.x * (6 / size), window.y * (6 / size), 4, 0.7)
    ragged = ellipse_distance(window, x, crown_y, rx, ry) - 1 + 0.22 * leaves
    inside = ellipse_distance(window, x, crown_y, 1.28 * rx, 1.28 * ry) < 1
    alpha = canvas.cover(ragged * min(rx, ry)) * inside
    side = light * (window.x - x) / rx - (window.y - crown_y) / ry
    canvas.paint(window, alpha, np.clip(41 + 11 * side + 17 * leaves, 8, 82), placed)


def conifer(
    canvas: Canvas, rng: Rng, x: float, ground: float, size: float, light: int, bright: float = 0
) -> None:
    """A spruce: dark green, in tiers."""
    window = canvas.window(x - 0.26 * size, ground - size, x + 0.26 * size, ground)
    down = (window.y - (ground - size)) / size
    tier = (down * 7) % 1
    needles = fractal(rng, window.x * (12 / size), window.y * (10 / size), 3, 0.8)
    half = (0.21 * size) * (down * 0.8 + 0.2 * tier * smoothstep(0, 0.2, down))
    across = window.x - x
    alpha = canvas.cover(np.abs(across) - half * (1 + 0.35 * needles)) * canvas.cover(-down * size)
    alpha = alpha * canvas.cover(window.y - ground)
    L = 25 + bright + 60 / size * light * across * 0.5 + 9 * needles - 7 * tier
    canvas.paint(window, alpha, np.clip(L, 4, 60), CONIFER)


def flower(canvas: Canvas, rng: Rng, x: float, y: float, size: float, light: int) -> None:
    """A daisy-shaped flower on its stem: pink, yellow or violet petals around a brown centre."""
    r = 0.5 * size
    placed = canvas.place(FLOWER, x - r, y - r, x + r, y + r)
    if placed is None:
        return
    stem = canvas.window(x - 0.2 * size, y, x + 0.2 * size, y + 2.2 * size)
    at = x + rng.uniform(-0.12, 0.12) * (stem.y - y)
    canvas.paint(
        stem,
        canvas.cover(np.abs(stem.x - at) - (0.035 * size)) * canvas.cover(stem.y - (y + 2.2 * size)),
        40,
        GRASS,
    )
    window = canvas.window(x - r, y - r, x + r, y + r)
    u, v = (window.x - x) / r, (window.y - y) / r
    radius = np.sqrt(u * u + v * v) + (1e-6)
    c, s = u / radius, v / radius
    petals = c * (16 * s * s * s * s - 12 * s * s + 1)  # cos 5 phi, without a cosine
    alpha = canvas.cover((radius - 0.78 - 0.2 * petals) * r)
    veins = fractal(rng, window.x * (9 / size), window.y * (9 / size), 3)
    L = 56 + 24 * radius + 6 * petals + 8 * (light * u - v) + 5 * veins
    canvas.paint(window, alpha, np.clip(L, 20, 90), placed)
    disc(canvas, x, y, 0.26 * r, 30, BARK)


def fruit(canvas: Canvas, rng: Rng, kind: str, x: float, ground: float, size: float, light: int) -> None:
    """An orange (pored), lemon (pointed), plum (dark, long), pear, or an apple, which is red or green."""
    ry = size * {"orange": 0.5, "lemon": 0.36, "plum": 0.36, "pear": 0.56, "apple": 0.46}[kind]
    rx = size * {"orange": 0.5, "lemon": 0.56, "plum": 0.28, "pear": 0.42, "apple": 0.5}[kind]
    y = ground - ry
    colour: Material | Placed | None = {"orange": ORANGE, "lemon": LEMON, "plum": PLUM, "pear": PEAR}.get(
        kind
    )
    if kind == "apple":
        colour = canvas.place(APPLE, x - rx, y - ry, x + rx, y + ry)
    if colour is None:
        return
    ground_shadow(canvas, x - 0.55 * rx * light, ground - 0.10 * ry, 1.35 * rx, 0.28 * ry)
    window = canvas.window(x - 1.05 * rx, y - 1.05 * ry, x + 1.05 * rx, y + 1.05 * ry)
    u, v = (window.x - x) / rx, (window.y - y) / ry
    if kind == "pear":
        u = u * (1 + 0.9 * np.clip(0.1 - v, 0, 1))
    if kind == "lemon":
        v = v * (1 + 0.35 * np.abs(u) * u * u)
    if kind == "apple":
        v = v + 0.22 * np.clip(1 - np.abs(u) * 3, 0, 1) * (v < 0)
    square = u * u + v * v
    alpha = canvas.cover((np.sqrt(square) - 1) * min(rx, ry))
    toward = np.sqrt(np.clip(1 - square, 0, 1))
    lambert = np.clip((0.55 * light) * u - 0.55 * v + 0.63 * toward, 0, 1)
    pores = fractal(rng, window.x * (12 / size), window.y * (12 / size), 3, 0.9)
    rough = {"orange": 7, "lemon": 4, "plum": 2, "pear": 4, "apple": 3}[kind]
    dark = float(colour.L) if isinstance(colour, Material) else 50 + rng.uniform(-6, 8)
    bounce = 7 * np.clip(v, 0, 1) * (1 - lambert)
    L = dark * (0.42 + 0.75 * lambert) + bounce + rough * pores
    canvas.paint(window, alpha, np.clip(L, 4, 95), colour)
    spot = smoothstep(0.955, 1.0, lambert) * alpha * 0.75
    canvas.paint(window, spot, 95, WHITE)
    if kind in ("apple", "pear"):
        rectangle(canvas, x - 0.025 * size, y - 1.22 * ry, x + 0.02 * size, y - 0.72 * ry, 24, BARK)
