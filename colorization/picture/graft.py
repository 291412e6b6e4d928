"""The colour of any tool's result, laid on the original's own lightness."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from colorization.color import lab
from colorization.color.upsampling import Guided
from colorization.data.decode import to_tensor
from colorization.picture.join import joined
from colorization.picture.original import Original

SIDE = 256  # pixels of the longer side on which pictures are registered
LEVELS = (4, 2, 1)
STEPS = 15
MOST = 2048  # pixels of the longer side of the colour that is taken


def grafted(original: Original, coloured: Sequence[Original], gamut: lab.GamutMapping = "chroma") -> Original:
    """The original with the mean colour of these, each registered to it by its lightness.

    Their sizes and proportions may differ from the original's; what lies beyond their edges repeats them.
    """
    scale = min(1, MOST / max(original.size))
    width, height = (max(round(side * scale), 1) for side in original.size)
    small = original.shown((width, height))
    L, _ = lab.split(to_tensor(small))
    labs = [_registered(L, original, other) for other in coloured]
    ab = torch.stack(labs).mean(dim=0)
    return joined(original, Guided(ab, L, (original.size[1], original.size[0])), gamut)


def registration(moving: Tensor, fixed: Tensor) -> Tensor:
    """The affine map (2, 3), in PyTorch's coordinates of -1..1, that lays one lightness on another.

    Gauss-Newton on the difference of standardised lightness, from coarse to fine (Lucas and Kanade 1981).
    Both are (1, 1, H, W) of one size. Where no map makes them more alike, they are left as they are.
    """
    theta = torch.eye(2, 3)
    for level in LEVELS:
        one, other = (_standard(torch.nn.functional.avg_pool2d(x, level)) for x in (moving, fixed))
        for _ in range(STEPS):
            theta = theta + _step(one, other, theta)
    identity = torch.eye(2, 3)
    return theta if _apart(moving, fixed, theta) < 0.98 * _apart(moving, fixed, identity) else identity


def _registered(L: Tensor, original: Original, coloured: Original) -> Tensor:
    """Ab of a coloured picture where the original's pixels are, (1, 2, h, w)."""
    scale = min(1, SIDE / max(original.size))
    width, height = (max(round(side * scale), 8) for side in original.size)
    moving, fixed = (lab.split(to_tensor(o.shown((width, height))))[0] for o in (coloured, original))
    size = (L.shape[-1], L.shape[-2])
    _, ab = lab.split(to_tensor(coloured.shown(size)))
    theta = registration(moving, fixed)
    if torch.equal(theta, torch.eye(2, 3)):
        return ab
    return _moved(ab, theta)


def _moved(x: Tensor, theta: Tensor) -> Tensor:
    grid = affine_grid(theta[None], list(x.shape), align_corners=False)
    return grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _standard(x: Tensor) -> Tensor:
    return (x - x.mean()) / x.std().clamp(min=1e-3)


def _apart(moving: Tensor, fixed: Tensor, theta: Tensor) -> float:
    return float((_standard(_moved(moving, theta)) - _standard(fixed)).square().mean())


def _step(moving: Tensor, fixed: Tensor, theta: Tensor) -> Tensor:
    """One step of least squares."""
    height, width = moving.shape[-2:]
    moved = _moved(moving, theta)
    down, across = torch.gradient(moved[0, 0])
    across, down = across * width / 2, down * height / 2
    x = ((torch.arange(width) + 0.5) / width * 2 - 1).expand(height, width)
    y = ((torch.arange(height) + 0.5) / height * 2 - 1)[:, None].expand(height, width)
    columns = [across * x, across * y, across, down * x, down * y, down]
    J = torch.stack([c.flatten() for c in columns], dim=1).double()
    rest = (fixed - moved).flatten().double()
    ridge = 1e-3 * (J * J).sum(dim=0).mean() + 1e-6  # of what is flat, nothing can be told
    normal = J.T @ J + ridge * torch.eye(6, dtype=torch.float64)
    return torch.linalg.solve(normal, J.T @ rest).view(2, 3).float()
