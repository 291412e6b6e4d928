"""8-bit sRGB -> CIE Lab on a CPU: a table for the curve, and a picture at a time, which the cache holds."""

import numpy as np
import torch
from torch import Tensor

# The curve of sRGB has only 256 values there (IEC 61966-2-1).
CODE = np.arange(256) / 255
LINEAR = np.where(CODE > 0.04045, ((CODE + 0.055) / 1.055) ** 2.4, CODE / 12.92).astype(np.float32)

# Linear sRGB -> XYZ, each row over the white point D65.
WEIGHTS = [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
XYZ = (np.array(WEIGHTS) / [[0.95047], [1.0], [1.08883]]).astype(np.float32)

# CIE's f is a cube root above KNEE and a straight line below it, of which SLOPE is left when the cube root
# is held at KNEE. L, a and b are LAB @ f, but for what L takes off.
KNEE, SLOPE = np.float32(0.008856), np.float32(7.787)
LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], np.float32)
OFFSET = np.float32(16 + 116 * SLOPE * KNEE)

# NumPy's cube root is one instruction stream with AVX-512 and a call per number without it. A build of
# NumPy names only the kinds of CPU features that it has.
FEATURES = np.show_config(mode="dicts").get("SIMD Extensions", {})
VECTOR_CBRT = {"AVX512_SKX", "X86_V4"} & {*FEATURES.get("baseline", ()), *FEATURES.get("found", ())}


def uint8_to_lab(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) uint8 sRGB -> (B, 3, H, W) float32 Lab; to 1e-3 what scikit-image and Kornia say.

    Not differentiable: its input is not.
    """
    lab = torch.empty(rgb.shape, dtype=torch.float32)
    code = np.empty((3, rgb.shape[2] * rgb.shape[3]), np.intp)
    root = np.empty(code.shape, np.float32)
    xyz = np.empty_like(root)
    knee = np.full_like(root, KNEE)  # NumPy compares with an array three times as fast as with a number
    for codes, into in zip(rgb.numpy(), lab.flatten(2).numpy(), strict=True):
        code.reshape(codes.shape)[:] = codes
        np.take(LINEAR, code, out=root, mode="wrap")  # no code is outside: the mode that checks costs more
        np.matmul(XYZ, root, out=xyz)
        np.maximum(xyz, knee, out=root)
        cube_root(root)
        np.minimum(xyz, knee, out=xyz)
        xyz *= SLOPE
        root += xyz
        np.matmul(LAB, root, out=into)
        into[0] -= OFFSET
    return lab


def cube_root(x: np.ndarray) -> None:
    """Replace positive float32 numbers by their cube roots."""
    if VECTOR_CBRT:
        np.cbrt(x, out=x)
    else:
        np.log(x, out=x)
        torch.from_numpy(x).mul_(1 / (3 * np.log(2))).exp2_()
