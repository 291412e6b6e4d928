"""How much colours change with size: not at all where a network does not mind, and by a known amount."""

from itertools import combinations

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

from colorization import build
from colorization.compose import composed
from colorization.hints.none import Nothing
from colorization.model.base import Network
from colorization.model.units import Units
from colorization.module import Colorizer
from colorization.objective.regression import Regression
from colorization.scoring.predictions import Coloured
from colorization.scoring.stability import (
    LARGEST,
    NAME,
    SIZES,
    reduced,
    size_difference,
    with_size_difference,
)

PROTOCOL = build.protocol(composed("evaluate"))


class Toy(Network):
    """One colour, of which a rises by `slope` for each pixel of the picture's side."""

    units = Units(L_center=0.0, L_scale=100.0, ab_scale=1.0, bounded=False)

    def __init__(self, slope=0.0, sharp=False):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(slope))
        self.sharp = sharp

    def forward(self, x):
        b = 40 * (x[:, :1] > 0.5) if self.sharp else torch.full_like(x[:, :1], 10)
        return torch.cat([self.weight * x.shape[-1] + 0 * b, b], dim=1)


def found(network, pictures, sizes=SIZES):
    colorizer = Colorizer(network, Regression(), Nothing())
    return size_difference(colorizer, PROTOCOL, torch.arange(len(pictures)), pictures, sizes=sizes)


@pytest.fixture(scope="module")
def pictures():
    crops = [skimage.data.astronaut()[:320, 100:420], skimage.data.coffee()[50:370, 150:470]]
    return torch.from_numpy(np.stack(crops)).movedim(-1, 1)


def test_colours_that_do_not_mind_size_have_no_difference(pictures):
    assert found(Toy(), pictures).tolist() == pytest.approx([0, 0], abs=1e-4)  # rounding of the bicubic


def test_the_difference_is_the_mean_over_pixels_and_pairs(pictures):
    """A colour that depends on the side alone, joined to the picture's L by scikit-image."""
    L = rgb2lab(np.full((LARGEST, LARGEST, 3), 119, dtype=np.uint8))[..., :1]
    grey = torch.full((1, 3, LARGEST, LARGEST), 119, dtype=torch.uint8)
    shown = []
    for size in SIZES:
        ab = np.broadcast_to([0.05 * size, 10.0], (LARGEST, LARGEST, 2))
        shown.append(rgb2lab(np.round(255 * lab2rgb(np.concatenate([L, ab], axis=-1))) / 255))
    expected = np.mean([deltaE_ciede2000(one, other).mean() for one, other in combinations(shown, 2)])
    assert found(Toy(0.05), grey).item() == pytest.approx(expected, abs=5e-3)
    assert found(Toy(0.1), grey).item() > expected


def test_sharp_colour_of_a_coarser_look_differs_and_of_one_size_does_not(pictures):
    network = Toy(sharp=True)
    assert (found(network, pictures) > 0.5).all()
    assert found(network, pictures, sizes=(128, 128)).tolist() == [0, 0]


def test_a_picture_has_the_same_difference_alone(pictures):
    together = found(Toy(sharp=True), pictures)
    assert found(Toy(sharp=True), pictures[1:]).item() == pytest.approx(together[1].item(), rel=1e-5)


def test_what_the_network_sees_is_reduced_as_pillow_does(pictures):
    picture = Image.fromarray(pictures[0].movedim(0, -1).numpy())
    expected = np.asarray(picture.resize((96, 96), Image.Resampling.BILINEAR)).astype(int)
    apart = np.abs(reduced(pictures[:1], 96)[0].movedim(0, -1).numpy().astype(int) - expected)
    assert apart.max() <= 1
    assert torch.equal(reduced(pictures, LARGEST), pictures)


def test_it_stands_beside_whatever_else_is_told_of_a_picture(pictures):
    """Each picture is found in the large ones by its place, and columns and floors stay."""
    own = Coloured(torch.zeros(2, 2, 8, 8), {"top1": torch.ones(2)}, {"floor": torch.zeros(2, 2, 8, 8)})
    network = Toy(sharp=True)
    colorizer = Colorizer(network, Regression(), Nothing())
    large = pictures.movedim(1, -1).numpy()
    colour = with_size_difference(lambda index, truth: own, colorizer, PROTOCOL, large, {7: 1, 3: 0})
    told = colour(torch.tensor([7, 3]), torch.zeros(2, 3, 8, 8))
    assert told.columns.keys() == {"top1", NAME} and told.floors is own.floors
    assert told.columns[NAME].tolist() == pytest.approx(found(network, pictures).flip(0).tolist(), rel=1e-5)
