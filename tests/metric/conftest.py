"""Predicted and true pictures that the metrics are held against their references on."""

import numpy as np
import pytest
import skimage.data
import torch

from colorization.metric.base import Pair


def disturbed(truth: torch.Tensor, *scales: float) -> Pair:
    """Pictures beside themselves with noise, on 8-bit levels."""
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor(scales)[:, None, None, None]
    return Pair(((truth + scale * noise).clamp(0, 1) * 255).round() / 255, truth)


@pytest.fixture
def pair() -> Pair:
    """Photos of 128 x 128 pixels, (3, 3, 128, 128): no two errors alike."""
    crops = [skimage.data.astronaut()[:128, 100:228], skimage.data.coffee()[100:228, 200:328]]
    crops.append(skimage.data.chelsea()[50:178, 100:228])
    return disturbed(torch.from_numpy(np.stack(crops)).movedim(-1, 1) / 255, 0.02, 0.05, 0.2)


@pytest.fixture
def large() -> Pair:
    """A photo of 192 x 180 pixels, large enough for five scales."""
    crop = torch.from_numpy(skimage.data.astronaut()[:192, 100:280].copy()).movedim(-1, 0)[None] / 255
    return disturbed(crop, 0.1)


def arrays(pair: Pair) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each prediction and its truth as (H, W, 3) float64."""
    sides = [x.movedim(1, -1).double().numpy() for x in (pair.predicted, pair.truth)]
    return list(zip(*sides, strict=True))
