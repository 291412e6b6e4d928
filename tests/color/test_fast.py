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
