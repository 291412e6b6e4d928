"""Networks that are told a time: they hear it, and without one they are what they were."""

import pytest
import torch

from colorization.model.encoder_unet import EncoderUNet
from colorization.model.time import Clock, FiLM
from colorization.model.unet import UNet

MAKERS = {
    "unet": lambda **more: UNet(4, 3, width=8, depth=2, blocks=2, **more),
    "encoder_unet": lambda **more: EncoderUNet(4, 3, weights="none", width=8, **more),
}


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


def stirred(network):
    """With weights that are nowhere 0, as they are once it has learnt."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return network.eval()


def test_time_changes_the_output_of_its_own_picture_alone(make):
    network, x = stirred(make(takes_time=True)), torch.rand(2, 4, 37, 53)
    with torch.no_grad():
        early, late = (network(x, torch.tensor([0.2, t])) for t in (0.2, 0.9))
    assert early.shape == (2, 3, 10, 14)
    torch.testing.assert_close(early[0], late[0])
    assert (early[1] - late[1]).abs().max() > 1e-2


def test_a_fresh_network_is_the_same_at_every_time(make):
    network, x = make(takes_time=True).eval(), torch.rand(1, 4, 16, 16)
    with torch.no_grad():
        assert torch.equal(network(x, torch.tensor([0.1])), network(x, torch.tensor([0.8])))


def test_without_time_there_is_nothing_of_it(make):
    plain, timed = make(), make(takes_time=True)
    assert set(plain.state_dict()) < set(timed.state_dict())
    assert {name.split(".")[0] for name in set(timed.state_dict()) - set(plain.state_dict())} >= {"clock"}
    stirred(timed).load_state_dict(plain.state_dict(), strict=False)
    for module in timed.modules():
        if isinstance(module, FiLM):
            module.linear.weight.data.zero_(), module.linear.bias.data.zero_()
    x = torch.rand(1, 4, 24, 16)
    with torch.no_grad():
        torch.testing.assert_close(plain.eval()(x), timed(x, torch.tensor([0.3])))


def test_film_scales_and_shifts_each_channel_by_itself():
    film = FiLM(3)
    torch.nn.init.normal_(film.linear.weight)
    x, time = torch.randn(2, 3, 4, 5), torch.randn(2, 128)
    factor, shift = (time @ film.linear.weight.T + film.linear.bias).split(3, dim=1)
    for b in range(2):
        for c in range(3):
            torch.testing.assert_close(film(x, time)[b, c], x[b, c] * (1 + factor[b, c]) + shift[b, c])


def test_times_that_differ_by_a_hundredth_are_told_apart():
    torch.manual_seed(0)
    with torch.no_grad():
        near = Clock()(torch.linspace(0, 1, 101))
    assert torch.pdist(near).min() > 0.1 * torch.pdist(near).max()
