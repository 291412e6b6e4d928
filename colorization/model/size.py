"""Sizes that a network may have any of."""

import torch
from torch import Tensor


def cropped(y: Tensor, height: int, width: int) -> Tensor:
    """The top left corner, (..., H, W) -> (..., height, width).

    In a graph that is exported for any size a slice would be bound to whether there was anything to cut off
    in the example; picking rows and columns is not.
    """
    if not torch.compiler.is_exporting():
        return y[..., :height, :width]
    rows, columns = torch.arange(height, device=y.device), torch.arange(width, device=y.device)
    return y.index_select(-2, rows).index_select(-1, columns)
