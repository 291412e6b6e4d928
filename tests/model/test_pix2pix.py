"""The U-Net of pix2pix: its size as published, its layers, any size of picture."""

import pytest
import torch
from torch import nn

from colorization.model.pix2pix import Pix2Pix


def test_it_has_as_many_parameters_as_the_authors_code_prints():
    """54.414 M for three channels in and out ("unet_256")."""
    assert sum(p.numel() for p in Pix2Pix(3, 3).parameters()) == 54_413_955


def test_dropout_and_norms_stand_where_they_should():
    network = Pix2Pix(width=4)
    with_dropout = [any(isinstance(m, nn.Dropout) for m in layer) for layer in network.grow]
    assert with_dropout == [False, True, True, True, False, False, False, False]
    normed = [any(isinstance(m, nn.BatchNorm2d) for m in layer) for layer in network.shrink]
    assert normed == [False, True, True, True, True, True, True, False]
    assert [any(isinstance(m, nn.BatchNorm2d) for m in layer) for layer in network.grow] == [True] * 7 + [
        False
    ]
    assert all(0.017 < m.weight.std() < 0.023 for m in network.modules() if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize("size", [(32, 32), (37, 53), (64, 33)])
def test_any_size(size):
    network = Pix2Pix(width=2, depth=5).eval()
    assert network(torch.randn(1, 1, *size)).shape == (1, 2, *size)


def test_the_whole_picture_matters_to_each_pixel():
    network = Pix2Pix(width=8, depth=5).double().eval()
    x = torch.randn(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0, 0, 0].backward()
    assert x.grad[0, 0, -8:, -8:].abs().max() > 0


@pytest.mark.parametrize("wrong", [{"width": 0}, {"depth": 4}, {"depth": 11}])
def test_a_fault_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Pix2Pix(**wrong)
