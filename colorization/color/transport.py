"""The colours of another picture, taken on as a whole: the statistics of ab, moved by optimal transport.

Between two normal distributions the map that moves least, by the mean square, is linear: of Monge and
Kantorovich, in closed form (Olkin and Pukelsheim 1982; for colours Pitié and Kokaram 2007).
"""

from typing import NamedTuple

import torch
from torch import Tensor

NOISE = 1.0  # variance in ab units that counts as nobody's colour, so that a grey picture's is not blown up


class Statistics(NamedTuple):
    """Of a picture's colours, in CIE units.

    Attributes:
        mean: (2,) of a and b, float64.
        covariance: (2, 2).
    """

    mean: Tensor
    covariance: Tensor


def statistics(ab: Tensor) -> Statistics:
    """Of one picture (2, H, W)."""
    values = ab.flatten(1).double()
    return Statistics(values.mean(dim=1), torch.cov(values, correction=0))


def transported(ab: Tensor, to: Statistics) -> Tensor:
    """Pictures (B, 2, H, W), each with the mean and the covariance of other colours."""
    return torch.stack([_transported(each, to) for each in ab])


def _transported(ab: Tensor, to: Statistics) -> Tensor:
    mean, covariance = (part.to(to.mean.device) for part in statistics(ab))
    root = _root(covariance + NOISE * torch.eye(2).to(covariance))
    inverse = torch.linalg.inv(root)
    matrix = inverse @ _root(root @ to.covariance @ root) @ inverse
    moved = matrix.to(ab) @ (ab.flatten(1) - mean.to(ab)[:, None]) + to.mean.to(ab)[:, None]
    return moved.unflatten(1, ab.shape[1:])


def _root(matrix: Tensor) -> Tensor:
    """The square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
