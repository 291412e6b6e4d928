"""Where the pixels of a frame were in the frame before it, and which of them were there at all."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from colorization.config import InputError, installation

SMALLEST = 16  # pixels of the shorter side: below it, nothing is taken to have moved
APART = 6.0  # units of lightness by which a pixel may change and still be the same thing
ASTRAY, SHARE = 1.0, 0.05  # pixels, and of the way: how far there and back may end from the start


class Motion(NamedTuple):
    """From a frame to the one before it.

    Attributes:
        way: (1, 2, h, w), how far right and down each pixel was, in pixels.
        same: (1, 1, h, w), 0..1, how surely it shows what was there.
    """

    way: Tensor
    same: Tensor

    def carried(self, before: Tensor) -> Tensor:
        """What belonged to the frame before, (1, C, h, w), where the pixels of this one are."""
        return warped(before, self.way)


def motion(L: Tensor, before: Tensor) -> Motion:
    """The motion between two frames, by their lightness (1, 1, h, w), 0..100.

    Dense inverse search (Kroeger et al. 2016, arXiv:1603.03590), there and back: a pixel that does not come
    back to where it started was hidden, or is another thing.
    """
    way, back = _flow(L, before), _flow(before, L)
    astray = (way + warped(back, way)).norm(dim=1, keepdim=True)
    returns = astray < ASTRAY + SHARE * way.norm(dim=1, keepdim=True)
    alike = torch.exp(-(((L - warped(before, way)) / APART) ** 2))
    return Motion(way, alike * returns)


def warped(x: Tensor, way: Tensor) -> Tensor:
    """Values (1, C, h, w) at the pixels' places moved by `way` (1, 2, h, w); edges are repeated."""
    height, width = x.shape[-2:]
    across = torch.arange(width, device=x.device) + way[0, 0] + 0.5
    down = torch.arange(height, device=x.device)[:, None] + way[0, 1] + 0.5
    grid = torch.stack([across * 2 / width - 1, down * 2 / height - 1], dim=-1)[None]
    return grid_sample(x, grid.to(x), mode="bilinear", padding_mode="border", align_corners=False)


def _flow(L: Tensor, other: Tensor) -> Tensor:
    if min(L.shape[-2:]) < SMALLEST:
        return L.new_zeros(1, 2, *L.shape[-2:])
    cv2 = opencv()
    one, two = (x[0, 0].mul(2.55).round().byte().cpu().numpy() for x in (L, other))
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return torch.from_numpy(np.moveaxis(search.calc(one, two, None), -1, 0)[None].copy()).to(L.device)


def opencv() -> Any:
    """The library that finds motion.

    Raises:
        InputError: it is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise InputError(f"films need OpenCV ({error}): {installation('video')}") from error
    return cv2
