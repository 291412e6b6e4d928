"""What a network can do on the page."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.module import Colorizer


class Abilities(NamedTuple):
    """For each thing, why the network cannot do it, in words; the empty string: it can.

    Attributes:
        points: follow points of colour.
        likely: say which colours are likely at a point.
        samples: give several colourings.
        vivid: be stretched from accurate to vivid.
    """

    points: str = ""
    likely: str = ""
    samples: str = ""
    vivid: str = ""


def abilities(colorizer: Colorizer) -> Abilities:
    """What a network, its objective and its hints can do, tried on a small picture."""
    network, objective, hints = colorizer.network, colorizer.objective, colorizer.hints
    L = torch.full((1, 1, 32, 32), 50.0, device=colorizer.device)
    kind = type(objective).__name__.lower()
    return Abilities(
        points=_why_not(lambda: hints.clicked([], (1, 1), (1, 1))),
        likely=_why_not(lambda: objective.distribution(network, Given(L, hints.blank(L)))),
        samples="" if objective.samples else f"{kind} gives one colouring, and no samples",
        vivid="" if objective.vividness else "vivid was not fitted on this network's validation photos",
    )


@torch.no_grad()
def _why_not(attempt: Callable[[], object]) -> str:
    """What an attempt is refused with, or the empty string."""
    try:
        attempt()
    except ConfigError as error:
        return error.faults[0]
    return ""
