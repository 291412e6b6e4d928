"""Sizes that a network may have any of."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def padded(x: Tensor, multiple: int) -> Tensor:
    """Edges repeated to the right and below, (B, C, H, W) -> sides that are the next multiples."""
    height, width = x.shape[-2:]
    return pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def cropped(y: Tensor, height: int, width: int) -> Tensor:
    """The top left corner, (..., H, W) -> (..., height, width).

    In a graph that is exported for any size a slice would be bound to whether there was anything to cut off
    in the example; picking rows and columns is not.
    """
    if not torch.compiler.is_exporting():
        return y[..., :height, :width]
    rows, columns = torch.arange(height, device=y.device), torch.arange(width, device=y.device)
    return y.index_select(-2, rows).index_select(-1, columns)
