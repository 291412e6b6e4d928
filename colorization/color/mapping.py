"""The most chroma that sRGB has at a lightness and hue.

Whether a colour is inside is seen in linear light: the curve of sRGB costs more than all the rest.
"""

import torch
from torch import Tensor

# Less than half a step of 8 bits outside 0..1 is rounding, not colour outside the gamut.
TOLERANCE = 0.4 / 255
LINEAR = (-TOLERANCE / 12.92, ((1 + TOLERANCE + 0.055) / 1.055) ** 2.4)  # the same in linear light
# Halvings of the chroma interval: 2**-12 of a chroma of 180 is 0.04 units, far below one 8-bit step.
HALVINGS = 12

# XYZ over the white point D65 -> linear R, G and B.
RGB = (
    torch.tensor(
        [
            [3.2404813432005266, -1.5371515162713185, -0.4985363261688878],
            [-0.9692549499965682, 1.8759900014898907, 0.0415559265582928],
            [0.0556466391351772, -0.2040413383665112, 1.0573110696453443],
        ]
    )
    * torch.tensor([0.95047, 1.0, 1.08883])
).tolist()


def largest_share(L: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The share 0..1 of a colour's chroma, to 2**-12 and rounded down, with which sRGB has it: (N,) each."""
    y, towards_x, towards_z = (L + 16) / 116, a / 500, b / -200
    Y, low = _cubed(y), torch.zeros_like(L)
    for halving in range(1, HALVINGS + 1):
        middle = low + 2.0**-halving
        X = _cubed(torch.addcmul(y, middle, towards_x))
        Z = _cubed(torch.addcmul(y, middle, towards_z).clamp_(min=0))
        low = torch.where(_inside(X, Y, Z), middle, low)
    return low


def within(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 1, H, W) bool: whether sRGB has the colour, to 0.4 of an 8-bit step; not NaN."""
    return ((rgb >= -TOLERANCE) & (rgb <= 1 + TOLERANCE)).all(dim=1, keepdim=True)


def _inside(X: Tensor, Y: Tensor, Z: Tensor) -> Tensor:
    low, high = LINEAR
    linear = [(x * X).add_(Y, alpha=y).add_(Z, alpha=z) for x, y, z in RGB]
    least, most = (pick(pick(linear[0], linear[1]), linear[2]) for pick in (torch.minimum, torch.maximum))
    return (least >= low) & (most <= high)


def _cubed(f: Tensor) -> Tensor:
    """What CIE's f was taken of."""
    return torch.where(f > 0.2068966, f * f * f, (f - 4 / 29) / 7.787)
