"""Whether a network, an objective and hints go together, tried on a small picture before anything else."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from colorization.config import ConfigError
from colorization.data.batch import Batch
from colorization.hints.base import Hints
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Objective

SIZE = (37, 53)  # no multiple of any stride
RIGHT = "Losses(total=..., ab=lambda: ...)"


def input_channels(objective: Objective, hints: Hints) -> int:
    """Of the network: lightness, hints, and what else the objective feeds."""
    return 1 + objective.needs.hints * hints.channels + objective.needs.extra_in


def check(network: Network, objective: Objective, hints: Hints) -> None:
    """Hold a network against what is asked of it.

    Raises:
        ConfigError: naming the network and what it does not fulfil.
    """
    name, needs = type(network).__name__, objective.needs
    if needs.time and not network.takes_time:
        feeds = f"which {type(objective).__name__} feeds"
        remedy = "choose a network with takes_time, such as model=unet"
        raise ConfigError([f"{name}: takes no time t, {feeds}; {remedy}"])
    if not needs.hints:
        hints.clicked([], (1, 1), (1, 1))  # refuses where hints are no points
    training = network.training
    outputs = _outputs(network.eval(), objective, hints, SIZE)
    network.train(training)
    channels = sum(y.shape[1] for y in outputs)
    if channels != needs.out:
        asked = f"gives {channels} channels, and {type(objective).__name__} reads {needs.out}"
        raise ConfigError([f"{name}: {asked}; its last layer should have out_channels"])
    strides = network.head_strides or (network.stride,)
    for y, stride in zip(outputs, strides, strict=True):
        expected = tuple(-(-side // stride) for side in SIZE)
        if y.shape[-2:] != expected:
            (H, W), (h, w) = SIZE, y.shape[-2:]
            says = f"its stride {stride} promises {expected[0]} x {expected[1]}"
            remedy = "set the attribute stride, and pad or crop inside to ceil(side / stride)"
            raise ConfigError([f"{name}: gives {h} x {w} for a picture of {H} x {W}, {says}; {remedy}"])


def losses_of(objective: Objective, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
    """What an objective's loss gives for a batch.

    Raises:
        ConfigError: it is no Losses with a scalar total.
    """
    name = f"{type(objective).__name__}.loss"
    try:
        losses = objective.loss(network, batch, turn)
    except TypeError as error:
        if "Losses.__new__()" not in str(error):
            raise
        raise ConfigError([f"{name}: {error}; should give {RIGHT}"]) from error
    if not isinstance(losses, Losses):
        raise ConfigError([f"{name}: gives {type(losses).__name__}, should give {RIGHT}"])
    if not isinstance(losses.total, Tensor) or losses.total.dim():
        raise ConfigError([f"{name}: total is {_form(losses.total)}, should be a scalar tensor"])
    return losses


def prediction(losses: Losses, batch: Batch, objective: Objective) -> Tensor:
    """The prediction of a loss, ab (B, 2, H, W). Raises ConfigError where it has another shape."""
    ab = losses.ab()
    if not isinstance(ab, Tensor) or ab.shape != batch.ab.shape:
        right = f"should give {tuple(batch.ab.shape)}, CIE units"
        raise ConfigError([f"{type(objective).__name__}.loss: ab() gives {_form(ab)}, {right}"])
    return ab


def _form(value: Any) -> str:
    return f"a tensor {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def check_lone_picture(network: Network, objective: Objective, hints: Hints, size: int) -> None:
    """Raise a ConfigError where the network cannot train on one picture of this size at a time."""
    try:
        _outputs(deepcopy(network).train(), objective, hints, (size, size))
    except ValueError as error:  # batch norm's
        what = (
            f"data.batch_size=1 data.image_size={size}: too little for {type(network).__name__} to train on"
        )
        remedy = "give larger batches or pictures, or model.norm=group where there is one"
        raise ConfigError([f"{what}; {remedy} ({error})"]) from error


def _outputs(
    network: Network, objective: Objective, hints: Hints, size: tuple[int, int]
) -> tuple[Tensor, ...]:
    L = torch.full((1, 1, *size), 50.0)
    more = L.new_zeros(1, objective.needs.extra_in, *size)
    x = network.units.encode(L, hints.blank(L) if objective.needs.hints else None, more)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        try:
            y = network(x, L.new_zeros(1)) if objective.needs.time else network(x)
        except RuntimeError as error:
            if "channels" not in str(error):
                raise
            fault = f"{type(network).__name__}: does not take {x.shape[1]} channels"
            raise ConfigError([f"{fault}; its first layer should have in_channels ({error})"]) from error
    return (y,) if isinstance(y, Tensor) else tuple(y)
