"""What flows and diffusion share: colour drawn in steps, each of which is a forward of the network."""

import math
from abc import abstractmethod
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from colorization.chance import Chance
from colorization.data.batch import Given
from colorization.model.base import Network
from colorization.model.size import covering, cropped
from colorization.objective.base import Objective, output, upsample
from colorization.objective.colours import spread
from colorization.objective.prior import Packed

TYPICAL = 15.0  # the spread of photos' ab, about, until training pictures have been counted


class Stepwise(Objective):
    """Colourings of a picture, each made of random numbers in steps.

    The state z that is led from random numbers to colour is ab alone, at the network's stride: each channel
    averaged over cells of stride x stride pixels and divided by its standard deviation over the training
    pictures (`prepare`), (B, 2, ceil(H / stride), ceil(W / stride)). The network sees it beside L and hints.
    A whole state is drawn at once, so the pixels of a sample belong together.

    Args:
        steps: forwards from random numbers to colour.
    """

    std: Tensor
    most_steps: float = math.inf

    decoding = MappingProxyType({"steps": "from random numbers to colour, each a forward of the network"})

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps
        self.register_buffer("std", torch.full((2,), TYPICAL))

    @property
    def steps(self) -> int:
        """Forwards from random numbers to colour."""
        return self._steps

    @steps.setter
    def steps(self, value: int) -> None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not 1 <= value <= self.most_steps:
            most = "" if math.isinf(self.most_steps) else f" to {self.most_steps}"
            raise ValueError(f"steps={value}: choose a whole number from 1{most}")
        self._steps = value

    def prepare(self, pack: Packed) -> None:
        """Learn how far the training pictures' a and b spread; greys spread, too, if by a unit alone."""
        self.std.copy_(spread(pack.pictures).clamp(min=1.0))

    def state(self, ab: Tensor, stride: int) -> Tensor:
        """The state that shows an ab (B, 2, H, W)."""
        return avg_pool2d(ab, stride, ceil_mode=True) / self.scale

    def colours(self, z: Tensor, network: Network, given: Given) -> Tensor:
        """The ab (B, 2, H, W) that a state shows."""
        return upsample(self.scale * z, network.stride, given.L)

    @property
    def scale(self) -> Tensor:
        """The standard deviations, (2, 1, 1)."""
        return self.std[:, None, None]

    def seen(self, network: Network, given: Given, t: Tensor, *planes: Tensor) -> Tensor:
        """What the network makes of states or other planes at its stride, (B, 2, H / stride, W / stride)."""
        channels = torch.cat(planes, dim=1)
        if network.stride > 1:
            channels = interpolate(channels, scale_factor=float(network.stride), mode="nearest")
        y: Tensor = output(network, given, cropped(channels, *given.L.shape[-2:]), t=t)
        return y.float()

    def predict(self, network: Network, given: Given) -> Tensor:
        """The first sample: there is no best one."""
        return self.sample(network, given, 1)[0]

    def sample(self, network: Network, given: Given, n: int) -> Tensor:
        if n < 1:
            raise ValueError(f"n={n} samples: ask for at least 1")
        drawn = (self.drawn(network, given, given.numbers(f"sample {k}")) for k in range(n))
        return torch.stack([self.colours(z, network, given) for z in drawn])

    @abstractmethod
    def drawn(self, network: Network, given: Given, chance: Chance) -> Tensor:
        """A state in colour, made of each picture's random numbers."""


def normal(chance: Chance, network: Network, L: Tensor) -> Tensor:
    """A standard normal state of pictures with lightness L (B, 1, H, W)."""
    height, width = (covering(side, network.stride) for side in L.shape[-2:])
    return chance.normal(2, height, width)


def stratified(chance: Chance) -> Tensor:
    """Times in 0..1, one in each of B equal parts, in random order: (B,).

    The mean over a batch varies far less than with B independent times.
    """
    numbers = chance.uniform(2)
    order = numbers[:, 0].argsort().argsort()
    return (order + numbers[:, 1]) / len(numbers)
