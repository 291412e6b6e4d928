"""What both players minimise and pay, by formulas written out."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from colorization.critic.base import Critic
from colorization.critic.game import GAMES
from colorization.critic.penalty import Penalty, steepness
from colorization.data.batch import Given

scores = st.lists(st.floats(-5, 5), min_size=2, max_size=6)


def log_sigmoid(x):
    return -math.log1p(math.exp(-x))


FORMULAS = {
    "vanilla": (lambda r, f: -(log_sigmoid(r) + log_sigmoid(-f)) / 2, lambda r, f: -log_sigmoid(f)),
    "hinge": (lambda r, f: (max(0, 1 - r) + max(0, 1 + f)) / 2, lambda r, f: -f),
    "least_squares": (lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda r, f: (f - 1) ** 2),
    "wasserstein": (lambda r, f: f - r, lambda r, f: -f),
    "relativistic": (lambda r, f: -log_sigmoid(r - f), lambda r, f: -log_sigmoid(f - r)),
}


def test_every_game_has_its_formula_here():
    assert FORMULAS.keys() == GAMES.keys()


@pytest.mark.parametrize("name", GAMES)
@given(scores)
@settings(max_examples=30, deadline=None)
def test_a_game_is_its_formula(name, values):
    real, fake = values, values[::-1]
    for loss, formula in zip(GAMES[name], FORMULAS[name], strict=True):
        expected = sum(formula(r, f) for r, f in zip(real, fake, strict=True)) / len(values)
        found = loss(*(torch.tensor(scores, dtype=torch.float64) for scores in (real, fake)))
        assert found.item() == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", GAMES)
def test_the_players_pull_the_prediction_apart(name):
    """The network gains by a higher score of a prediction, and the critic loses."""
    real, fake = torch.tensor([0.3, -0.4]), torch.tensor([-0.2, 0.5], requires_grad=True)
    (critic,) = torch.autograd.grad(GAMES[name].critic(real, fake), fake)
    (network,) = torch.autograd.grad(GAMES[name].network(real, fake), fake)
    assert (network < 0).all() and (critic.sum() > 0)


class Quadratic(Critic):
    """Scores a . ab**2 / 2 of two positions: its gradient by ab is known."""

    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))

    def forward(self, L, ab):
        square = self.weight * (ab / 110).square() / 2
        return square.sum(dim=(1, 2)) + 0 * L.mean()


@pytest.fixture
def game():
    torch.manual_seed(0)
    L, real, fake = 100 * torch.rand(3, 1, 4, 5), 30 * torch.randn(3, 2, 4, 5), 30 * torch.randn(3, 2, 4, 5)
    return Quadratic(1.5), Given(L), real, fake


def norms(ab):
    """Of the gradient 1.5 ab / 110, picture by picture."""
    return 1.5 * (ab / 110).flatten(1).norm(dim=1)


def test_steepness_is_the_squared_norm_of_each_pictures_gradient(game):
    critic, given_, real, _ = game
    torch.testing.assert_close(steepness(critic, given_.L, real), norms(real).square())


def test_penalties_are_their_formulas(game):
    critic, given_, real, fake = game
    assert Penalty(r1=3.0)(critic, given_, real, fake).item() == pytest.approx(
        1.5 * norms(real).square().mean().item()
    )
    assert Penalty(r2=3.0, every=4)(critic, given_, real, fake).item() == pytest.approx(
        4 * 1.5 * norms(fake).square().mean().item()
    )
    share = given_.numbers("mixture").uniform()[:, None, None, None]
    mixed = share * real + (1 - share) * fake
    assert Penalty(slope=10.0)(critic, given_, real, fake).item() == pytest.approx(
        10 * (norms(mixed) - 1).square().mean().item(), rel=1e-4
    )
    assert not Penalty() and Penalty(slope=1.0)


def test_a_penalty_teaches_the_critic(game):
    """R1 of a critic whose slope is proportional to its weight w is w^2, and so its gradient 2 R1 / w."""
    critic, given_, real, fake = game
    penalty = Penalty(r1=1.0, r2=1.0)(critic, given_, real, fake)
    penalty.backward()
    assert critic.weight.grad.item() == pytest.approx(2 * penalty.item() / 1.5, rel=1e-5)


def test_a_penalty_is_in_single_precision_under_autocast(game):
    _, given_, real, fake = game
    layer = torch.nn.Conv2d(2, 1, 3)

    class Convolution(Critic):
        def forward(self, L, ab):
            self.seen = layer(ab)
            return self.seen

    judge = Convolution()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(real).dtype == torch.bfloat16
        Penalty(r1=1.0)(judge, given_, real, fake)
    assert judge.seen.dtype == torch.float32


@pytest.mark.parametrize("wrong", [{"r1": -1.0}, {"slope": -0.1}, {"every": 0}])
def test_a_penalty_that_pays_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Penalty(**wrong)
