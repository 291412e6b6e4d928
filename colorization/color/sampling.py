"""Draw whole colourings from one distribution per pixel, so that an object comes out in one colour.

Drawing every pixel by itself gives confetti. Here each pixel turns a uniform number into a bin by the
inverse of its own cumulative distribution, and the uniform numbers agree within an object and not
between objects. That is a Gaussian copula: the joint is ours to choose, and every pixel's own
distribution is met exactly, whatever the joint.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from colorization.chance import Chance
from colorization.color.gamut import STEP, Gamut

PROBES = 32  # dimensions of the embedding: two objects' colours correlate by about 1 / sqrt(PROBES)
SHARPNESS = 16.0  # how fast the agreement of two pixels falls with the difference of their distributions
SIDE = 64  # the grid on which objects are found; finer outputs share its cells
REACH = 2 / 3  # of the grid's longer side: how far agreement spreads where nothing stops it
CYCLE = 16  # explicit diffusion steps per cycle


def sample(gamut: Gamut, logits: Tensor, n: int, chance: Chance) -> Tensor:
    """Plausible colourings, n of them: logits (B, Q, H, W) -> ab (n, B, 2, H, W).

    Each pixel's bin is an exact draw from its softmax(logits). Its colour is the mean of the
    distribution near that bin (a Gaussian of one bin's width), so that steps of 10 ab units do not show.
    `chance` holds each picture's random numbers; fewer samples are the first of more.
    """
    if n < 1:
        raise ValueError(f"n={n} samples: ask for at least 1")
    with torch.autocast(logits.device.type, enabled=False):
        probabilities = logits.float().softmax(dim=1)
        uniform = coherent_uniform(gamut, probabilities, n, chance)
        drawn = _inverse(gamut, probabilities, uniform)
        return torch.stack([_local_mean(gamut, probabilities, bins) for bins in drawn])


def coherent_uniform(gamut: Gamut, probabilities: Tensor, n: int, chance: Chance) -> Tensor:
    """Numbers that are uniform on 0..1 at each pixel and equal within an object.

    White noise in PROBES channels diffuses over the picture, fast between neighbours of like
    distribution (Bhattacharyya coefficient near 1), hardly between unlike ones; distributions are
    compared after spreading each bin over its surroundings, for the light moves an object's colour from
    bin to bin. Each pixel's channels, normalised, are a unit vector phi; phi . e with e normal is then
    exactly standard normal at every pixel, and two pixels correlate by phi . phi': by 1 within an
    object, by about 0 between two.

    Shape: (B, Q, H, W) -> (n, B, H, W).
    """
    H, W = probabilities.shape[-2:]
    grid = (min(H, SIDE), min(W, SIDE))
    near = _nearness(gamut)
    coarse = adaptive_avg_pool2d(probabilities, grid)
    root = ((near / near.sum(dim=0)) @ coarse.flatten(2)).sqrt().unflatten(2, grid)
    noise = chance.stream("objects").normal(PROBES, *grid)
    across = (root[..., :, 1:] * root[..., :, :-1]).sum(dim=1, keepdim=True) ** SHARPNESS
    down = (root[..., 1:, :] * root[..., :-1, :]).sum(dim=1, keepdim=True) ** SHARPNESS
    field = _diffuse(noise, across, down, time=(REACH * max(grid)) ** 2 / 2)
    phi = interpolate(field, size=(H, W), mode="bilinear", align_corners=False) if grid != (H, W) else field
    phi = phi / phi.norm(dim=1, keepdim=True).clamp(min=1e-20)
    directions = torch.stack([chance.stream(f"sample {k}").normal(PROBES) for k in range(n)])
    normal = torch.einsum("bchw,nbc->nbhw", phi, directions)
    return torch.special.ndtr(normal)


def _inverse(gamut: Gamut, probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Each pixel's inverse cumulative distribution: (B, Q, H, W), (n, B, H, W) -> bins (n, B, H, W)."""
    order = _hilbert_order(tuple(map(tuple, gamut.centres.tolist()))).to(uniform.device)
    cumulative = probabilities[:, order].cumsum(dim=1).movedim(1, -1).contiguous()
    place = torch.searchsorted(cumulative, uniform.movedim(0, -1).contiguous() * cumulative[..., -1:])
    return order[place.clamp(max=len(order) - 1)].movedim(-1, 0)


def _local_mean(gamut: Gamut, probabilities: Tensor, bins: Tensor) -> Tensor:
    """The mean colour near each pixel's bin: (B, Q, H, W), (B, H, W) -> ab (B, 2, H, W)."""
    local = probabilities.movedim(1, -1) * _nearness(gamut)[bins]
    return (local @ gamut.centres / local.sum(dim=-1, keepdim=True)).movedim(-1, 1)


def _nearness(gamut: Gamut) -> Tensor:
    """How near two bins are, 1 to 0: a Gaussian of one bin's width, (Q, Q)."""
    return (-torch.cdist(gamut.centres, gamut.centres).square() / (2 * STEP**2)).exp()


def _diffuse(field: Tensor, across: Tensor, down: Tensor, time: float) -> Tensor:
    """Heat flow with the given conductances, (B, C, H, W), for at least `time` (cells squared).

    Fast explicit diffusion (Grewenig et al. 2010): within a cycle the step sizes vary, some far beyond
    the stable one, and the whole cycle is stable and goes much further than equal steps. Small and
    large steps alternate, which keeps rounding errors small in between.
    """
    angles = torch.pi * (2 * torch.arange(CYCLE) + 1) / (4 * CYCLE + 2)
    small, large = (0.25 / (2 * angles.cos().square())).chunk(2)
    steps = torch.stack([small, large.flip(0)], dim=1).flatten().tolist()
    for _ in range(max(1, round(time / sum(steps)))):
        for step in steps:
            flow_across = across * (field[..., :, 1:] - field[..., :, :-1])
            flow_down = down * (field[..., 1:, :] - field[..., :-1, :])
            field = field.clone()
            field[..., :, :-1] += step * flow_across
            field[..., :, 1:] -= step * flow_across
            field[..., :-1, :] += step * flow_down
            field[..., 1:, :] -= step * flow_down
    return field


@lru_cache(maxsize=8)
def _hilbert_order(centres: tuple[tuple[float, float], ...]) -> Tensor:
    """The bins along a Hilbert curve: neighbours in the order are neighbours in ab, (Q,) int64.

    So a small change of a distribution, or of the uniform number, moves the drawn colour little.
    """

    def distance(x: int, y: int, side: int = 32) -> int:
        along, half = 0, side // 2
        while half:
            right, top = int(x & half > 0), int(y & half > 0)
            along += half * half * ((3 * right) ^ top)
            if not top:
                if right:
                    x, y = side - 1 - x, side - 1 - y
                x, y = y, x
            half //= 2
        return along

    places = [distance(round(a / STEP) + 16, round(b / STEP) + 16) for a, b in centres]
    return torch.tensor(places).argsort()
