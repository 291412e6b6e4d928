"""Points of colour that correct a colouring, against the formula of simple kriging written out in NumPy."""

import numpy as np
import pytest
import torch

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.hints.paint import paint
from colorization.module import Colorizer
from colorization.objective.joint import Joint
from colorization.objective.kriging import MOST, correction, places, solution
from colorization.objective.regression import Regression
from tests.objective.fixed import Fixed, batch_of

KERNEL = 3


def hints_of(ab, *corners, side=2):
    """Patches of `side` pixels at (row, column) corners, all of one picture's true colour, (B, 3, H, W)."""
    B, _, H, W = ab.shape
    top, left = (torch.tensor(corners).mT[i].expand(B, -1) for i in (0, 1))
    colour = torch.stack([ab[:, :, y : y + side, x : x + side].mean((2, 3)) for y, x in corners], dim=1)
    size = torch.full_like(top, side)
    return paint(colour, top, left, size, torch.ones_like(top).bool(), (H, W), side)


def written_out(field, ab, truth, points):
    """The error to expect at every place: k(x, P) (k(P, P) + 1)^-1 r, for one picture, place by place."""
    _, h, w = field.shape
    size = np.log1p(np.exp(field[-1]))

    def k(x, y):
        place = ((x[0] - y[0]) ** 2 + (x[1] - y[1]) ** 2) / min(h, w) ** 2
        apart = ((field[:-1, *x] - field[:-1, *y]) ** 2).sum() + place
        return size[x] * size[y] * np.exp(-apart / 2)

    among = np.array([[k(p, q) for q in points] for p in points]) + np.eye(len(points))
    errors = np.array([truth[:, *p] - ab[:, *p] for p in points])
    weights = np.linalg.solve(among, errors)
    found = np.zeros_like(ab)
    for x in np.ndindex(h, w):
        found[:, *x] = np.array([k(x, p) for p in points]) @ weights
    return found


@pytest.mark.parametrize(("H", "W"), [(24, 32), (21, 30)])
def test_it_is_simple_kriging(H, W):
    torch.manual_seed(0)
    truth, h, w = 40 * torch.randn(2, 2, H, W), -(-H // 4), -(-W // 4)
    field, ab = torch.randn(2, KERNEL + 1, h, w), 20 * torch.randn(2, 2, h, w)
    hints = hints_of(truth, (0, 0), (9, 13), (20 - 4, 25), (H - 2, W - 2))
    shown, revealed = places(hints, 4)
    for i in range(2):
        points = [tuple(p) for p in revealed[i, 0].nonzero().tolist()]
        assert len(points) >= 4
        right = written_out(*(x[i].double().numpy() for x in (field, ab, shown)), points)
        found = correction(field, ab, hints, 4)[i]
        np.testing.assert_allclose(found, right, atol=1e-3)


def test_a_place_shows_the_mean_of_what_is_revealed_in_it():
    truth = 40 * torch.randn(1, 2, 8, 8)
    shown, revealed = places(hints_of(truth, (3, 3)), 4)  # a quarter of the patch in each of four places
    assert revealed.flatten().tolist() == [1, 1, 1, 1]
    torch.testing.assert_close(shown, truth[..., 3:5, 3:5].mean((2, 3), keepdim=True).expand_as(shown))


def test_where_nothing_is_revealed_nothing_changes():
    found = correction(torch.randn(1, 4, 5, 7), torch.randn(1, 2, 5, 7), torch.zeros(1, 3, 20, 28), 4)
    assert torch.equal(found, torch.zeros(1, 2, 5, 7))


def test_what_is_like_a_point_follows_it_and_what_is_not_does_not():
    """Two halves that the embedding tells apart; a point in the left one."""
    truth, field = torch.full((1, 2, 16, 16), 30.0), torch.zeros(1, 2, 16, 16)
    field[:, 0, :, 8:], field[:, 1] = 9.0, 5.0
    found = correction(field, torch.zeros_like(truth), hints_of(truth, (7, 4)), 1)
    assert found[..., 5:10, 2:7].min() > 25 and found[..., 8:].abs().max() < 1e-3


def test_more_points_than_count_are_chosen_from_the_whole_picture():
    truth = torch.linspace(-50, 50, 32)[None, None, :, None].expand(1, 2, 32, 32)
    assert truth[0, 0].numel() > MOST
    field = torch.full((1, 2, 32, 32), 5.0)
    found = correction(field, torch.zeros(1, 2, 32, 32), torch.cat([truth / 110, truth[:, :1] * 0 + 1], 1), 1)
    assert (found - truth).abs().max() < 5


def test_conjugate_gradients_solve_as_lapack_does():
    a = torch.randn(3, 40, 8)
    matrix, right = a @ a.mT + torch.eye(40), torch.randn(3, 40, 2)
    torch.testing.assert_close(
        solution(matrix, right), torch.linalg.solve(matrix, right), atol=1e-3, rtol=1e-3
    )


@pytest.mark.parametrize("kind", [Regression, Joint])
def test_colours_learn_from_what_they_are_alone_and_the_field_from_the_points(kind):
    objective = kind(kernel=KERNEL)
    assert not objective.needs.hints
    torch.manual_seed(0)
    network = Fixed(0.3 * torch.randn(1, objective.needs.out, 4, 4), stride=2)
    plain = Fixed(network.output.detach()[:, [0, 1, *range(2 + KERNEL + 1, objective.needs.out)]], stride=2)
    batch = batch_of(30 * torch.randn(1, 2, 8, 8))
    batch = batch._replace(hints=hints_of(batch.ab, (2, 2)))
    losses = objective.loss(network, batch)
    losses.total.backward()
    kind().loss(plain, batch).total.backward()
    torch.testing.assert_close(network.output.grad[:, :2], plain.output.grad[:, :2])
    assert network.output.grad[:, 2 : 2 + KERNEL + 1].abs().amax(dim=(0, 2, 3)).min() > 0
    assert not torch.equal(losses.ab(), objective.predict(network, batch.given._replace(hints=None)))
    torch.testing.assert_close(losses.ab(), objective.predict(network, batch.given))


def test_samples_agree_with_the_points():
    objective = Joint(kernel=KERNEL)
    output = torch.randn(1, objective.needs.out, 4, 4)
    output[:, 2 + KERNEL] = 50.0  # errors far above the noise of a point
    network, truth = Fixed(output, stride=2), torch.full((1, 2, 8, 8), 30.0)
    given = Given(torch.rand(1, 1, 8, 8), hints_of(truth, (2, 2)))
    apart = [
        (objective.sample(network, g, 3)[..., 2:4, 2:4] - 30).abs().mean()
        for g in (given, given._replace(hints=None))
    ]
    assert apart[0] < 0.5 * apart[1]


def test_the_network_sees_no_hints_and_exports():
    cfg = composed(
        "train", ["model=unet", "model.width=8", "objective.kernel=4", "hints=points", "data=scenes"]
    )
    network, objective, hints = build.parts(cfg)
    colorizer = Colorizer(network, objective, hints).eval()
    assert next(network.parameters()).shape[1] == 1
    L = 100 * torch.rand(1, 1, 36, 52)
    torch.testing.assert_close(colorizer.export().module()(L), colorizer(L), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(colorizer(L), colorizer(L, hints.blank(L)))


def test_a_kernel_without_points_is_refused():
    cfg = composed("train", ["objective.kernel=4", "data=scenes"])
    with pytest.raises(ConfigError, match="takes no points; train one with hints=points"):
        build.parts(cfg)
    with pytest.raises(ValueError, match="kernel=-1: choose"):
        Regression(kernel=-1)
