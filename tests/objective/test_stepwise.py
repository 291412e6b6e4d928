"""What flows and diffusion share: the state, its random numbers, its times."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from colorization import build
from colorization.chance import Chance
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.batch import Batch, Given
from colorization.objective.diffusion import Diffusion
from colorization.objective.flow import Flow
from colorization.objective.stepwise import stratified
from tests.objective.fixed import Fixed
from tests.objective.gaussian import flowing

SMALL = ["model=unet", "model.width=8", "model.depth=1"]


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_the_state_is_the_mean_of_each_cell_in_units_of_its_channel(stride, height, width):
    flow, ab = Flow(), torch.randn(1, 2, height, width)
    flow.std.copy_(torch.tensor([2.0, 5.0]))
    found = flow.state(ab, stride)
    for i in range(found.shape[2]):
        for j in range(found.shape[3]):
            cell = ab[0, :, i * stride : (i + 1) * stride, j * stride : (j + 1) * stride]
            torch.testing.assert_close(found[0, :, i, j], cell.mean(dim=(1, 2)) / flow.std)
    assert found.shape[2:] == (-(-height // stride), -(-width // stride))


def test_a_state_shows_the_colours_that_it_is_the_state_of():
    flow, ab = Flow(), torch.tensor([[[[30.0]], [[-12.0]]]]).expand(-1, -1, 21, 13)
    network = Fixed(torch.zeros(1, 2, 6, 4), stride=4)
    shown = flow.colours(flow.state(ab, 4), network, Given(torch.zeros(1, 1, 21, 13)))
    torch.testing.assert_close(shown, ab)


def test_the_network_sees_each_value_of_the_state_over_its_cell():
    class Seen(Fixed):
        def forward(self, x, t):
            self.x, self.t = x, t
            return self.output

    network, z = Seen(torch.zeros(1, 2, 3, 2), stride=4), torch.randn(1, 2, 3, 2)
    Flow().seen(network, Given(torch.full((1, 1, 10, 7), 75.0)), torch.tensor([0.3]), z)
    assert (network.x[:, 0] == 0.5).all() and network.t.item() == pytest.approx(0.3)
    expected = np.kron(z[0, 0].numpy(), np.ones((4, 4)))[:10, :7]
    assert np.allclose(network.x[0, 1].numpy(), expected)


def test_the_spread_is_that_of_the_training_pictures():
    class Pack:
        pictures = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)

    flow = Flow()
    flow.prepare(Pack())
    expected = rgb2lab(Pack.pictures[:, ::4, ::4]).reshape(-1, 3)[:, 1:].std(axis=0)
    assert flow.std.numpy() == pytest.approx(expected, rel=1e-3)
    assert "std" in flow.state_dict()


@given(st.integers(1, 40), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_one_time_lies_in_each_part(count, seed):
    times = stratified(Chance(torch.arange(count), seed))
    assert sorted((times * count).long().tolist()) == list(range(count))
    assert times.min() > 0 and times.max() < 1


def test_times_are_in_random_order_and_uniform():
    each = torch.stack([stratified(Chance(torch.arange(8), seed)) for seed in range(500)])
    assert (each[:, 0] * 8).long().bincount(minlength=8).min() > 30  # the first picture gets every part
    assert each.mean(dim=1).std() < 0.3 * (1 / 12 / 8) ** 0.5  # of independent times it is that


@pytest.mark.parametrize("objective", ["flow", "diffusion"])
def test_samples_are_those_of_the_picture_alone_and_of_fewer(objective):
    colorizer = build.colorizer(
        composed("train", [*SMALL, f"objective={objective}", "objective.steps=3"])
    ).eval()
    L, ab = 100 * torch.rand(3, 1, 20, 28), 20 * torch.randn(3, 2, 20, 28)
    seen = colorizer.seen(Batch(L, ab, torch.arange(3)))
    with torch.no_grad():
        together = colorizer.objective.sample(colorizer.network, seen.given, 3)
        alone = colorizer.seen(Batch(L[1:2], ab[1:2], torch.tensor([1])))
        fewer = colorizer.objective.sample(colorizer.network, alone.given, 2)
        first = colorizer.objective.predict(colorizer.network, seen.given)
    torch.testing.assert_close(together[:2, 1:2], fewer, atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(together[0], first)
    assert (together[0] - together[1]).abs().max() > 0.1 and (
        together[0, 0] - together[0, 1]
    ).abs().max() > 0.1


def test_steps_are_a_setting_of_decoding():
    flow, network = Flow(steps=4), flowing()
    flow.decode(steps=7)
    flow.predict(network, Given(torch.zeros(1, 1, 4, 4)))
    assert network.calls == 7
    for wrong in (0, 2.5, True, "4"):
        with pytest.raises(ConfigError, match=f"steps={wrong}: choose a whole number from 1"):
            flow.decode(steps=wrong)
    with pytest.raises(ValueError, match="steps=1001: choose a whole number from 1 to 1000"):
        Diffusion(steps=1001)


@pytest.mark.parametrize("objective", ["flow", "diffusion"])
def test_weights_are_averaged_unless_that_is_taken_out(objective):
    assert "ema" in composed("train", [f"objective={objective}"]).callback
    assert "ema" not in composed("train", [f"objective={objective}", "~callback.ema"]).callback
    assert "ema" not in composed("train", []).callback


@pytest.mark.parametrize("objective", ["flow", "diffusion"])
def test_a_loss_term_acts_on_the_colours_of_the_same_forward(objective):
    colorizer = build.colorizer(composed("train", [*SMALL, f"objective={objective}"])).train()
    batch = colorizer.seen(
        Batch(100 * torch.rand(2, 1, 16, 16), 20 * torch.randn(2, 2, 16, 16), torch.arange(2))
    )
    calls, forward = [], colorizer.network.forward
    colorizer.network.forward = lambda *given: calls.append(given) or forward(*given)
    ab = colorizer.objective.loss(colorizer.network, batch).ab()
    assert len(calls) == 1 and ab.requires_grad and ab.shape == (2, 2, 16, 16)
