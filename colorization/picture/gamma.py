"""A PNG's own words on its codes, gAMA and cHRM, as an ICC profile.

They count where there is neither iCCP nor sRGB (PNG specification, third edition, W3C 2025). A gamma within
5% of 1/2.2 is sRGB's, as it is to libpng; chromaticities of no colours are, too.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # white, red, green and blue, as x, y
NEAR = 0.01  # of sRGB's chromaticities
MOST = 1000.0  # of a condition number; sRGB's is 22
DISPLAY, TOLERANCE = 1 / 2.2, 0.05
D50 = np.array([0.9642, 1.0, 0.8249])  # of the profile connection space (ICC.1:2010, 7.2.16)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def png_profile(info: Mapping[Any, Any], grey: bool) -> bytes | None:
    """What Pillow's `info` says of gamma and chromaticities -> an ICC profile; None where it is sRGB."""
    gamma = info.get("gamma")
    if not gamma or gamma <= 0 or "srgb" in info or "icc_profile" in info:
        return None
    xy = info.get("chromaticity", SRGB)
    named = np.allclose(xy, SRGB, atol=NEAR)
    if abs(gamma / DISPLAY - 1) <= TOLERANCE and (grey or named):
        return None
    curve = b"para\0\0\0\0" + struct.pack(">HHi", 0, 0, round(65536 / gamma))
    if grey:
        return _profile(b"GRAY", {b"kTRC": curve})
    columns = _colorants(xy)
    places = {name + b"XYZ": _xyz(column) for name, column in zip((b"r", b"g", b"b"), columns.T, strict=True)}
    return _profile(b"RGB ", places | {name + b"TRC": curve for name in (b"r", b"g", b"b")})


def _colorants(xy: Sequence[float]) -> np.ndarray:
    """XYZ of red, green and blue as columns, adapted to D50 by Bradford's matrix (ICC.1:2010, annex E)."""
    white, *primaries = (np.array([x, y, 1 - x - y]) / max(y, 1e-6) for x, y in np.reshape(xy, (4, 2)))
    columns = np.stack(primaries, axis=1)
    if np.linalg.cond(columns) > MOST or white.max() > MOST:  # on one line, or y of 0
        return _colorants(SRGB)
    columns = columns * np.linalg.solve(columns, white)
    scale = (BRADFORD @ D50) / (BRADFORD @ white)
    return np.linalg.inv(BRADFORD) @ np.diag(scale) @ BRADFORD @ columns


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A display's profile of these tags (ICC.1:2010, 7.2 and 7.3)."""
    tags = {b"wtpt": _xyz(D50)} | {name: tag + b"\0" * (-len(tag) % 4) for name, tag in tags.items()}
    start = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(tag))
        body += tag
    head = struct.pack(">I4xI4s4s4s12x4s28x", start + len(body), 0x04000000, b"mntr", space, b"XYZ ", b"acsp")
    return head + _xyz(D50)[8:] + b"\0" * 48 + table + body
