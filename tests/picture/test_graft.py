"""Colour of another tool's picture, on the original's lightness."""

import numpy as np
import skimage.data
import torch
from PIL import Image
from skimage.color import rgb2lab

from colorization.picture.graft import grafted, registration
from colorization.picture.original import Original

PHOTO = Image.fromarray(skimage.data.astronaut()).resize((160, 120))
GREY = Original(np.asarray(PHOTO.convert("L"))[..., None])


def apart(made):
    """Mean distance of ab from the truth's, and the most of L from the original's."""
    found, truth = rgb2lab(made.pixels), rgb2lab(np.asarray(PHOTO))
    own = rgb2lab(np.repeat(GREY.pixels, 3, -1))[..., 0]
    inner = (found - truth)[..., 1:]
    return np.linalg.norm(inner, axis=-1)[10:-10, 10:-10].mean(), np.abs(found[..., 0] - own).max()


def test_colour_is_taken_and_no_line_moves():
    colour, L = apart(grafted(GREY, [Original(np.asarray(PHOTO))]))
    assert colour < 3 and L < 0.9


def test_a_cut_result_is_registered():
    cut = PHOTO.crop((6, 4, 154, 114)).resize((300, 220))
    registered, L = apart(grafted(GREY, [Original(np.asarray(cut))]))
    merely = Original(np.asarray(cut.resize(PHOTO.size)))
    shifted = np.linalg.norm((rgb2lab(merely.pixels) - rgb2lab(np.asarray(PHOTO)))[..., 1:], axis=-1).mean()
    assert registered < 0.6 * shifted and L < 0.9


def test_the_map_is_the_one_that_was_made():
    L = torch.from_numpy(np.asarray(PHOTO.convert("L"), np.float32))[None, None]
    given = torch.tensor([[0.96, 0.01, 0.03], [-0.01, 0.97, -0.02]])
    grid = torch.nn.functional.affine_grid(given[None], list(L.shape), align_corners=False)
    fixed = torch.nn.functional.grid_sample(L, grid, padding_mode="border", align_corners=False)
    torch.testing.assert_close(registration(L, fixed), given, atol=0.01, rtol=0)
    torch.testing.assert_close(registration(L, L), torch.eye(2, 3), atol=0, rtol=0)


def test_the_mean_of_two_lies_between():
    red, blue = (np.full((120, 160, 3), colour, np.uint8) for colour in ((200, 120, 120), (120, 120, 200)))
    each = [rgb2lab(grafted(GREY, [Original(c)]).pixels)[..., 1:].mean((0, 1)) for c in (red, blue)]
    both = rgb2lab(grafted(GREY, [Original(red), Original(blue)]).pixels)[..., 1:].mean((0, 1))
    assert np.abs(both - np.mean(each, axis=0)).max() < 2
