"""Whether a network, an objective and hints go together, tried on a small picture before anything else."""

import torch
from torch import Tensor

from colorization.config import ConfigError
from colorization.hints.base import Hints
from colorization.model.base import Network
from colorization.objective.base import Objective

SIZE = (37, 53)  # no multiple of any stride


def input_channels(objective: Objective, hints: Hints) -> int:
    """Of the network: lightness, hints, and what else the objective feeds."""
    return 1 + hints.channels + objective.needs.extra_in


def check(network: Network, objective: Objective, hints: Hints) -> None:
    """Hold a network against what is asked of it.

    Raises:
        ConfigError: naming the network and what it does not fulfil.
    """
    name, needs = type(network).__name__, objective.needs
    if needs.time and not network.takes_time:
        feeds = f"which {type(objective).__name__} feeds"
        raise ConfigError([f"{name}: takes no time t, {feeds}; choose a network with takes_time"])
    outputs = _outputs(network, objective, hints)
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


def _outputs(network: Network, objective: Objective, hints: Hints) -> tuple[Tensor, ...]:
    L = torch.full((1, 1, *SIZE), 50.0)
    more = L.new_zeros(1, objective.needs.extra_in, *SIZE)
    x = network.units.encode(L, hints.blank(L), more)
    training = network.training
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        try:
            y = network.eval()(x, L.new_zeros(1)) if objective.needs.time else network.eval()(x)
        except RuntimeError as error:
            if "channels" not in str(error):
                raise
            fault = f"{type(network).__name__}: does not take {x.shape[1]} channels"
            raise ConfigError([f"{fault}; its first layer should have in_channels ({error})"]) from error
        finally:
            network.train(training)
    return (y,) if isinstance(y, Tensor) else tuple(y)
