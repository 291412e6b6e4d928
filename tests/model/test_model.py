"""Every network that a YAML selects: any size, the right channels, gradients everywhere."""

import pytest
import torch

from colorization.config import options
from colorization.model.cnn import CNN
from colorization.model.unet import UNet
from colorization.model.units import Units


def test_the_notebook_network_has_the_notebook_count():
    assert sum(p.numel() for p in CNN().parameters()) == 739_650


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (32, 48), (33, 31)])
def test_cnn_takes_any_size(size):
    assert CNN()(torch.zeros(2, 1, *size)).shape == (2, 2, *size)


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("size", [(3, 5), (32, 48), (65, 33)])
def test_unet_takes_any_size(size, stride, norm):
    net = UNet(in_channels=3, out_channels=5, width=8, depth=2, stride=stride, norm=norm).eval()
    expected = tuple(-(-side // stride) for side in size)
    assert net(torch.zeros(2, 3, *size)).shape == (2, 5, *expected)


def test_padding_does_not_reach_far():
    """A picture's prediction hardly depends on whether it had to be padded."""
    net = UNet(width=8, depth=1, stride=2, attention=False).eval()
    x = torch.rand(1, 1, 64, 64)
    whole, part = net(x), net(x[..., :62])
    assert torch.allclose(whole[..., :20], part[..., :20], atol=1e-6)


@pytest.mark.parametrize("bad", [{"width": 12}, {"width": 0}, {"depth": 0}, {"blocks": 0}, {"norm": "layer"}])
def test_unet_names_a_bad_setting(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        UNet(**bad)


def test_units_scale_and_bound():
    units = Units(L_center=50, L_scale=25, ab_scale=100, bounded=True)
    L = torch.tensor([0.0, 50.0, 100.0]).reshape(3, 1, 1, 1)
    assert units.encode(L).flatten().tolist() == [-2, 0, 2]
    assert units.decode(torch.tensor([[50.0]])).item() == pytest.approx(100)
    assert Units(ab_scale=110, bounded=False).decode(torch.tensor(2.0)).item() == 220
    hints = torch.ones(3, 4, 1, 1)
    assert units.encode(L, hints).shape == (3, 5, 1, 1)


def test_the_model_folder_and_its_options_agree():
    assert {"cnn", "unet"} <= set(options("model"))
