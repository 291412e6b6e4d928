"""Colours moved as a whole, against the closed form by SciPy's matrix square root and against sorting."""

import numpy as np
import pytest
import torch
from scipy.linalg import inv, sqrtm

from colorization.color.transport import NOISE, statistics, transported


def colours(seed, *spread):
    """Correlated colours, (2, 24, 31)."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.tensor([[1.0, 0.4], [-0.7, 1.0]]) * torch.tensor(spread)
    return (mixed @ torch.randn(2, 24 * 31, generator=generator)).unflatten(1, (24, 31)) + seed


def test_it_is_the_linear_map_of_monge_and_kantorovich():
    ab, other = torch.stack([colours(1, 8, 14), colours(2, 20, 6)]), colours(3, 12, 25)
    moved = transported(ab, statistics(other))
    target = np.cov(other.flatten(1), bias=True)
    for before, after in zip(ab.double(), moved.double(), strict=True):
        values = before.flatten(1).numpy()
        root = sqrtm(np.cov(values, bias=True) + NOISE * np.eye(2))
        matrix = inv(root) @ sqrtm(root @ target @ root) @ inv(root)
        mean, wanted = values.mean(1, keepdims=True), other.flatten(1).double().numpy().mean(1, keepdims=True)
        np.testing.assert_allclose(after.flatten(1), matrix @ (values - mean) + wanted, atol=1e-3)
        np.testing.assert_allclose(after.flatten(1).mean(1, keepdims=True), wanted, atol=1e-4)
        np.testing.assert_allclose(np.cov(after.flatten(1), bias=True), target, rtol=0.05, atol=1)


def test_no_linear_map_onto_these_colours_moves_less():
    ab, other = colours(1, 8, 14), colours(3, 12, 25)
    moved = transported(ab[None], statistics(other))[0]
    least = (moved - ab).square().sum(dim=0).mean()
    centre = moved.mean(dim=(1, 2), keepdim=True)
    root = torch.from_numpy(sqrtm(np.cov(moved.flatten(1), bias=True)).real).float()
    for angle in (0.2, -0.2, 1.0):
        turn = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).float()
        turned = torch.einsum("ij,jhw->ihw", root @ turn @ torch.linalg.inv(root), moved - centre) + centre
        assert (turned - ab).square().sum(dim=0).mean() > least


@pytest.mark.parametrize("shape", [(2, 9, 7), (2, 1, 1)])
def test_a_grey_picture_takes_the_mean_alone(shape):
    other = colours(3, 12, 25)
    moved = transported(torch.zeros(1, *shape), statistics(other))
    torch.testing.assert_close(moved, other.mean(dim=(1, 2))[None, :, None, None].expand(1, *shape))
