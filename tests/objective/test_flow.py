"""Flows against closed forms: where the truth is normal or one colour, the best network is known."""

import pytest
import torch
from torch import nn

from colorization.chance import Chance
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.model.unet import UNet
from colorization.model.units import Units
from colorization.objective.flow import Flow
from tests.objective.gaussian import MEAN, SPREAD, flowing, moments


class Knows(Network):
    """Always gives one clean state."""

    units = Units()
    takes_time = True
    calls = 0

    def forward(self, x, t):
        self.calls += 1
        return torch.full_like(x[:, :2], 0.5)


class Curved(Network):
    """Smooth in all that it is given, in double precision, with a batch norm that counts."""

    units = Units()
    takes_time = True

    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Tanh(), nn.Conv2d(6, 2, 1)
        ).double()

    def forward(self, x, t):
        return self.body(x.double()) * (1 + t.double()[:, None, None, None] ** 2)


def batch(ab=None, count=4, side=8):
    ab = 10 * torch.randn(count, 2, side, side) if ab is None else ab
    return Batch(torch.full((len(ab), 1, side, side), 50.0), ab, torch.arange(len(ab)))


@pytest.mark.parametrize("steps", [1, 3, 16])
@pytest.mark.parametrize("solver", ["euler", "heun"])
def test_one_clean_colour_is_reached_in_any_steps(steps, solver):
    flow, network = Flow(steps=steps, solver=solver), Knows()
    ab = flow.predict(network, Given(torch.zeros(1, 1, 4, 4)))
    torch.testing.assert_close(
        ab, (0.5 * flow.std)[None, :, None, None].expand(-1, -1, 4, 4), atol=1e-4, rtol=0
    )
    assert network.calls == (steps if solver == "euler" else 2 * steps - 1)


@pytest.mark.parametrize("predicts", ["clean", "velocity"])
def test_the_best_network_draws_the_truth_s_distribution(predicts):
    flow = Flow(predicts=predicts, steps=20)
    mean, spread = moments(flow, flowing(predicts))
    assert mean == pytest.approx(MEAN, abs=0.02) and spread == pytest.approx(SPREAD, rel=0.12)
    one, _ = moments(Flow(predicts=predicts, steps=1), flowing(predicts))
    assert one == pytest.approx(MEAN, abs=0.02)


def test_heun_comes_nearer_than_euler_in_as_many_forwards():
    off = {}
    for solver, steps in (("euler", 15), ("heun", 8)):
        flow, network = Flow(predicts="velocity", steps=steps, solver=solver), flowing("velocity")
        off[solver] = abs(moments(flow, network)[1] - SPREAD)
        assert network.calls == 15
    assert off["heun"] < 0.5 * off["euler"]


def test_the_accurate_colours_are_the_mean_from_one_forward():
    flow, network = Flow(), flowing()
    ab = flow.accurate(network, Given(torch.zeros(2, 1, 6, 6)))
    torch.testing.assert_close(ab, (MEAN * flow.std)[None, :, None, None].expand_as(ab), atol=1e-4, rtol=0)
    assert network.calls == 1


def test_the_loss_is_the_squared_error_of_the_velocity():
    torch.manual_seed(0)
    seen, clean, velocity = batch(), Flow(predicts="clean"), Flow(predicts="velocity")
    given = seen.given
    x, e = seen.ab / clean.std[0], given.numbers("source").normal(2, 8, 8)
    t = clean.loss(Knows(), seen).total  # of the clean prediction, by the formula
    from colorization.objective.stepwise import stratified

    times = stratified(given.numbers("time"))[:, None, None, None]
    z = (1 - times) * x + times * e
    expected = ((z - 0.5) / times.clamp(min=0.05) - (z - x) / times.clamp(min=0.05)).square().mean()
    torch.testing.assert_close(t, expected)
    torch.testing.assert_close(velocity.loss(Knows(), seen).total, (0.5 - (e - x)).square().mean())


def test_the_slope_of_an_average_velocity_is_that_of_finite_differences():
    torch.manual_seed(0)
    flow, seen = Flow(predicts="velocity", average=1.0), batch()
    network = Curved(4)
    z, along = torch.randn(4, 2, 8, 8).double(), torch.randn(4, 2, 8, 8).double()
    t, span = torch.rand(4).double(), 0.3 * torch.rand(4).double()
    flow.seen = lambda network, given, t, *planes: network(torch.cat([given.L, *planes], dim=1), t)
    velocity, slope = flow._slope(network, seen.given, None, z, t, span, along)
    step = 1e-5
    ahead, behind = (
        flow._velocity(network, seen.given, None, z + h * along, t + h, span + h) for h in (step, -step)
    )
    torch.testing.assert_close(slope, (ahead - behind) / (2 * step), atol=1e-6, rtol=1e-5)
    assert velocity.requires_grad and not slope.requires_grad and slope.abs().max() > 0.1


def test_a_compiled_network_has_the_same_slope():
    torch.manual_seed(0)
    flow, seen = Flow(predicts="velocity", average=1.0), batch(side=8)
    network = UNet(4, 2, width=8, depth=1, norm="group", takes_time=True)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    along, half = torch.randn(4, 2, 2, 2), torch.full((4,), 0.5)
    _, slope = flow._slope(network, seen.given, None, torch.zeros(4, 2, 2, 2), half, half, along)
    network.compile(backend="aot_eager")
    _, again = flow._slope(network, seen.given, None, torch.zeros(4, 2, 2, 2), half, half, along)
    assert slope.abs().max() > 0.01
    torch.testing.assert_close(again, slope)


def test_straight_lines_have_one_velocity_over_any_interval():
    """Where the truth is one colour, the clean prediction is right for every average velocity: no error."""
    flow = Flow(average=1.0)
    ab = (0.5 * flow.std)[None, :, None, None].expand(8, -1, 8, 8)
    losses = flow.loss(Knows(), batch(ab))
    assert losses.logged["velocity_error"] < 1e-6
    assert flow.loss(Knows(), batch()).logged["velocity_error"] > 0.1


def test_an_average_velocity_is_told_its_interval_and_takes_one_step():
    class Listens(Knows):
        def forward(self, x, t):
            self.told = x[:, 3], t
            return super().forward(x, t)

    flow, network = Flow(average=0.25, steps=2), Listens()
    assert flow.needs.extra_in == 3
    flow.predict(network, Given(torch.zeros(1, 1, 4, 4)))
    span, t = network.told
    assert (span == 0.5).all() and t.item() == 0.5
    flow.accurate(network, Given(torch.zeros(1, 1, 4, 4)))
    assert (network.told[0] == 0).all() and network.told[1].item() == 1
    with pytest.raises(ValueError, match="solver=heun: an average velocity is exact"):
        Flow(average=0.25, solver="heun")


def test_a_share_of_the_pictures_learns_intervals():
    from colorization.objective.flow import _shares

    length = _shares(Chance(torch.arange(4000)), 0.25)
    assert (length > 0).float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert length[length > 0].mean().item() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(
    "setting", [{"condition": "l"}, {"predicts": "noise"}, {"sigma": 0.0}, {"average": 2.0}]
)
def test_a_setting_out_of_range_is_refused(setting):
    (name, value), *_ = setting.items()
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        Flow(**setting)
