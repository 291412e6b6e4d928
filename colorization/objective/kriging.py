"""Points of colour that correct a colouring wherever the picture is like it is at the points.

A network colours a picture without them. Where points reveal the truth its errors r are known, and
elsewhere they are taken for those of a Gaussian process: the error to expect at x is k(x, P) (k(P, P) +
1)^-1 r (simple kriging, Matheron 1963). The covariance k comes from an embedding of every place that the
network gives beside its colours (deep kernel learning, Wilson et al. 2016, arXiv:1511.02222). Without
points nothing changes; a drawn sample is brought to agree with them in the same way (Matheron's rule;
Journel and Huijbregts 1978).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad, softplus

from colorization.data.batch import AB_SCALE, Given
from colorization.model.units import Units
from colorization.objective.base import at_stride, upsample

MOST = 256  # places at which points count; where more are revealed, so many spread over them
STEPS = 16  # of conjugate gradients
GOLDEN = (math.sqrt(5) - 1) / 2


class Colours(NamedTuple):
    """What a network's first head gives.

    Attributes:
        alone: (B, 2, H, W) the colouring without points, in CIE units.
        added: (B, 2, H, W) what points correct; its gradient reaches the field alone. None: nothing.
        field: (B, kernel + 1, h, w) by which points spread; None: they have no part in that.
        stride: pixels per place of the field.
    """

    alone: Tensor
    added: Tensor | None
    field: Tensor | None
    stride: int

    @property
    def ab(self) -> Tensor:
        """The colouring that follows the points, (B, 2, H, W)."""
        return self.alone if self.added is None else self.alone + self.added

    def distances(self, distance: Callable[[Tensor], Tensor], name: str) -> dict[str, Tensor]:
        """Of the colouring alone, which teaches colours, and of that with points, which teaches the field."""
        alone = {name: distance(self.alone)}
        return alone if self.added is None else alone | {"points": distance(self.alone.detach() + self.added)}

    def following(self, ab: Tensor, given: Given) -> Tensor:
        """Another colouring (B, 2, H, W), such as a sample, brought to agree with the points."""
        if self.field is None or given.hints is None:
            return ab
        added = correction(self.field, at_stride(ab, self.stride), given.hints, self.stride)
        return ab + upsample(added, self.stride, given.L)


def colours(y: Tensor, units: Units, stride: int, given: Given) -> Colours:
    """A head's output (B, 2 or 2 + kernel + 1, h, w), ab before the field, as colours."""
    y, field = y.tensor_split([2], dim=1)
    ab = units.decode(y)
    alone = upsample(ab, stride, given.L)
    if not field.shape[1]:
        return Colours(alone, None, None, stride)
    if given.hints is None:
        return Colours(alone, None, field, stride)
    added = correction(field, ab.detach(), given.hints, stride)
    return Colours(alone, upsample(added, stride, given.L), field, stride)


def channels(kernel: int) -> int:
    """Of the field beside ab. Raises ValueError where there can be none."""
    if kernel < 0:
        raise ValueError(f"kernel={kernel}: choose how many channels tell places apart, such as 8, or 0")
    return kernel + 1 if kernel else 0


def correction(field: Tensor, ab: Tensor, hints: Tensor, stride: int) -> Tensor:
    """What points of colour add to a colouring.

    Args:
        field: (B, kernel + 1, h, w) what the network says of every place: an embedding, in which places that
            share their errors are near, and how large these are beside the noise of a point.
        ab: (B, 2, h, w) the colouring.
        hints: (B, 3, H, W) as `colorization.hints.paint` has them.
        stride: pixels per place; h = ceil(H / stride), w = ceil(W / stride).

    Returns:
        (B, 2, h, w) in units of ab.
    """
    truth, revealed = places(hints, stride)
    embedding, size = _embedded(field.float())
    number = torch.arange(revealed[0].numel(), device=ab.device)
    order = revealed.flatten(1) * (1 + GOLDEN * number % 1)
    chosen = order.topk(min(MOST, order.shape[1])).indices[..., None]
    points, there = _at(embedding, chosen), _at(revealed.flatten(2).mT, chosen)
    large = _at(size, chosen) * there
    error = _at((truth - ab.float()).flatten(2).mT, chosen) * there
    among = covariance(points, large, points, large) + torch.eye(len(points[0]), device=ab.device)
    added = covariance(embedding, size, points, large) @ solution(among, error)
    return added.mT.unflatten(-1, field.shape[-2:])


def places(hints: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """The mean colour that is revealed in each stride x stride pixels, and whether any is.

    Shape: (B, 3, H, W) -> (B, 2, h, w) in CIE units, (B, 1, h, w) of 0 and 1.
    """
    H, W = hints.shape[-2:]
    means = avg_pool2d(pad(hints.float(), (0, -W % stride, 0, -H % stride)), stride)
    ab, share = means.split([2, 1], dim=1)
    return AB_SCALE * ab / share.clamp(min=1e-6), (share > 0).float()


def covariance(x: Tensor, x_size: Tensor, y: Tensor, y_size: Tensor) -> Tensor:
    """Of errors at x (B, N, C) and y (B, M, C), as large as (B, N, 1) and (B, M, 1) say: (B, N, M)."""
    apart = x.square().sum(-1)[..., None] + y.square().sum(-1)[:, None] - 2 * x @ y.mT
    return (-apart.clamp(min=0) / 2).exp() * (x_size @ y_size.mT)


def solution(matrix: Tensor, right: Tensor) -> Tensor:
    """Of matrix @ x = right, (B, N, N) positive definite and (B, N, C), by conjugate gradients.

    Sums and products alone, which export everywhere, as a factorisation does not.
    """
    x, residual, direction = torch.zeros_like(right), right, right
    norm = right.square().sum(dim=1, keepdim=True)
    for _ in range(STEPS):
        image = matrix @ direction
        step = norm / (direction * image).sum(dim=1, keepdim=True).clamp(min=1e-12)
        x, residual = x + step * direction, residual - step * image
        before, norm = norm, residual.square().sum(dim=1, keepdim=True)
        direction = residual + norm / before.clamp(min=1e-12) * direction
    return x


def _embedded(field: Tensor) -> tuple[Tensor, Tensor]:
    """The embedding with the place itself, in shorter sides of the picture (B, N, C), and sizes (B, N, 1)."""
    B, _, h, w = field.shape
    rows, columns = (torch.arange(n, device=field.device) / min(h, w) for n in (h, w))
    place = torch.stack(torch.meshgrid(rows, columns, indexing="ij")).expand(B, -1, -1, -1)
    embedding = torch.cat([field[:, :-1], place], dim=1)
    return embedding.flatten(2).mT, softplus(field[:, -1:]).flatten(2).mT


def _at(values: Tensor, chosen: Tensor) -> Tensor:
    """Those (B, N, C) at chosen (B, M, 1): (B, M, C)."""
    return values.gather(1, chosen.expand(-1, -1, values.shape[-1]))
