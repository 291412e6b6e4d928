import importlib.util

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorization.color import fast


@pytest.mark.parametrize("vectors", [True, False])
def test_the_table_agrees_with_scikit_image(vectors, monkeypatch):
    """With either cube root, whichever this machine prefers."""
    monkeypatch.setattr(fast, "VECTOR_CBRT", vectors)
    step = torch.tensor([0, 1, 7, 10, 11, 40, 90, 128, 200, 254, 255], dtype=torch.uint8)
    cube = torch.cartesian_prod(step, step, step)  # codes about the foot of both curves, and the corners
    expected = torch.from_numpy(rgb2lab(cube.numpy()[None]))[0].float()
    assert torch.allclose(fast.uint8_to_lab(cube.T[None, :, :, None])[0, :, :, 0].T, expected, atol=1e-3)


@pytest.mark.parametrize(
    "features", [{}, {"SIMD Extensions": {}}, {"SIMD Extensions": {"baseline": ["SSE"]}}]
)
def test_a_numpy_that_reports_no_cpu_features_will_do(features, monkeypatch):
    monkeypatch.setattr(np, "show_config", lambda mode: features)
    again = importlib.util.module_from_spec(fast.__spec__)
    fast.__spec__.loader.exec_module(again)
    grey = torch.full((1, 3, 1, 1), 119, dtype=torch.uint8)
    assert torch.allclose(again.uint8_to_lab(grey).flatten(), torch.tensor([50.034, 0, 0]), atol=1e-2)
