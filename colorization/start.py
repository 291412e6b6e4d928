"""A network that starts from a trained run's: `start=RUN`."""

import logging

from torch import Tensor

from colorization.config import ConfigError
from colorization.model.base import Network
from colorization.reopen import open_run

PREFIX = "network."

log = logging.getLogger(__name__)


def start(network: Network, name: str) -> None:
    """Give a network the weights of a run's, wherever both have them.

    Where one of them has more input or output channels, such as hints, bins or a kernel, the first ones are
    taken and the others start afresh, as does what the run's network has not.

    Args:
        network: as it was built.
        name: a run, a checkpoint or a small file, as `open_run` takes it.

    Raises:
        ConfigError: there is no such run, or its network is another one.
    """
    run = open_run(name)
    stored = {k.removeprefix(PREFIX): v for k, v in run.state["state_dict"].items() if k.startswith(PREFIX)}
    own = network.state_dict()
    both = [key for key in own if key in stored]
    other = [key for key in both if not _alike(own[key], stored[key])]
    if other or not both:
        some = ", ".join(f"{key} {_sizes(stored[key])} for {_sizes(own[key])}" for key in other[:3])
        kind = run.config.model._target_.rpartition(".")[2]
        remedy = f"it is a {kind}, whose settings {run.folder / 'config.yaml'} has"
        raise ConfigError([f"start={name}: its network is another one{some and ': '}{some}; {remedy}"])
    afresh = [key for key in own if key not in stored]
    for key in both:
        part = tuple(slice(min(a, b)) for a, b in zip(own[key].shape, stored[key].shape, strict=True))
        own[key][part] = stored[key][part].to(own[key].dtype)
        if own[key].shape != stored[key].shape:
            afresh.append(f"a part of {key}")
    log.info("starts from %s%s", run.name, f"; afresh: {', '.join(afresh)}" if afresh else "")


def _alike(own: Tensor, stored: Tensor) -> bool:
    """Whether they differ in one of the first two sizes at most."""
    if own.dim() != stored.dim():
        return False
    differ = [i for i, (a, b) in enumerate(zip(own.shape, stored.shape, strict=True)) if a != b]
    return len(differ) <= 1 and all(i < 2 for i in differ)


def _sizes(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "one number"
