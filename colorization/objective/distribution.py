"""What an objective holds likely at each place, and the colours that stand out of it."""

from typing import NamedTuple

import torch
from torch import Tensor

from colorization.color import lab

APART = 15.0  # ab units within which bins count as one colour: a bin of the 10-unit grid and its 8 neighbours


class Likely(NamedTuple):
    """A colour that a place may have.

    Attributes:
        rgb: sRGB 0..255, of the place's own lightness.
        probability: 0..1, of this colour and those like it (within 15 units of ab).
        ab: its a and b, in CIE units, inside the gamut of that lightness.
    """

    rgb: tuple[int, int, int]
    probability: float
    ab: tuple[float, float]


class Distribution(NamedTuple):
    """Probabilities of bins of ab.

    Attributes:
        p: (B, Q, h, w), sums to 1 over Q.
        centres: (Q, 2) the bins, in CIE units.
        stride: pixels per place; h = ceil(H / stride).
    """

    p: Tensor
    centres: Tensor
    stride: int

    def likely(self, row: float, column: float, L: float, count: int) -> list[Likely]:
        """The first picture's likeliest colours at a pixel (of H x W) of lightness L 0..100, likeliest first.

        Bins are colours as they are shown, inside the gamut. The likeliest takes in all within APART of it,
        and is their mean; then the likeliest of the rest.
        """
        left = self.p[0, :, int(row) // self.stride, int(column) // self.stride].cpu().double()
        shown = _shown(L, self.centres.cpu())[1].double()
        found = []
        for _ in range(count):
            near = (shown - shown[left.argmax()]).norm(dim=1) <= APART
            share = torch.where(near, left, 0.0)
            if not (probability := float(share.sum())) > 0:
                break
            found.append((probability, share @ shown / probability))
            left[near] = 0.0
        found.sort(key=lambda one: -one[0])
        return [_likely(L, *one) for one in found]


def _likely(L: float, probability: float, ab: Tensor) -> Likely:
    rgb, inside = _shown(L, ab[None].float())
    red, green, blue = rgb[0].tolist()
    a, b = inside[0].tolist()
    return Likely((red, green, blue), probability, (a, b))


def _shown(L: float, ab: Tensor) -> tuple[Tensor, Tensor]:
    """Ab (N, 2) of a lightness, inside the gamut: sRGB of 8 bits (N, 3), ab (N, 2)."""
    planes = ab.T[None, :, :, None]
    rgb = lab.merge(planes.new_full((1, 1, len(ab), 1), L), planes)
    _, inside = lab.split(rgb)
    return lab.to_uint8(rgb)[0, :, :, 0].T, inside[0, :, :, 0].T
