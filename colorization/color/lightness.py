"""Lightness of 8- and 16-bit sRGB, and 16-bit sRGB of exactly a lightness."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from colorization.color.fast import KNEE, SLOPE, WEIGHTS

WEIGHT = np.array(WEIGHTS[1], np.float32)  # of R, G and B in luminance
MOST = 65535
BLUES = 24  # codes of 16 bits that blue may move to make lightness exact: invisible


def lightness(pixels: np.ndarray) -> Tensor:
    """L of uint8 or uint16 codes (H, W, 1 or 3) -> (1, 1, H, W) float32, 0..100."""
    if pixels.shape[-1] == 1:
        L = _of_grey(pixels.dtype.itemsize)[pixels[..., 0]]
    else:
        L = of_luminance(_linear(pixels.dtype.itemsize)[pixels] @ WEIGHT)
    return torch.from_numpy(L)[None, None]


def of_luminance(Y: np.ndarray) -> np.ndarray:
    """Luminance 0..1 -> L 0..100 (CIE 15:2004)."""
    return np.where(Y > KNEE, 116 * np.cbrt(Y) - 16, (116 * SLOPE) * Y).astype(np.float32)


def luminance(L: np.ndarray) -> np.ndarray:
    """L 0..100 -> luminance 0..1."""
    root = (L + 16) / 116
    return np.where(root > np.cbrt(KNEE), root**3, L / (116 * SLOPE))


def exact(rgb: np.ndarray, L: np.ndarray) -> np.ndarray:
    """SRGB as uint16 whose grey has the 16-bit code of L's.

    Linear light is moved along grey to the luminance, and towards grey until it fits. Red and blue are
    rounded; green is what luminance then asks for, and blue makes up for green's rounding. A pixel that has
    no such codes nearby, and there is hardly one, becomes grey.

    Args:
        rgb: (H, W, 3), 0..1, of about that lightness.
        L: (H, W).
    """
    target = luminance(L.astype(np.float64))
    codes = _code(_at(_light(rgb.astype(np.float64)), target))
    curve, (red, green, blue) = _linear(2), WEIGHT.astype(np.float64)
    blues = blue * curve[codes[..., 2]]
    wanted = (target - red * curve[codes[..., 0]] - blues) / green
    codes[..., 1] = _code(wanted)
    rest = (target - red * curve[codes[..., 0]] - green * curve[codes[..., 1]]) / blue
    codes[..., 2] = np.clip(_code(rest), codes[..., 2] - BLUES, codes[..., 2] + BLUES)
    grey = _code(target)
    codes[_code(curve[codes] @ WEIGHT.astype(np.float64)) != grey] = -1
    return np.where(codes < 0, grey[..., None], codes).astype(np.uint16)


def _at(light: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Linear RGB of luminance `target`, of the same hue and within 0..1."""
    apart = light - (light @ WEIGHT.astype(np.float64))[..., None]
    below, above = apart.min(axis=-1), apart.max(axis=-1)
    room = np.minimum(target / np.maximum(-below, 1e-12), (1 - target) / np.maximum(above, 1e-12))
    return target[..., None] + apart * room.clip(0, 1)[..., None]


def _light(code: np.ndarray) -> np.ndarray:
    """SRGB 0..1 -> linear light 0..1 (IEC 61966-2-1)."""
    return np.where(code > 0.04045, ((code + 0.055) / 1.055) ** 2.4, code / 12.92)


def _code(linear: np.ndarray) -> np.ndarray:
    """Linear light -> the nearest 16-bit code of sRGB."""
    linear = linear.clip(0, 1)
    code = np.where(linear > 0.0031308, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * linear)
    return (code * MOST).round().astype(np.int32)


@cache
def _linear(size: int) -> np.ndarray:
    """Linear light of every code of so many bytes (IEC 61966-2-1)."""
    return _light(np.arange(256**size) / (256**size - 1)).astype(np.float32 if size == 1 else np.float64)


@cache
def _of_grey(size: int) -> np.ndarray:
    return of_luminance(_linear(size))
