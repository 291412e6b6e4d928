"""ICC profiles of curves and a matrix, written out (ICC.1:2001-04)."""

import struct

import numpy as np

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50, D65 = (0.9642, 1.0, 0.8249), (0.95047, 1.0, 1.08883)
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))


def rgb_profile(primaries, curve, white=D65):
    """Of chromaticities, adapted to D50, and a curve: a gamma, or a table of light 0..1."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    columns = columns * np.linalg.solve(columns, white)
    adapted = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ white)) @ BRADFORD @ columns
    tags = {f"{name}XYZ": _xyz(adapted[:, i]) for i, name in enumerate("rgb")}
    return _profile(b"RGB ", tags | {f"{name}TRC": _curve(curve) for name in "rgb"})


def grey_profile(curve):
    return _profile(b"GRAY", {"kTRC": _curve(curve)})


def srgb_curve():
    code = np.arange(1024) / 1023
    return np.where(code > 0.04045, ((code + 0.055) / 1.055) ** 2.4, code / 12.92)


def dot_gain(share=0.2):
    """A print's curve: ink spreads most in the middle."""
    ink = 1 - np.arange(256) / 255
    return 1 - (ink + 4 * share * ink * (1 - ink)).clip(0, 1)


def _xyz(values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))


def _curve(curve):
    if np.isscalar(curve):
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(curve * 256)) + b"\0\0"
    table = (np.asarray(curve) * 65535).round().astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(table)) + table.tobytes()


def _profile(space, tags):
    text = b"made"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" * (1 + 12 + 67)
    tags = {"desc": described, "cprt": b"text\0\0\0\0none\0", "wtpt": _xyz(D50)} | tags
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += struct.pack(">4sII", name.encode(), 132 + 12 * len(tags) + len(body), len(content))
        body += content
    head = struct.pack(
        ">I4sI4s4s4s", 132 + len(table) - 4 + len(body), b"none", 0x02400000, b"mntr", space, b"XYZ "
    )
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + _xyz(D50)[8:] + b"\0" * 48
    return head + table + body
