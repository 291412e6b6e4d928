"""Sizes that a network may have any of."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def covering(side: int, stride: int) -> int:
    """How many strides it takes to cover a side: ceil(side / stride).

    No number below 0 is divided: ONNX cuts whole quotients off towards 0, where Python rounds down, so that
    -(-side // stride) would be one too few there.
    """
    return (side + stride - 1) // stride


def padded(x: Tensor, multiple: int) -> Tensor:
    """Edges repeated to the right and below, (B, C, H, W) -> sides that are the next multiples."""
    down, right = (covering(side, multiple) * multiple - side for side in x.shape[-2:])
    return pad(x, (0, right, 0, down), mode="replicate")


def cropped(y: Tensor, height: int, width: int) -> Tensor:
    """The top left corner, (..., H, W) -> (..., height, width).

    In a graph that is exported for any size a slice would be bound to whether there was anything to cut off
    in the example; picking rows and columns is not.
    """
    if not torch.compiler.is_exporting():
        return y[..., :height, :width]
    rows, columns = torch.arange(height, device=y.device), torch.arange(width, device=y.device)
    return y.index_select(-2, rows).index_select(-1, columns)
