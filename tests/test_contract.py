"""Mistakes in a network, an objective or a metric of one's own are answered in words."""

import sys

import pytest
import torch
from torch import nn

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.batch import Batch
from colorization.metric.base import Pair, metric
from colorization.model.base import Network
from colorization.model.units import Units
from colorization.objective.base import Losses
from colorization.objective.regression import Regression


class Good(Network):
    units = Units()

    def __init__(self, in_channels=1, out_channels=2):
        super().__init__()
        self.layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x):
        return self.layer(x)


class WrongOutput(Good):
    def __init__(self, in_channels=1, out_channels=2):
        super().__init__(in_channels, 3)


class WrongInput(Good):
    def __init__(self, in_channels=1, out_channels=2):
        super().__init__(5, out_channels)


class Coarse(Good):
    """Half the size, and no stride says so."""

    def forward(self, x):
        return self.layer(x)[..., ::2, ::2]


class NoSuper(Good):
    def __init__(self, in_channels=1, out_channels=2):
        self.layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)


class NoUnits(Network):
    def __init__(self, in_channels=1, out_channels=2):
        super().__init__()


class NoSuperObjective(Regression):
    """No module is assigned, and so torch itself would not complain before training."""

    def __init__(self):
        self.kind, self.delta = "l1", 10.0


class Dictionary(Regression):
    def loss(self, network, batch, turn="network"):
        return {"loss": super().loss(network, batch).total}


class NoTotal(Regression):
    def loss(self, network, batch, turn="network"):
        return Losses(ab=lambda: self.predict(network, batch.given))


class ManyTotals(Regression):
    def loss(self, network, batch, turn="network"):
        losses = super().loss(network, batch)
        return losses._replace(total=losses.total.expand(2))


class Lightness(Regression):
    def loss(self, network, batch, turn="network"):
        return super().loss(network, batch)._replace(ab=lambda: batch.L)


@metric(unit="dB", better="higher")
def scalar(pair: Pair):
    return pair.truth.mean()


def configured(**targets):
    cfg = composed("train", ["model=cnn", "trainer.accelerator=cpu"])
    for group, name in targets.items():
        cfg[group] = {"_target_": f"{__name__}.{name}"}
    return cfg


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("WrongOutput", "WrongOutput: gives 3 channels, and Regression reads 2; its last layer"),
        ("WrongInput", "WrongInput: does not take 1 channels; its first layer should have in_channels"),
        ("Coarse", "Coarse: gives 19 x 27 for a picture of 37 x 53, its stride 1 promises 37 x 53"),
        ("NoSuper", "NoSuper: its __init__ should begin with super().__init__()"),
        ("NoUnits", "should be a colorization.model.base.Network with units"),
    ],
)
def test_a_network_that_does_not_fit_is_told_what_to_change(model, words):
    with pytest.raises(ConfigError) as caught:
        build.colorizer(configured(model=model))
    assert words in str(caught.value)


def test_an_objective_without_super_is_told_before_anything_is_trained():
    with pytest.raises(ConfigError, match=r"NoSuperObjective: its __init__ should begin with super\(\)"):
        build.colorizer(configured(objective="NoSuperObjective"))


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ("Dictionary", "Dictionary.loss: gives dict, should give Losses(total=..., ab=lambda: ...)"),
        ("NoTotal", "argument: 'total'; should give Losses(total=..., ab=lambda: ...)"),
        ("ManyTotals", "ManyTotals.loss: total is a tensor (2,), should be a scalar tensor"),
        ("Lightness", "Lightness.loss: ab() gives a tensor (2, 1, 16, 16), should give (2, 2, 16, 16)"),
    ],
)
def test_a_loss_that_is_none_is_told_what_to_give(objective, words):
    colorizer = build.colorizer(configured(objective=objective))
    picture = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    batch = Batch(torch.rand(2, 1, 16, 16), torch.rand(2, 2, 16, 16), torch.arange(2), picture=picture)
    colorizer.log_dict = lambda *arguments, **settings: None  # there is no trainer to log to
    with pytest.raises(ConfigError) as caught:
        colorizer.validation_step(batch, 0)
    assert words in str(caught.value)


def test_a_metric_of_a_scalar_is_told_what_to_give():
    cfg = configured()
    cfg.metric = {**cfg.metric, "scalar": f"{__name__}.scalar"}
    with pytest.raises(ConfigError, match=r"scalar gives shape \(\): a metric gives one number per picture"):
        build.colorizer(cfg)


def test_other_errors_of_a_network_keep_their_traceback(monkeypatch):
    """An error in somebody's code is not put in words: file and line are worth more."""

    def broken(self, x):
        return self.layer(x).no_such_method()

    monkeypatch.setattr(sys.modules[__name__].Good, "forward", broken)
    with pytest.raises(AttributeError, match="no_such_method"):
        build.colorizer(configured(model="Good"))
