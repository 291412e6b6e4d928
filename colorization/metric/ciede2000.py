"""The colour difference CIEDE2000 (CIE 142-2001; Sharma, Wu and Dalal 2005)."""

import math

import torch
from torch import Tensor

from colorization.metric.base import Pair, metric, shared


@metric(unit="dE00", better="lower")
def ciede2000(pair: Pair) -> Tensor:
    """Mean CIEDE2000 over the pixels of each picture, (B,); 1 is about the least difference seen."""
    return of_pixels(pair).mean(dim=(1, 2))


@metric(unit="dE00", better="lower")
def ciede2000_p90(pair: Pair) -> Tensor:
    """The difference that 90% of a picture's pixels do not exceed (nearest rank), (B,): its worst patches."""
    pixels = of_pixels(pair).flatten(1)
    return pixels.kthvalue(math.ceil(0.9 * pixels.shape[1]), dim=1).values


@shared
def of_pixels(pair: Pair) -> Tensor:
    """CIEDE2000 of each pixel, (B, H, W)."""
    return delta_e(pair.predicted_lab, pair.truth_lab)


def delta_e(lab1: Tensor, lab2: Tensor) -> Tensor:
    """CIEDE2000 of each pixel, (B, 3, H, W) Lab twice -> (B, H, W); kL = kC = kH = 1.

    The names and equation numbers are those of Sharma, Wu and Dalal 2005.
    """
    L1, a1, b1 = lab1.unbind(1)
    L2, a2, b2 = lab2.unbind(1)
    mean_C = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2  # eq. 3
    G = 0.5 * (1 - _saturation(mean_C))  # eq. 4
    C1, h1 = _polar((1 + G) * a1, b1)  # eq. 5 to 7
    C2, h2 = _polar((1 + G) * a2, b2)

    achromatic = C1 * C2 == 0
    turn = h2 - h1
    dh = torch.where(turn > 180, turn - 360, torch.where(turn < -180, turn + 360, turn))  # eq. 10
    dh = torch.where(achromatic, 0.0, dh)
    dL, dC = L2 - L1, C2 - C1
    dH = 2 * (C1 * C2).sqrt() * _sin(dh / 2)  # eq. 11

    L, C = (L1 + L2) / 2, (C1 + C2) / 2
    total = h1 + h2
    shifted = torch.where(total < 360, total + 360, total - 360)
    h = torch.where(turn.abs() > 180, shifted, total) / 2  # eq. 14
    h = torch.where(achromatic, total, h)

    T = 1 - 0.17 * _cos(h - 30) + 0.24 * _cos(2 * h) + 0.32 * _cos(3 * h + 6) - 0.20 * _cos(4 * h - 63)
    rotation = 30 * torch.exp(-(((h - 275) / 25) ** 2))  # eq. 16
    S_L = 1 + 0.015 * (L - 50) ** 2 / (20 + (L - 50) ** 2).sqrt()
    S_C = 1 + 0.045 * C
    S_H = 1 + 0.015 * C * T
    R_T = -_sin(2 * rotation) * 2 * _saturation(C)  # eq. 17 and 21
    dL, dC, dH = dL / S_L, dC / S_C, dH / S_H
    return (dL**2 + dC**2 + dH**2 + R_T * dC * dH).clamp(min=0).sqrt()  # eq. 22


def _saturation(C: Tensor) -> Tensor:
    return (C**7 / (C**7 + 25.0**7)).sqrt()


def _polar(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return torch.hypot(a, b), torch.rad2deg(torch.atan2(b, a)) % 360


def _sin(degrees: Tensor) -> Tensor:
    return torch.deg2rad(degrees).sin()


def _cos(degrees: Tensor) -> Tensor:
    return torch.deg2rad(degrees).cos()
