"""Skies, seas and land: what fills a view from the horizon to its edges."""

import numpy as np

from colorization.data.scenes.canvas import Canvas, Material
from colorization.data.scenes.noise import fractal, line, smoothstep
from colorization.data.scenes.palette import (
    CLOUD,
    DUNE,
    FAR_ROCK,
    LOW_SUN,
    MOON,
    ROCK,
    SAND,
    SEA,
    SNOW,
    SUN,
    WHEAT,
    WHITE,
)
from colorization.data.scenes.shapes import ellipse_distance

Rng = np.random.Generator


def sky(canvas: Canvas, rng: Rng, horizon: float, light: int, dusk: bool) -> None:
    """A clear sky, lighter towards the horizon; at dusk dark above and glowing below."""
    window = canvas.window(bottom=horizon + 0.1)
    height = np.clip(window.y / horizon, 0, 1)
    side = 0.5 + (0.5 * light) * (window.x - 0.5)
    one = np.ones((1, window.x.shape[1]), np.float32)
    if dusk:
        L = 22 + 56 * height * height + 8 * side
        warm = height * height
        colour = Material(50, (4 + 26 * warm) * (1 - 0.2 * warm) * one, (-34 + 78 * warm) * one)
    else:
        L = rng.uniform(50, 60) + 26 * height + 8 * side
        colour = Material(62, (-4 - 3 * height) * one, (-37 + 23 * height) * one)
    canvas.paint(window, np.ones_like(L), L.astype(np.float32), colour)


def sun(canvas: Canvas, x: float, y: float, radius: float, low: bool) -> None:
    """A disc with its glow."""
    everything = canvas.window()
    distance = ellipse_distance(everything, x, y, 1, 1)
    glow = 0.35 / (1 + 60 * distance * distance)
    canvas.shade(everything, 1 + glow)
    window = canvas.window(x - radius, y - radius, x + radius, y + radius)
    alpha = canvas.cover(ellipse_distance(window, x, y, 1, 1) - radius)
    canvas.paint(window, alpha, 95 if low else 97, LOW_SUN if low else SUN)


def moon(canvas: Canvas, rng: Rng, x: float, y: float, radius: float) -> None:
    """A disc with seas."""
    window = canvas.window(x - radius, y - radius, x + radius, y + radius)
    alpha = canvas.cover(ellipse_distance(window, x, y, 1, 1) - radius)
    canvas.paint(window, alpha, 86 + 8 * fractal(rng, window.x * 20, window.y * 20, 3), MOON)


def stars(canvas: Canvas, rng: Rng, count: int, horizon: float) -> None:
    """Points of light."""
    for x, y, bright in rng.random((count, 3)).tolist():
        r = 0.002 + 0.004 * bright
        window = canvas.window(x - 0.02, y * horizon - 0.02, x + 0.02, y * horizon + 0.02)
        distance = ellipse_distance(window, x, y * horizon, 1, 1) / r
        canvas.paint(window, (0.4 + 0.5 * bright) / (1 + distance * distance * distance), 92, WHITE)


def clouds(canvas: Canvas, rng: Rng, horizon: float, amount: float, light: int) -> None:
    """Banks of cumulus, smaller towards the horizon, lit from above and from the side of the light."""
    window = canvas.window(bottom=horizon)
    depth = 1 / ((horizon + 0.25) - window.y)  # perspective of a flat layer of clouds
    seed = int(rng.integers(2**31))
    thick, lit = (
        fractal(np.random.default_rng(seed), window.x * 2.2 + shift * light, depth * 1.6 - shift, 6, 0.55)
        for shift in (0, 0.12)
    )
    alpha = smoothstep(0.35 - amount, 0.85 - amount, thick) * np.clip((horizon - window.y) * 12, 0, 1)
    L = np.clip(86 + 22 * (thick - lit) - 7 * np.clip(thick, 0, 1), 60, 97)
    canvas.paint(window, alpha * 0.95, L, CLOUD)


def ridge(canvas: Canvas, rng: Rng, base: float, height: float, light: int, haze: float, snow: bool) -> None:
    """A range of mountains, rock lit from one side, snow above a line, haze with distance."""
    window = canvas.window(top=base - 1.6 * height, bottom=base + 0.02)
    seed = int(rng.integers(2**31))
    crest, shifted = (line(np.random.default_rng(seed), window.x * 3 + shift, 6, 0.5) for shift in (0, 0.05))
    top = (base - 0.5 * height) - (0.75 * height) * crest
    alpha = canvas.cover(top - window.y) * canvas.cover(window.y - base)
    rough = fractal(rng, window.x * 10, window.y * 7, 5, 0.6)
    slope = light * (crest - shifted) * 60
    canvas.paint(window, alpha, np.clip(46 + slope + 15 * rough, 12, 90), ROCK)
    if snow:
        line_of_snow = (base - 0.75 * height) + (0.12 * height) * rough
        white = alpha * smoothstep(-0.02, 0.02, line_of_snow - window.y)
        canvas.paint(window, white, np.clip(88 + slope * 0.6 + 6 * rough, 55, 97), SNOW)
    canvas.paint(window, alpha * haze, np.full_like(alpha, 70), FAR_ROCK)


def hill(
    canvas: Canvas, rng: Rng, top: float, swing: float, cover: Material, light: int, bright: float = 0.0
) -> None:
    """Rolling ground down to the lower edge: grass in tufts, wheat in rows, dunes in ripples."""
    window = canvas.window(top=top - 2 * swing)
    crest = top - swing * line(rng, window.x * 1.7, 3, 0.4)
    below = np.clip(window.y - crest, 0, 1)
    alpha = canvas.cover(crest - window.y)
    near = 1.1 / (1.15 - window.y)  # finer texture far away
    broad = fractal(rng, window.x * 3, window.y * 6, 3)
    if cover is WHEAT:
        fine = fractal(rng, window.x * 50, window.y * 10, 3, 0.7) * 0.8
        rows = np.abs((window.x * 9 * light + near * 4 + broad * 0.3) % 1 - 0.5) * 4 - 1
        texture = 7 * fine + 4 * rows
    elif cover in (DUNE, SAND):
        texture = 3 * fractal(rng, window.x * 8, near * 22, 4) + 14 * broad * light
    else:
        texture = 9 * fractal(rng, window.x * 23, window.y * 17, 5, 0.8) + 5 * broad
    L = (cover.L + bright) + texture + 7 * smoothstep(0, 0.3, below) - 8 * smoothstep(0.25, 0.7, below)
    L = L + (4 * light) * (window.x - 0.5)
    canvas.paint(window, alpha, np.clip(L, 8, 95), cover)


def sea(canvas: Canvas, rng: Rng, horizon: float, glint: float | None, dusk: bool) -> None:
    """Water in perspective, with the path of the light at x = glint."""
    window = canvas.window(top=horizon - 0.01)
    alpha = canvas.cover(horizon - window.y) * np.ones_like(window.x)
    near = 1 / (window.y - (horizon - 0.045))
    waves = fractal(rng, window.x * 9, near * 9, 5, 0.75)
    depth = np.clip((window.y - horizon) / (1.001 - horizon), 0, 1)
    L = (30 if dusk else 52) - 9 * depth + (8 + 6 * depth) * waves
    canvas.paint(window, alpha, L, SEA)
    if glint is not None:
        width = 0.04 + 0.25 * depth
        path = np.clip(1 - np.abs(window.x - glint) / width, 0, 1)
        sparkle = alpha * path * smoothstep(-0.05, 0.5, waves) * 0.85
        canvas.paint(window, sparkle, 90, LOW_SUN if dusk else WHITE)
    crests = alpha * smoothstep(0.6, 0.95, waves) * depth * 0.7
    canvas.paint(window, crests, 88, WHITE)


def beach(canvas: Canvas, rng: Rng, top: float, light: int) -> None:
    """Sand with a line of foam."""
    window = canvas.window(top=top - 0.08)
    edge = top + 0.035 * line(rng, window.x * 2, 3)
    hill(canvas, rng, top, 0.0, SAND, light)
    foam = np.clip(1 - np.abs(window.y - edge) * 45, 0, 1)
    wash = 0.5 + fractal(rng, window.x * 18, window.y * 30, 3)
    canvas.paint(window, np.clip(foam * (wash + 0.4), 0, 1), 94, WHITE)
