"""TorchScript files, for programs in C++ that have LibTorch."""

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorization.exported.facts import KEY
from colorization.exported.parity import Colouring
from colorization.graph import Graph
from colorization.model.base import Network
from colorization.model.spectral import folded

FACTS = f"{KEY}.json"  # the extra file that holds the facts


def write(graph: Graph, path: Path, facts: dict[str, Any]) -> None:
    """Write a graph, traced, with its facts beside it."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # it is deprecated, and says so of each tensor whose shape is asked
        traced = torch.jit.trace(graph, graph.example(), check_trace=False, strict=False)
        torch.jit.save(traced, path, _extra_files={FACTS: json.dumps(facts)})


def runs(path: Path) -> Colouring:
    """The file in TorchScript: L (1, 1, H, W) -> ab (1, 2, H, W), without hints."""
    found = {FACTS: ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.load(path, _extra_files=found)
    hinted = "hints" in json.loads(found[FACTS])["inputs"]

    def colour(L: Tensor) -> Tensor:
        with torch.no_grad():
            made = module(L, L.new_zeros(1, 3, *L.shape[2:])) if hinted else module(L)
        return made[0] if isinstance(made, tuple) else made

    return colour


class Half(Network):
    """A copy of a network in half precision, between single: what surrounds it computes as it did."""

    def __init__(self, network: Network):
        super().__init__()
        self.network = folded(network).half()
        self.units, self.stride, self.head_strides = network.units, network.stride, network.head_strides

    def forward(self, x: Tensor) -> Any:
        made = self.network(x.half())
        return tuple(y.float() for y in made) if isinstance(made, tuple) else made.float()
