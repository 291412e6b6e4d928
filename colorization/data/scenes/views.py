"""Scenes put together from things, far to near: each kind of view draws its own layout."""

from collections.abc import Callable

import numpy as np

from colorization.data.scenes.buildings import house, shopfront, table, tower
from colorization.data.scenes.canvas import Canvas
from colorization.data.scenes.craft import balloon, boat, car, parasol
from colorization.data.scenes.land import beach, clouds, hill, moon, ridge, sea, sky, stars, sun
from colorization.data.scenes.palette import ASPHALT, DUNE, EARTH, GRASS, STONE, WHEAT
from colorization.data.scenes.plants import conifer, deciduous, flower, fruit
from colorization.data.scenes.truth import Truth

Rng = np.random.Generator
Thing = Callable[[Canvas, Rng, float, float, float, int], None]
Range = tuple[float, float]

CONTRAST = 1.18  # of the film
GRAIN = 2.0  # of the film, in units of L: half its largest swing


def render(seed: int, split: int, index: int, size: int) -> Truth:
    """Scene `index` of a split of the pictures of `seed`, at size x size pixels.

    Layout, ambiguous choices and grain come from three generators, so that the size changes nothing of
    the first two, and the lightness knows nothing of the choices.
    """
    layout, chance, film = (np.random.default_rng([seed, split, index, purpose]) for purpose in range(3))
    canvas = Canvas(size, chance)
    VIEWS[layout.integers(len(VIEWS))](canvas, layout, 1 if layout.random() < 0.5 else -1)
    noise = film.random((2, size, size), dtype=np.float32)
    return canvas.finish(CONTRAST, GRAIN * (noise[0] + noise[1] - 1))


def hills(canvas: Canvas, rng: Rng, light: int) -> None:
    """Rolling fields, perhaps mountains behind, a house, trees, balloons."""
    horizon = rng.uniform(0.38, 0.55)
    middle = horizon + rng.uniform(0.12, 0.18)
    sky(canvas, rng, horizon, light, dusk=False)
    clouds(canvas, rng, horizon, rng.uniform(0.1, 0.6), light)
    if rng.random() < 0.5:
        ridge(canvas, rng, horizon + 0.03, rng.uniform(0.15, 0.3), light, 0.45, snow=True)
    if rng.random() < 0.4:
        scatter(canvas, rng, light, balloon, 2, (0.1, 0.9), (0.1, 0.28), (0.12, 0.22))
    hill(canvas, rng, horizon + 0.02, 0.05, GRASS, light, bright=8)
    for _ in range(rng.integers(3, 9)):
        conifer(canvas, rng, rng.random(), horizon + 0.09, rng.uniform(0.08, 0.14), light, bright=6)
    hill(canvas, rng, middle, 0.05, WHEAT if rng.random() < 0.5 else GRASS, light, bright=4)
    if rng.random() < 0.7:
        house(canvas, rng, rng.uniform(0.2, 0.8), middle + 0.12, rng.uniform(0.2, 0.34), light)
    trees = int(rng.integers(1, 4))
    scatter(canvas, rng, light, deciduous, trees, (0.05, 0.95), (middle + 0.1, middle + 0.24), (0.24, 0.46))
    hill(canvas, rng, 0.93, 0.04, GRASS, light)


def shore(canvas: Canvas, rng: Rng, light: int) -> None:
    """The sea by day or at sunset, with sailing boats, perhaps a beach with parasols."""
    horizon, dusk = rng.uniform(0.35, 0.52), rng.random() < 0.4
    x = 0.5 + light * rng.uniform(0.05, 0.35)
    sky(canvas, rng, horizon, light, dusk)
    if dusk:
        sun(canvas, x, horizon - rng.uniform(0.0, 0.1), 0.06, low=True)
    else:
        clouds(canvas, rng, horizon, rng.uniform(0, 0.5), light)
    if rng.random() < 0.4:
        height = rng.uniform(0.08, 0.16)
        ridge(canvas, rng, horizon + 0.01, height, light, 0.2 if dusk else 0.6, snow=False)
    sea(canvas, rng, horizon, x if dusk or rng.random() < 0.4 else None, dusk)
    for _ in range(rng.integers(1, 4)):
        water = horizon + rng.uniform(0.03, 0.25)
        boat(canvas, rng.uniform(0.12, 0.88), water, 0.12 + 1.1 * (water - horizon), light)
    if not dusk and rng.random() < 0.65:
        top = rng.uniform(0.76, 0.86)
        beach(canvas, rng, top, light)
        parasols = int(rng.integers(1, 4))
        scatter(canvas, rng, light, parasol, parasols, (0.12, 0.88), (top + 0.06, 0.97), (0.24, 0.34))


def forest(canvas: Canvas, rng: Rng, light: int) -> None:
    """Spruces behind each other in mist, round trees and flowers in front."""
    sky(canvas, rng, 0.6, light, dusk=False)
    clouds(canvas, rng, 0.6, 0.8, light)
    ridge(canvas, rng, 0.5, 0.25, light, 0.6, snow=rng.random() < 0.5)
    for depth in range(3):
        ground = 0.52 + 0.1 * depth
        hill(canvas, rng, ground - 0.04, 0.02, GRASS, light, bright=10 - 8 * depth)
        for _ in range(13 - 3 * depth):
            size = (0.2 + 0.13 * depth) * rng.uniform(0.8, 1.3)
            conifer(canvas, rng, rng.random(), ground, size, light, bright=12 - 6 * depth)
    scatter(canvas, rng, light, deciduous, int(rng.integers(2, 4)), (0.1, 0.9), (0.78, 0.9), (0.36, 0.6))
    hill(canvas, rng, 0.9, 0.03, EARTH if rng.random() < 0.5 else GRASS, light, bright=-2)
    scatter(canvas, rng, light, flower, 3, (0.05, 0.95), (0.88, 0.93), (0.07, 0.1))


def town(canvas: Canvas, rng: Rng, light: int) -> None:
    """A street of brick and stone with cars, by day or at night under a moon."""
    night, left, ground = rng.random() < 0.35, -0.05, 0.78
    sky(canvas, rng, 0.85, light, dusk=night)
    if night:
        stars(canvas, rng, 30, 0.4)
        moon(canvas, rng, 0.5 + 0.3 * light, rng.uniform(0.08, 0.18), 0.06)
    else:
        clouds(canvas, rng, 0.7, rng.uniform(0, 0.6), light)
    while left < 1:
        right = left + rng.uniform(0.18, 0.34)
        tower(canvas, rng, left, right, rng.uniform(0.14, 0.46), ground, light, night)
        if not night and rng.random() < 0.7:
            shopfront(canvas, (left + right) / 2, ground, 0.075)
        left = right + (0.0 if rng.random() < 0.7 else 0.06)
    hill(canvas, rng, ground, 0.0, STONE, light, bright=-40 if night else -8)
    hill(canvas, rng, ground + 0.03, 0.0, ASPHALT, light, bright=-22 if night else 0)
    for _ in range(rng.integers(1, 4)):
        car(canvas, rng.uniform(0.1, 0.9), rng.uniform(0.95, 0.98), rng.uniform(0.14, 0.16), light)


def still_life(canvas: Canvas, rng: Rng, light: int) -> None:
    """Fruit on a table."""
    edge, count = rng.uniform(0.42, 0.58), int(rng.integers(4, 8))
    table(canvas, rng, edge, light)
    others = rng.permutation(["apple", "apple", "orange", "orange", "lemon", "pear", "plum"])
    kinds = rng.permutation(["apple", *others[: count - 1]])
    across = (rng.permutation(count) + rng.uniform(0.2, 0.8, count)) / count
    places = np.sort(rng.uniform(edge + 0.14, 0.96, count))
    for kind, x, ground in zip(kinds.tolist(), across.tolist(), places.tolist(), strict=True):
        size = rng.uniform(0.20, 0.28) * (0.65 + 0.7 * (ground - edge) / (1 - edge))
        fruit(canvas, rng, kind, 0.06 + 0.88 * x, ground, size, light)


def balloons(canvas: Canvas, rng: Rng, light: int) -> None:
    """A balloon festival over hills or dunes."""
    horizon, desert = rng.uniform(0.7, 0.82), rng.random() < 0.2
    sky(canvas, rng, horizon, light, dusk=False)
    clouds(canvas, rng, horizon, rng.uniform(-0.2, 0.5), light)
    if rng.random() < 0.6:
        ridge(canvas, rng, horizon + 0.06, rng.uniform(0.15, 0.25), light, 0.4, snow=not desert)
    hill(canvas, rng, horizon, 0.06, DUNE if desert else GRASS, light, bright=5)
    hill(canvas, rng, horizon + 0.1, 0.05, DUNE if desert else WHEAT, light)
    scatter(canvas, rng, light, balloon, int(rng.integers(3, 8)), (0.12, 0.88), (0.18, 0.58), (0.16, 0.42))


def dunes(canvas: Canvas, rng: Rng, light: int) -> None:
    """A desert by day or at dusk, with balloons."""
    horizon, dusk = rng.uniform(0.45, 0.6), rng.random() < 0.4
    sky(canvas, rng, horizon, light, dusk)
    if dusk:
        sun(canvas, 0.5 + 0.3 * light, horizon - 0.08, 0.07, low=True)
    else:
        sun(canvas, 0.5 + 0.35 * light, 0.14, 0.045, low=False)
    ridge(canvas, rng, horizon + 0.09, 0.2, light, 0.15 if dusk else 0.5, snow=False)
    for depth in range(3):
        hill(canvas, rng, horizon + 0.14 * depth, 0.07, DUNE, light, bright=-14 if dusk else 4 - 5 * depth)
    scatter(canvas, rng, light, balloon, int(rng.integers(1, 4)), (0.12, 0.88), (0.15, 0.35), (0.14, 0.3))


def garden(canvas: Canvas, rng: Rng, light: int) -> None:
    """A flower bed before a house and trees."""
    horizon = rng.uniform(0.3, 0.42)
    sky(canvas, rng, horizon, light, dusk=False)
    clouds(canvas, rng, horizon, rng.uniform(0, 0.6), light)
    hill(canvas, rng, horizon, 0.04, GRASS, light, bright=6)
    if rng.random() < 0.6:
        house(canvas, rng, rng.uniform(0.2, 0.8), horizon + 0.14, rng.uniform(0.28, 0.4), light)
    scatter(canvas, rng, light, deciduous, 2, (0.05, 0.95), (horizon + 0.1, horizon + 0.16), (0.3, 0.45))
    hill(canvas, rng, horizon + 0.22, 0.02, GRASS, light, bright=-6)
    scatter(canvas, rng, light, flower, 14, (0.06, 0.94), (horizon + 0.28, 0.9), (0.09, 0.19))


VIEWS: tuple[Callable[[Canvas, Rng, int], None], ...] = (
    hills, shore, forest, town, still_life, balloons, dunes, garden,
)  # fmt: skip


def scatter(
    canvas: Canvas, rng: Rng, light: int, thing: Thing, count: int, x: Range, y: Range, size: Range
) -> None:
    """Up to `count` of a thing within the ranges, the higher ones (which are farther away) first."""
    for height in np.sort(rng.uniform(*y, count)).tolist():
        thing(canvas, rng, rng.uniform(*x), height, rng.uniform(*size), light)
