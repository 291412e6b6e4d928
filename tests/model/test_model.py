"""Every network that a YAML selects: any size, the right channels, gradients everywhere."""

import importlib
from pkgutil import iter_modules

import pytest
import torch
import yaml
from torch import nn

from colorization import model
from colorization.config import CONF, options, signature
from colorization.model.base import Network
from colorization.model.cnn import CNN
from colorization.model.unet import Attention, Residual, UNet
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


def test_padding_repeats_the_edge():
    """A picture of an odd size is seen as if its last row and column went on."""
    net = UNet(width=8, depth=2, stride=2).eval()
    x = torch.rand(1, 1, 45, 51)
    rows, columns = torch.arange(48).clamp(max=44), torch.arange(56).clamp(max=50)
    torch.testing.assert_close(net(x), net(x[..., rows[:, None], columns])[..., :23, :26])


def test_an_output_position_sees_the_pixels_around_its_own():
    """Position 4 at stride 2: three positions of the head, blocks of two below, five pixels of the stem."""
    x = torch.rand(1, 1, 24, 24, requires_grad=True)
    UNet(width=8, depth=1, stride=2, attention=False).eval()(x)[0, 0, 4, 4].backward()
    for axis in (0, 1):
        (seen,) = x.grad[0, 0].abs().sum(axis).nonzero(as_tuple=True)
        assert (seen.min(), seen.max()) == (2, 12)


def test_attention_is_a_setting():
    assert any(isinstance(module, Attention) for module in UNet(width=8, depth=1).modules())
    assert not any(isinstance(m, Attention) for m in UNet(width=8, depth=1, attention=False).modules())


def test_attention_is_that_of_torch():
    """Residual self-attention over positions, against nn.MultiheadAttention with the same weights."""
    attention = Attention(64, "group").eval()
    nn.init.normal_(attention.out.weight)
    reference = nn.MultiheadAttention(64, num_heads=2, batch_first=True)
    with torch.no_grad():
        reference.in_proj_weight.copy_(attention.qkv.weight[..., 0, 0])
        reference.in_proj_bias.copy_(attention.qkv.bias)
        reference.out_proj.weight.copy_(attention.out.weight[..., 0, 0])
        reference.out_proj.bias.copy_(attention.out.bias)
    x = torch.randn(2, 64, 3, 5)
    tokens = attention.norm(x).flatten(2).mT
    expected = x + reference(tokens, tokens, tokens)[0].mT.reshape(x.shape)
    torch.testing.assert_close(attention(x), expected, atol=1e-5, rtol=1e-4)


def test_a_residual_block_adds_to_its_shortcut():
    block = Residual(8, 16, "group")
    x = torch.randn(1, 8, 5, 5)
    assert torch.equal(block(x), block.shortcut(x) + block.body[-1].bias[:, None, None])  # at the start
    nn.init.normal_(block.body[-1].weight)
    torch.testing.assert_close(block(x), block.shortcut(x) + block.body(x))
    assert isinstance(Residual(8, 8, "batch").shortcut, nn.Identity)


@pytest.mark.parametrize(
    "bad", [{"width": 12}, {"width": 0}, {"depth": 0}, {"depth": 9}, {"blocks": 0}, {"norm": "layer"}]
)
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


def test_every_network_has_an_option_and_every_option_a_network():
    modules = [importlib.import_module(f"colorization.model.{m.name}") for m in iter_modules(model.__path__)]
    networks = {
        f"{module.__name__}.{name}"
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Network) and value is not Network
        if value.__module__ == module.__name__
    }
    files = [CONF / "model" / f"{name}.yaml" for name in options("model")]
    assert networks == {yaml.safe_load(file.read_text(encoding="utf-8"))["_target_"] for file in files}


def test_the_network_alone_is_what_its_option_builds():
    """UNet() and model=unet are one network."""
    for name in options("model"):
        node = yaml.safe_load((CONF / "model" / f"{name}.yaml").read_text(encoding="utf-8"))
        defaults = {k: p.default for k, p in signature(node.pop("_target_")).items()}
        assert {k: v for k, v in node.items() if defaults[k] != v} == {}, name
