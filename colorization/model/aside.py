"""A trained network that another module asks and never trains."""

from collections.abc import Callable
from typing import Any, Self

from torch import nn


class Aside(nn.Module):
    """A module that asks a frozen network, which is none of its sub-modules but follows to its device.

    It is in no checkpoint, in no average and in nobody's turn, and stays in evaluation mode.
    """

    frozen: Any

    def __init__(self, frozen: Any):
        super().__init__()
        self.__dict__["frozen"] = frozen.eval().requires_grad_(False)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        self.frozen._apply(fn)
        return super()._apply(fn, recurse)
