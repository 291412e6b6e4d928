"""Samples: every pixel's own distribution exactly, one colour per object, objects apart from each other."""

import pytest
import torch

from colorization.chance import Chance
from colorization.color.gamut import Gamut, in_gamut
from colorization.color.sampling import _diffuse, _hilbert_order, coherent_uniform, sample

GAMUT = Gamut(in_gamut())
RED, GREEN, BLUE, SKY = (70.0, 50.0), (-60.0, 50.0), (30.0, -80.0), (0.0, -30.0)


def chance(seed, pictures=1):
    return Chance(torch.arange(pictures), seed)


def bin_of(colour):
    return GAMUT.nearest(torch.tensor(colour).reshape(1, 2, 1, 1)).item()


def balloons(size=24):
    """Two squares that are red, green or blue (50, 30, 20 %) in a sky that is not ambiguous."""
    probabilities = torch.full((1, 313, size, size), 1e-9)
    probabilities[:, bin_of(SKY)] = 1
    objects = [(slice(4, 12), slice(3, 10)), (slice(12, 20), slice(14, 21))]
    for rows, columns in objects:
        probabilities[:, :, rows, columns] = 1e-9
        for colour, share in ((RED, 0.5), (GREEN, 0.3), (BLUE, 0.2)):
            probabilities[:, bin_of(colour), rows, columns] = share
    return probabilities.log(), objects


def test_an_object_comes_out_in_one_colour_and_in_the_true_proportions():
    logits, objects = balloons()
    draws = sample(GAMUT, logits, 600, chance(0))[:, 0]
    assert (draws[:, :, 0, 0] - torch.tensor(SKY)).norm(dim=1).max() < 1
    drawn = []
    for rows, columns in objects:
        pixels = draws[:, :, rows, columns].flatten(2)
        which = torch.cdist(pixels.movedim(1, 2), torch.tensor([RED, GREEN, BLUE])).argmin(-1)
        shares = torch.stack([(which == k).float().mean(1) for k in range(3)], dim=1)
        assert shares.amax(1).mean() > 0.97  # one colour per object
        torch.testing.assert_close(shares.mean(0), torch.tensor([0.5, 0.3, 0.2]), atol=0.07, rtol=0)
        drawn.append(shares.argmax(1))
    together = (drawn[0] == drawn[1]).float().mean().item()
    assert together < 0.38 + 0.25  # 0.38 by chance if the two were independent, 1 if they were one


def test_texture_does_not_break_an_object():
    """Where light moves an object's colours from one bin to the next and back, it still comes out in one."""
    probabilities = torch.full((1, 313, 24, 24), 1e-9)
    probabilities[:, bin_of(SKY)] = 1
    probabilities[:, :, 6:18, 6:18] = 1e-9
    for colours in (((60.0, 40.0), (70.0, 40.0)), ((20.0, -60.0), (20.0, -70.0))):
        for first, share in ((6, 0.4), (7, 0.1)):  # every second column mostly the one, the others the other
            for colour, part in zip(colours, (share, 0.5 - share), strict=True):
                probabilities[:, bin_of(colour), 6:18, first:18:2] = part
    draws = sample(GAMUT, probabilities.log(), 200, chance(0))[:, 0, 1, 6:18, 6:18]
    is_red = (draws > 0).float().mean(dim=(1, 2))
    assert torch.maximum(is_red, 1 - is_red).mean() > 0.95
    assert 0.35 < is_red.mean() < 0.65


def test_every_pixel_keeps_its_own_distribution():
    torch.manual_seed(0)
    logits = 3 * torch.randn(1, 313, 4, 5)
    gamut = Gamut(in_gamut())
    draws = sample(gamut, logits, 4000, chance(1))
    local = draws.mean(0)
    near = (-torch.cdist(gamut.centres, gamut.centres).square() / 200).exp()
    p = logits.softmax(1)[0].flatten(1).T
    weights = p[:, None, :] * near
    colour = (weights @ gamut.centres) / weights.sum(-1, keepdim=True)
    expected = (p[..., None] * colour).sum(1).T.reshape(1, 2, 4, 5)
    torch.testing.assert_close(local, expected, atol=3.0, rtol=0)  # 4 standard errors of 4,000 draws


def test_uniform_numbers_are_uniform_at_every_pixel():
    logits, _ = balloons()
    uniform = coherent_uniform(GAMUT, logits.softmax(1), 5000, chance(0))[:, 0]
    levels = torch.linspace(0.1, 0.9, 9)
    below = (uniform[:, ::4, ::4, None] <= levels).float().mean(0)
    assert (below - levels).abs().max() < 0.035  # 5 standard errors


def test_diffusion_keeps_the_sum_and_settles_at_the_mean():
    torch.manual_seed(0)
    field = torch.randn(1, 2, 8, 8)
    across, down = torch.ones(1, 1, 8, 7), torch.ones(1, 1, 7, 8)
    across[..., 3] = 0  # a wall: the halves settle each by itself
    settled = _diffuse(field, across, down, time=200)
    for half in (slice(0, 4), slice(4, 8)):
        mean = field[..., half].mean(dim=(2, 3), keepdim=True).expand(1, 2, 8, 4)
        torch.testing.assert_close(settled[..., half], mean, atol=1e-4, rtol=0)


def test_neighbours_in_the_order_are_neighbours_in_ab():
    centres = tuple(map(tuple, in_gamut().tolist()))
    order = _hilbert_order(centres)
    assert sorted(order.tolist()) == list(range(313))
    jumps = in_gamut()[order].diff(dim=0).norm(dim=1)
    assert (jumps == 10).float().mean() > 0.85  # it leaves the gamut only at its border


def test_the_same_chance_draws_the_same():
    logits, _ = balloons(12 * 2)
    first, second = (sample(GAMUT, logits, 2, chance(5)) for _ in range(2))
    assert torch.equal(first, second)


def test_no_sample_is_refused():
    with pytest.raises(ValueError, match="n=0"):
        sample(GAMUT, torch.zeros(1, 313, 2, 2), 0, chance(0))
