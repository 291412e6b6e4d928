"""Networks that metrics need: the library that defines one downloads its weights, or the metric is absent."""

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import nn

from colorization.config import installation
from colorization.metric.base import Absent

Maker = Callable[[], nn.Module]

log = logging.getLogger(__name__)


def network(make: Maker, device: torch.device) -> nn.Module:
    """The network that `make` builds, frozen, once in a process. Raises Absent."""
    module = _made(make)
    if isinstance(module, str):
        raise Absent(module)
    return module.to(device)


@cache
def _made(make: Maker) -> nn.Module | str:
    """The network, or the reason why there is none: nobody waits for the same download twice."""
    name, place = make.__name__.strip("_"), Path(torch.hub.get_dir()) / "checkpoints"
    log.info("%s: its weights are read from %s, or downloaded to there once", name, place)
    try:
        return make().eval().requires_grad_(False)
    except ImportError as error:
        return f"{error.name or error} is not installed: {installation('generative')}"
    except OSError as error:  # no connection, or no room
        return f"its weights are not in TORCH_HOME/hub/checkpoints and could not be downloaded ({error})"
