"""A trained network as a graph without Python: lightness in, ab out, and what it holds likely."""

from typing import Any

import torch
from torch import Tensor, nn

from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.hints.base import Hints
from colorization.hints.points import Points
from colorization.model.base import Network
from colorization.model.spectral import folded
from colorization.objective.adversarial import Adversarial
from colorization.objective.base import Objective

EXAMPLE = (75, 109)  # height and width that are traced; no stride divides them


class Graph(nn.Module):
    """L (1, 1, H, W) 0..100 -> ab (1, 2, H, W) in CIE units, as `Objective.colouring` decodes it.

    Args:
        network, objective, hints: of a Colorizer.
        everything: also takes points of colour, hints (1, 3, H, W) as `colorization.hints.paint` has them,
            where the network sees them, and gives `Objective.distribution`, p (1, Q, h, w), where it is.

    Raises:
        ConfigError: the objective colours in steps.
    """

    def __init__(self, network: Network, objective: Objective, hints: Hints, everything: bool = False):
        super().__init__()
        objective = objective.generator if isinstance(objective, Adversarial) else objective
        if objective.needs.extra_in or objective.needs.time:
            kind = type(objective).__name__.lower()
            fault = f"{kind} colours in steps, out of random numbers, which no graph of one forward holds"
            raise ConfigError([f"{fault}; give format=safetensors, which colorization opens again"])
        self.network = folded(network).to(memory_format=torch.contiguous_format)
        self.objective, self.hints = objective, hints
        self.hinted = everything and objective.needs.hints and isinstance(hints, Points)
        self.weighed = everything and objective.has_distribution
        self.inputs = ["L", "hints"] if self.hinted else ["L"]
        self.outputs = ["ab", "p"] if self.weighed else ["ab"]
        self.eval()

    def forward(self, L: Tensor, hints: Tensor | None = None) -> Any:
        if hints is None and self.objective.needs.hints:
            hints = self.hints.blank(L)
        given = Given(L, hints)
        network: Any = _Once(self.network)
        ab = self.objective.colouring(network, given)
        return (ab, self.objective.distribution(network, given).p) if self.weighed else ab

    def example(self) -> tuple[Tensor, ...]:
        """Inputs of a size."""
        L = torch.full((1, 1, *EXAMPLE), 50.0, device=next(self.network.parameters()).device)
        return (L, torch.zeros_like(L).repeat(1, 3, 1, 1)) if self.hinted else (L,)

    def program(self) -> torch.export.ExportedProgram:
        """For any H and W."""
        size = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
        return torch.export.export(
            self,
            self.example(),
            dynamic_shapes=dict.fromkeys(self.inputs, size),
            prefer_deferred_runtime_asserts_over_guards=True,
        )


class _Once:
    """A network that is asked once: what it gave is given again."""

    def __init__(self, network: Network):
        self.network, self.made = network, None
        self.units, self.stride, self.head_strides = network.units, network.stride, network.head_strides

    def __call__(self, x: Tensor) -> Any:
        if self.made is None:
            self.made = self.network(x)
        return self.made
