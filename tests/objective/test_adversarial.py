"""Any objective against a critic: both losses by their formulas, and whose turn it is."""

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.critic.base import Critic
from colorization.critic.penalty import Penalty
from colorization.critic.turns import Turns
from colorization.data.batch import Given
from colorization.objective.adversarial import CRITIC, Adversarial, coarse, shared
from colorization.objective.base import NETWORK
from colorization.objective.classification import Classification
from colorization.objective.regression import Regression
from colorization.objective.vivid import Vividness
from tests.objective.fixed import Fixed, batch_of


class Linear(Critic):
    """Scores w . (a - b) of each pixel, whatever its lightness."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))

    def forward(self, L, ab):
        return self.weight * (ab[:, :1] - ab[:, 1:]) / 110


def objective(generator=None, critic=None, **settings):
    return Adversarial(generator or Regression(), critic or Linear(), torch.optim.Adam, **settings)


@pytest.fixture
def network():
    return Fixed(torch.randn(2, 2, 4, 6))


@pytest.fixture
def batch():
    return batch_of(30 * torch.randn(2, 2, 4, 6))


def scores(ab):
    return 0.5 * (ab[:, 0] - ab[:, 1]) / 110


def test_the_network_is_asked_what_the_other_objective_asks_and_to_deceive(network, batch):
    own = Regression().loss(network, batch)
    both = objective(weight=0.3).loss(network, batch)
    deceit = softplus(-scores(own.ab())).mean()
    torch.testing.assert_close(both.total, own.total + 0.3 * deceit)
    torch.testing.assert_close(both.logged["generator"], own.total.detach())
    torch.testing.assert_close(both.logged["adversarial"], deceit.detach())
    (gradient,) = torch.autograd.grad(both.total - own.total, network.output)
    assert gradient.abs().max() > 0


def test_the_critic_is_asked_to_tell_and_never_moves_the_network(network, batch):
    learns = objective(penalty=Penalty(r1=2.0))
    losses = learns.loss(network, batch, CRITIC)
    predicted = Regression().predict(network, batch.given)
    real, fake = scores(batch.ab), scores(predicted)
    penalty = 24 * 2 * 0.5**2  # half the weight, pixels, channels, slope
    torch.testing.assert_close(losses.logged["penalty"].item(), penalty)
    told = (softplus(-real).mean() + softplus(fake).mean()) / 2
    torch.testing.assert_close(losses.total, told + penalty)
    assert losses.logged["real"].item() == pytest.approx(real.mean().item(), abs=1e-6)
    assert losses.logged["fake"].item() == pytest.approx(fake.mean().item(), abs=1e-6)
    assert losses.logged["right"].item() == pytest.approx((real > fake).float().mean().item())
    assert losses.logged["spread"].item() == pytest.approx(torch.cat([real, fake]).std().item(), rel=1e-5)
    losses.total.backward()
    assert network.output.grad is None and learns.critic.weight.grad is not None


def test_in_evaluation_the_loss_is_the_other_objectives(network, batch):
    network.eval()
    assert objective(weight=5.0).loss(network, batch).total == Regression().loss(network, batch).total


def test_the_penalty_comes_at_its_interval(network, batch):
    learns = objective(penalty=Penalty(r1=1.0, every=3))
    came = ["penalty" in learns.loss(network, batch, CRITIC).logged for _ in range(7)]
    assert came == [True, False, False, True, False, False, True]
    assert learns.state_dict()["judged"] == 7, "a resumed run goes on counting"


def test_the_critic_sees_the_truth_as_coarse_as_the_output_is():
    ab = 30 * torch.randn(1, 2, 8, 8)
    assert coarse(ab, 1) is ab
    cells = ab.reshape(1, 2, 4, 2, 4, 2).mean(dim=(3, 5))
    expected = nn.functional.interpolate(cells, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(coarse(ab, 2), expected)
    even = torch.full((1, 2, 7, 9), 3.0)
    torch.testing.assert_close(coarse(even, 4), even)
    seen = []

    class Watching(Linear):
        def forward(self, L, ab):
            seen.append(ab)
            return super().forward(L, ab)

    objective(critic=Watching()).loss(Fixed(torch.randn(1, 2, 4, 4), stride=2), batch_of(ab), CRITIC)
    torch.testing.assert_close(seen[0], expected)


def test_who_is_due(network, batch):
    assert objective().due(network, 0.3) == [CRITIC, NETWORK]
    learns = objective(turns=Turns(alone=0.5, critic=0.5, cycles=1))
    assert learns.due(network, 0.2) == [NETWORK]
    assert "adversarial" not in learns.loss(network, batch).logged, "alone, it is judged by nobody"
    assert learns.due(network, 0.6) == [CRITIC]
    assert learns.due(network, 0.9) == [CRITIC, NETWORK]
    assert "adversarial" in learns.loss(network, batch).logged


def test_the_network_waits_for_a_critic_that_knows(network, batch):
    """The threshold of NoGAN: the critic until its loss is below, the network once, the critic again."""
    learns = objective(turns=Turns(threshold=0.65))
    knows = 0.6

    class Settled(Linear):
        def forward(self, L, ab):
            return torch.full_like(L, settled)

    learns.critic = Settled()
    settled = 0.0  # a loss of log 2
    taken = []
    for _ in range(3):
        (turn,) = learns.due(network, 0.5)
        learns.loss(network, batch, turn)
        taken.append(turn)
    learns.game = learns.game._replace(critic=lambda real, fake: torch.tensor(knows))
    for _ in range(4):
        (turn,) = learns.due(network, 0.5)
        learns.loss(network, batch, turn)
        taken.append(turn)
    assert taken == [CRITIC] * 4 + [NETWORK, CRITIC, NETWORK]
    again = objective(turns=Turns(threshold=0.65))
    learns.loss(network, batch, CRITIC)
    again.satisfied.copy_(learns.state_dict()["satisfied"])
    assert again.due(network, 0.5) == [NETWORK], "a resumed run knows whose turn it is"


def test_a_loss_of_one_process_is_its_own():
    loss = torch.tensor(0.4)
    assert shared(loss) == loss


def test_what_the_other_objective_is_stays_so():
    """Needs, columns, decoding, samples and vividness."""
    generator = Classification()
    learns = objective(generator)
    assert learns.needs == generator.needs and learns.columns == generator.columns and learns.samples
    learns.decode(temperature=0.2)
    assert generator.temperature == 0.2
    network = Fixed(torch.randn(1, 313, 4, 4))
    given = Given(50 * torch.ones(1, 1, 4, 4))
    for method in ("predict", "accurate", "colouring"):
        assert torch.equal(
            getattr(learns, method)(network, given), getattr(generator, method)(network, given)
        )
    assert torch.equal(learns.sample(network, given, 2), generator.sample(network, given, 2))
    learns.vividness = Vividness(1.5, 1.3)
    assert generator.vividness == Vividness(1.5, 1.3) == learns.vividness
    learns.decode(vivid=0.5)
    assert learns.vivid == 0.5
    assert torch.equal(learns.colouring(network, given), generator.colouring(network, given))
    with pytest.raises(ConfigError, match="give one"):
        learns.decode(vivid=0.5, temperature=0.3)
    assert not objective().samples


def test_a_critic_judges_any_objective(batch):
    """Its gradient reaches the network through every way of becoming colour."""
    for name in ("classification", "joint"):
        small = ("model=unet", "model.width=8", "objective.critic.width=8", "objective.weight=1.0")
        against = ("objective=adversarial", f"objective@objective.generator={name}")
        colorizer = build.colorizer(composed("train", [*against, *small]))
        large = colorizer.seen(batch_of(30 * torch.randn(2, 2, 32, 32)))
        both = colorizer.objective.loss(colorizer.network, large)
        own = colorizer.objective.generator.loss(colorizer.network, large)
        gradients = torch.autograd.grad(both.total - own.total, list(colorizer.network.parameters()))
        assert sum(g.abs().sum() for g in gradients) > 1e-4, name


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"game": "chess"}, "choose vanilla, hinge"), ({"weight": -1.0}, "choose 0 or more")],
)
def test_a_fault_is_named(settings, words):
    with pytest.raises(ValueError, match=words):
        objective(**settings)
