"""What depends on what, that drawing is what was learnt, and that samples are coherent."""

import math

import pytest
import torch
from torch import nn

from colorization.chance import Chance
from colorization.color.gamut import in_gamut
from colorization.config import ConfigError
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.model.units import Units
from colorization.objective.autoregressive import Autoregressive
from colorization.objective.axial import Axial, Layer

SMALL = {"size": 4, "features": 8, "width": 16, "heads": 2}


class Plain(Network):
    units = Units()

    def __init__(self, channels=8):
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(x)


def axial(side=4):
    torch.manual_seed(0)
    return Axial(bins=11, features=3, side=side, width=16, heads=2, outer=2, inner=2)


def test_a_place_depends_on_all_before_it_and_on_none_after():
    decoder = axial()
    bins, features = torch.randint(11, (1, 4, 4)), torch.randn(1, 3, 4, 4)
    with torch.no_grad():
        logits = decoder(bins, features)
        for place in range(16):
            other = bins.clone()
            other.view(-1)[place] = (other.view(-1)[place] + 1) % 11
            change = (decoder(other, features) - logits).abs().amax(dim=1).flatten()
            assert (change[: place + 1] == 0).all()
            assert (change[place + 1 :] > 0).all()


def test_every_place_depends_on_what_is_seen_there():
    decoder = axial()
    bins, features = torch.randint(11, (1, 4, 4)), torch.randn(1, 3, 4, 4)
    with torch.no_grad():
        for row, column in ((0, 0), (2, 1), (3, 3)):
            other = features.clone()
            other[..., row, column] += 1
            change = (decoder(bins, other) - decoder(bins, features)).abs().amax(dim=1)[0]
            assert change[row, column] > 0 and (change[:row] == 0).all()


def test_what_is_drawn_step_by_step_is_what_the_whole_pass_says():
    decoder, seen = axial(), []

    def chosen(logits, place):
        seen.append(logits)
        return (logits.argmax(dim=1) + place) % 11

    features = torch.randn(3, 3, 4, 4)
    bins = decoder.draw(features, chosen)
    with torch.no_grad():
        whole = decoder(bins, features)
    torch.testing.assert_close(torch.stack(seen, dim=2), whole.flatten(2), atol=1e-5, rtol=1e-4)


def test_attention_is_torch_s_along_its_axis():
    layer = Layer(16, 2, down=True, causal=True)
    reference = nn.MultiheadAttention(16, 2, batch_first=True)
    with torch.no_grad():
        reference.in_proj_weight.copy_(layer.qkv.weight)
        reference.in_proj_bias.copy_(layer.qkv.bias)
        reference.out_proj.weight.copy_(torch.eye(16))
        reference.out_proj.bias.zero_()
        x = torch.randn(1, 5, 3, 16)
        later = torch.ones(5, 5).triu(1).bool()
        for column in range(3):
            expected, _ = reference(*[x[:, :, column]] * 3, attn_mask=later)
            torch.testing.assert_close(layer._attended(x)[:, :, column], expected, atol=1e-5, rtol=1e-4)


def batch(n=2, size=24):
    generator = torch.Generator().manual_seed(0)
    L = 100 * torch.rand(n, 1, size, size, generator=generator)
    return Batch(L, 30 * torch.randn(n, 2, size, size, generator=generator), torch.arange(n))


def test_the_loss_is_the_cross_entropy_of_bins_of_area_means():
    network, objective, seen = Plain(), Autoregressive(**SMALL), batch()
    losses = objective.loss(network, seen)
    ab = seen.ab.unflatten(-1, (4, 6)).unflatten(-3, (4, 6)).mean(dim=(3, 5))
    bins = (ab.movedim(1, -1)[..., None, :] - in_gamut()).square().sum(dim=-1).argmin(dim=-1)
    features = objective._features(network, seen.given)
    probabilities = objective.decoder(bins, features).softmax(dim=1)
    marginal = objective.parallel(features).softmax(dim=1)
    nats, apart = (-p.gather(1, bins[:, None]).log().mean() for p in (probabilities, marginal))
    torch.testing.assert_close(losses.total, 0.99 * nats + 0.01 * apart)
    bits = losses.measured()["bits_per_pixel"].mean()
    torch.testing.assert_close(bits, nats.detach() / math.log(2))


def test_all_of_it_learns_and_terms_reach_the_network_while_training():
    network, objective, seen = Plain(), Autoregressive(**SMALL), batch()
    groups = objective.players(network)["network"].groups
    named = {id(p) for group in groups for p in group["params"]}
    assert named == {id(p) for module in (network, objective) for p in module.parameters()}
    losses = objective.loss(network, seen)
    losses.total.backward(retain_graph=True)
    assert all(p.grad is not None for module in (network, objective) for p in module.parameters())
    network.zero_grad()
    (losses.ab() - seen.ab).abs().mean().backward()
    assert network.conv.weight.grad.abs().max() > 0
    torch.testing.assert_close(losses.ab(), objective.accurate(network, seen.given))
    network.eval()
    evaluated = objective.loss(network, seen)
    torch.testing.assert_close(evaluated.ab(), objective.predict(network, seen.given))


def test_samples_belong_to_the_picture_and_fewer_are_the_first_of_more():
    network, objective = Plain().eval(), Autoregressive(**SMALL).eval()
    L = 100 * torch.rand(3, 1, 24, 20)
    together = objective.sample(network, Given(L, chance=Chance(torch.arange(3))), 3)
    alone = objective.sample(network, Given(L[1:2], chance=Chance(torch.tensor([1]))), 2)
    assert together.shape == (3, 3, 2, 24, 20)
    torch.testing.assert_close(alone[:, 0], together[:2, 1], atol=1e-3, rtol=1e-4)
    assert (together[0] - together[1]).abs().max() > 1


def test_what_is_drawn_has_the_frequencies_of_the_distribution():
    objective = Autoregressive(**SMALL | {"size": 2}).eval()
    share = torch.zeros(313)
    share[[3, 100, 250]] = torch.tensor([0.5, 0.3, 0.2])
    with torch.no_grad():
        objective.decoder.out.weight.zero_()
        objective.decoder.out.bias.copy_((share + 1e-12).log())
    given = Given(torch.full((1500, 1, 2, 2), 50.0), chance=Chance(torch.arange(1500)))
    for temperature, expected in ((1.0, share), (0.5, share**2 / (share**2).sum())):
        objective.decode(temperature=temperature)
        ab = objective.sample(Plain().eval(), given, 1)[0]
        bins = torch.cdist(ab.movedim(1, -1).reshape(-1, 2), in_gamut()).argmin(dim=1)
        counted = torch.bincount(bins, minlength=313) / len(bins)
        torch.testing.assert_close(counted, expected, atol=0.03, rtol=0)


def test_a_grid_of_colours_is_enlarged_and_given_back_where_nothing_is():
    objective = Autoregressive(**SMALL)
    ab, L = 20 * torch.randn(1, 2, 4, 4), 100 * torch.rand(1, 1, 4, 4)
    torch.testing.assert_close(objective._enlarged(ab, Given(L)), ab, atol=1e-3, rtol=1e-4)
    halves = torch.tensor([20.0, 20.0, 80.0, 80.0]).expand(1, 1, 4, 4)  # an edge between two greys
    ab = (halves - 50).expand(-1, 2, -1, -1)
    L = halves.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)
    enlarged = objective._enlarged(ab, Given(L))
    torch.testing.assert_close(enlarged, (L - 50).expand(-1, 2, -1, -1), atol=1.0, rtol=0)


def test_a_picture_of_one_of_two_colours_is_drawn_in_one_of_them():
    """The same grey, red or blue as a whole: places drawn by themselves would be of both."""
    torch.manual_seed(0)
    network, objective = Plain(), Autoregressive(**SMALL, outer=1, inner=1)
    red, blue = torch.tensor([50.0, 30.0]), torch.tensor([20.0, -60.0])
    ab = torch.stack([red, blue])[:, :, None, None].expand(-1, -1, 8, 8)
    seen = Batch(torch.full((2, 1, 8, 8), 50.0), ab, torch.arange(2))
    optimizer = torch.optim.Adam(objective.players(network)["network"].groups, lr=1e-2)
    for _ in range(120):
        optimizer.zero_grad()
        objective.loss(network, seen).total.backward()
        optimizer.step()
    network.eval()
    given = Given(torch.full((40, 1, 8, 8), 50.0), chance=Chance(torch.arange(40)))
    drawn = objective.sample(network, given, 1)[0]
    spread = drawn.flatten(2).amax(dim=2) - drawn.flatten(2).amin(dim=2)
    assert (spread < 1).all(dim=1).float().mean() > 0.9  # by themselves: one in 2 ** 15
    reds = (drawn[:, 1, 0, 0] > 0).float().mean()
    assert 0.25 < reds < 0.75


def test_errors_name_what_was_given():
    for setting, value in (("size", 1), ("heads", 3), ("parallel", 1.0), ("temperature", 0)):
        with pytest.raises(ValueError, match=f"{setting}={value}"):
            Autoregressive(**{setting: value})
    with pytest.raises(ConfigError, match="temperature=0"):
        Autoregressive(**SMALL).decode(temperature=0)
