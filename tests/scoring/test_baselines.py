"""Floors and ceilings, each against its definition."""

import numpy as np
import torch
from skimage.data import astronaut

from colorization.color import lab
from colorization.objective.colours import mean_colour
from colorization.scoring.baselines import NAMES, coarse, colourings

PHOTO = astronaut()[:160, 100:260]
L, AB = lab.split(torch.from_numpy(np.ascontiguousarray(PHOTO)).movedim(-1, 0)[None])


def test_coarse_colour_is_the_mean_of_its_cells():
    ab = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(coarse(ab, 8), ab) and torch.equal(coarse(ab, 32), ab)
    whole = ab.mean(dim=(2, 3), keepdim=True)
    assert torch.allclose(coarse(ab, 1), whole.expand_as(ab), atol=1e-6)
    assert torch.allclose(coarse(ab, 4).mean(dim=(2, 3)), ab.mean(dim=(2, 3)), atol=0.2)


def test_every_baseline_keeps_the_lightness_and_says_what_it_does():
    made = colourings(mean_colour(PHOTO[None]))
    assert tuple(made) == NAMES
    shown = {name: colouring(L, AB) for name, colouring in made.items()}
    assert all(torch.equal(shown[name][0], L) for name in NAMES if name != "round_trip")
    assert shown["grey"][1].abs().max() == 0 and torch.equal(shown["half_saturation"][1], AB / 2)
    assert shown["mean_ab"][1].flatten(2).std(dim=-1).max() < 1e-4
    trip_L, trip_ab = shown["round_trip"]
    assert (trip_L - L).abs().max() <= 50 / 255 + 1e-4 and (trip_ab - AB).abs().max() <= 0.5
    assert not {"mean_ab", "mean_ab_given_L"} & colourings(None).keys()
