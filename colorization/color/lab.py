"""sRGB <-> CIE Lab (D65, 2 degrees), and back into the sRGB gamut.

    rgb  (B, 3, H, W)  sRGB, float 0..1 (or uint8 where said)
    L    (B, 1, H, W)  lightness, 0..100
    ab   (B, 2, H, W)  green-red and blue-yellow, about -110..110

Kornia computes it, but for 8-bit pictures on a CPU, where a table is faster (see benchmarks/conversion.py).
Everything runs in float32 on the tensor's own device, outside autocast: in bfloat16 the
conversion is off by up to 2.6 Lab units.
"""

from typing import Literal

import torch
from kornia.color import lab_to_rgb as kornia_lab_to_rgb
from kornia.color import rgb_to_lab as kornia_rgb_to_lab
from torch import Tensor

from colorization.color.fast import uint8_to_lab
from colorization.color.mapping import largest_share, within
from colorization.config import InputError

GamutMapping = Literal["chroma", "clip"]

# A picture whose mean chroma is below this has no colour to find (8-bit noise of a grey one: < 0.1).
GREY = 1.0
# Beyond this in a or b, the search for the most chroma starts here, at twice the chroma of any sRGB colour.
LONGEST = 256


class NotFinite(InputError):
    """Colours that no picture can hold: a network that has diverged, or a damaged checkpoint."""


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """CIE Lab of sRGB.

    Args:
        rgb: (B, 3, H, W), uint8 0..255 or float 0..1.

    Returns:
        (B, 3, H, W) float32: L 0..100, a and b about -110..110.
    """
    with torch.autocast(rgb.device.type, enabled=False):
        if rgb.dtype != torch.uint8:
            return kornia_rgb_to_lab(rgb.float())
        return uint8_to_lab(rgb) if rgb.device.type == "cpu" else kornia_rgb_to_lab(rgb.float() / 255)


def lab_to_rgb(lab: Tensor, gamut: GamutMapping = "chroma") -> Tensor:
    """SRGB of CIE Lab, inside the sRGB gamut.

    Args:
        lab: (B, 3, H, W).
        gamut: what happens to colours that sRGB does not have. "chroma" moves them towards grey
            until they fit, which keeps lightness and hue; "clip" clips R, G and B, which keeps
            neither but is what most published code does.

    Returns:
        (B, 3, H, W) float32, 0..1; NaN in all three channels where L, a or b is NaN or infinite.
    """
    if gamut not in ("chroma", "clip"):
        raise ValueError(f"gamut={gamut!r}: choose 'chroma' (keeps lightness) or 'clip' (clips R, G and B)")
    with torch.autocast(lab.device.type, enabled=False):
        lab = lab.float()
        rgb = kornia_lab_to_rgb(lab, clip=False)
        if gamut == "chroma":
            rgb = _reduce_chroma(lab, rgb)
        return rgb.clamp(0, 1).where(lab.isfinite().all(dim=1, keepdim=True), torch.nan)


def split(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, H, W) sRGB, uint8 or float 0..1 -> L (B, 1, H, W) and ab (B, 2, H, W)."""
    L, ab = rgb_to_lab(rgb).split([1, 2], dim=1)
    return L, ab


def merge(L: Tensor, ab: Tensor, gamut: GamutMapping = "chroma") -> Tensor:
    """L (B, 1, H, W) and ab (B, 2, H, W) -> sRGB (B, 3, H, W), 0..1; see `lab_to_rgb`."""
    return lab_to_rgb(torch.cat([L.float(), ab.float()], dim=1), gamut)


def grey(L: Tensor) -> Tensor:
    """Lightness L 0..100 -> the sRGB value 0..1 of the grey that has it (CIE 1976, IEC 61966-2-1)."""
    f = (L + 16) / 116
    Y = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)).clamp(0, 1)
    return torch.where(Y > 0.0031308, 1.055 * Y.clamp(min=1e-8) ** (1 / 2.4) - 0.055, 12.92 * Y)


def to_uint8(rgb: Tensor) -> Tensor:
    """SRGB 0..1 -> uint8, rounded (truncation would darken by half a step).

    Raises:
        NotFinite: a value is NaN, for which 8 bits have no code.
    """
    if lost := int(rgb.isnan().sum()):
        cause = "the network has diverged, or its weights are damaged"
        raise NotFinite(f"{lost} of {rgb.numel()} colour values are NaN: {cause}")
    return rgb.mul(255).round().clamp(0, 255).to(torch.uint8)


def quantize(rgb: Tensor) -> Tensor:
    """SRGB 0..1 -> the nearest 8-bit value, still as float 0..1: what a saved PNG holds; NaN stays NaN."""
    return rgb.mul(255).round().clamp(0, 255).div(255)


def _reduce_chroma(lab: Tensor, rgb: Tensor) -> Tensor:
    """Replace the pixels of `rgb` outside 0..1 by the most chromatic colour of equal L and hue."""
    outside = ~within(rgb)[:, 0]
    if not outside.any():
        return rgb
    pixels = lab.movedim(1, -1)[outside].T  # (3, pixels)
    L, ab = pixels[:1].clamp(0, 100), pixels[1:]
    ab = ab * (LONGEST / ab.abs().amax(dim=0).clamp(min=LONGEST))
    ab = ab * largest_share(L[0], *ab)
    mapped = kornia_lab_to_rgb(torch.cat([L, ab])[None, :, :, None], clip=False)
    rgb = rgb.movedim(1, -1).clone()
    rgb[outside] = mapped[0, :, :, 0].T
    return rgb.movedim(-1, 1)
