"""Hue and chroma of the hexagonal cone, as in HSV: what Larsson et al. 2016 make histograms of.

rgb     (B, 3, H, W)  sRGB, 0..1
hue     (B, H, W)     0..1 around the circle: red 0, green 1/3, blue 2/3; 0 for grey
chroma  (B, H, W)     max(R, G, B) - min(R, G, B), 0..1
"""

import torch
from torch import Tensor

from colorization.color import lab

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear R, G, B (IEC 61966-2-1)
HALVINGS = 12


def hue_chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Hue and chroma of sRGB."""
    r, g, b = rgb.unbind(dim=1)
    largest, chroma = rgb.amax(dim=1), rgb.amax(dim=1) - rgb.amin(dim=1)
    apart = chroma.clamp(min=1e-12)
    sixth = torch.where(
        largest == r, (g - b) / apart, torch.where(largest == g, 2 + (b - r) / apart, 4 + (r - g) / apart)
    )
    return torch.where(chroma > 0, (sixth / 6) % 1.0, 0.0), chroma


def ab(hue: Tensor, chroma: Tensor, L: Tensor) -> Tensor:
    """The ab of the colour with a hue, a chroma and a lightness, (B, 2, H, W).

    Where sRGB has no such colour, that of the nearest lightness which has.

    Args:
        hue: (B, H, W).
        chroma: (B, H, W).
        L: CIE lightness, (B, 1, H, W), 0..100.
    """
    corners = torch.tensor([0.0, 4.0, 2.0], device=hue.device)[:, None, None]
    pure = (((6 * hue[:, None] + corners) % 6.0 - 3).abs() - 1).clamp(0, 1)
    coloured = chroma[:, None] * pure
    return lab.split(coloured + _darkest(coloured.detach(), L))[1]


@torch.no_grad()
def _darkest(coloured: Tensor, L: Tensor) -> Tensor:
    """What to add to R, G and B for a lightness, (B, 1, H, W). Luminance grows with it: found by halving."""
    f = (L + 16) / 116
    luminance = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    low, high = torch.zeros_like(L), 1 - coloured.amax(dim=1, keepdim=True)
    weights = torch.tensor(LUMINANCE, device=L.device)[:, None, None]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        too_dark = (weights * _linear(coloured + middle)).sum(dim=1, keepdim=True) < luminance
        low, high = torch.where(too_dark, middle, low), torch.where(too_dark, high, middle)
    return (low + high) / 2


def _linear(rgb: Tensor) -> Tensor:
    """SRGB -> linear light."""
    return torch.where(rgb > 0.04045, ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)
