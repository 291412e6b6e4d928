"""Colour and class: the loss written out, labels that are missing, and a class head that learns."""

import pytest
import torch
from torch import nn

from colorization.config import InputError
from colorization.data.batch import Batch
from colorization.model.base import Network
from colorization.model.iizuka import Iizuka
from colorization.model.units import Units
from colorization.objective.labelled import Labelled


class Plain(Network):
    units = Units(ab_scale=100.0)

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(x)


def batch(labels=None, size=16):
    generator = torch.Generator().manual_seed(0)
    L = 100 * torch.rand(4, 1, size, size, generator=generator)
    ab = 30 * torch.randn(4, 2, size, size, generator=generator)
    extra = {} if labels is None else {"label": torch.tensor(labels)}
    return Batch(L, ab, torch.arange(4), extra=extra)


def test_the_loss_is_mse_over_0_to_1_and_a_three_hundredth_of_cross_entropy():
    network, objective = Plain(7), Labelled(classes=5)
    seen = batch([0, 4, -1, 2])
    losses = objective.loss(network, seen)
    y = network(network.units.encode(seen.L))
    ab = 100 * y[:, :2].tanh()
    colour = ((ab + 100) / 200 - (seen.ab + 100) / 200).square().mean()
    logits = y[:, 2:].mean(dim=(2, 3)).log_softmax(dim=1)
    classes = -(logits[0, 0] + logits[1, 4] + logits[3, 2]) / 3  # the third has no label
    torch.testing.assert_close(losses.total, colour + classes / 300)
    torch.testing.assert_close(losses.logged["classes"], classes)
    torch.testing.assert_close(losses.ab(), ab)


def test_without_labels_colour_alone_is_learnt():
    network, objective = Plain(7), Labelled(classes=5)
    unlabelled, none = batch(), batch([-1, -1, -1, -1])
    losses = objective.loss(network, unlabelled)
    assert set(losses.logged) == {"colour"} and torch.equal(losses.total, losses.logged["colour"])
    torch.testing.assert_close(objective.loss(network, none).total, losses.total)
    losses.total.backward()
    assert network.conv.weight.grad[2:].abs().max() == 0 < network.conv.weight.grad[:2].abs().max()


def test_classes_are_learnt_by_the_head_that_the_network_has_for_them():
    torch.manual_seed(0)
    network, objective = Iizuka(out_channels=4, classes=2, size=32, width=4), Labelled(classes=2, weight=1.0)
    seen = batch([0, 1, 0, 1], size=32)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        losses = objective.loss(network, seen)
        losses.total.backward()
        optimizer.step()
    assert losses.logged["right"] == 1 and losses.logged["classes"] < 0.1
    assert losses.ab().shape == seen.ab.shape


def test_a_class_that_is_none_is_named():
    with pytest.raises(
        InputError, match=r"label: 0\.\.7, and classes are 0\.\.4 .* objective.classes and .* 8 or"
    ):
        Labelled(classes=5).loss(Plain(7), batch([0, 1, 2, 7]))
    for settings in ({"classes": 0}, {"weight": -1.0}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            Labelled(**settings)
