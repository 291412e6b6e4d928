"""A person's points: clicks.json -> hints.

    {"clicks": [
        {"x": 310, "y": 42, "color": "#d03020"},
        {"x": 12, "y": 600, "color": [20, 90, 200], "size": 9}
    ]}

x and y are pixels of the picture itself, from its top left corner; colours are sRGB; size is the side
of the patch that takes the colour, in pixels of what the network sees.
"""

import json
import re
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from colorization.color import lab
from colorization.config import InputError
from colorization.files import write_json
from colorization.hints.paint import paint

MOST = 1 << 40  # pixels: no number beyond is one
SIZE = 5  # the middle of the 1..9 that Points trains on


class Click(NamedTuple):
    """A point of colour in a picture's own pixels.

    Attributes:
        x: column, from the left.
        y: row, from the top.
        color: sRGB, 0..255 each.
        size: side of the revealed patch, in pixels of what the network sees.
    """

    x: float
    y: float
    color: tuple[int, int, int]
    size: int = SIZE


def read_clicks(path: str | Path) -> list[Click]:
    """Read and check clicks.json.

    Raises:
        ValueError: naming the file, the click and what is wrong with it.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"hints={path}: no such file; it should hold {_EXAMPLE}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"hints={path}: not JSON ({error}); it should hold {_EXAMPLE}") from error
    entries = content.get("clicks") if isinstance(content, Mapping) else content
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise InputError(f"hints={path}: has no list of clicks; it should hold {_EXAMPLE}")
    return [_click(entry, f"hints={path}: click {number}") for number, entry in enumerate(entries, 1)]


def hint(entry: Any, where: str) -> Click:
    """A click, or (x, y, colour) or (x, y, colour, size), as a click.

    Raises:
        InputError: naming `where` and what is wrong with it.
    """
    if isinstance(entry, Click):
        return entry
    if not isinstance(entry, Sequence) or isinstance(entry, str) or len(entry) not in (3, 4):
        raise InputError(f"{where}: {entry!r} should be (x, y, (r, g, b)) or (x, y, '#rrggbb')")
    x, y, color, *size = entry
    color = color.tolist() if hasattr(color, "tolist") else color  # a pixel of an array
    return _click({"x": x, "y": y, "color": color} | ({"size": size[0]} if size else {}), where)


def write_clicks(path: Path, clicks: Sequence[Click]) -> None:
    """Write clicks.json, as `read_clicks` reads it."""
    entries = [click._asdict() | {"color": hexadecimal(click.color)} for click in clicks]
    write_json(path, {"clicks": entries})


def hexadecimal(color: tuple[int, int, int]) -> str:
    """Of sRGB 0..255, "#rrggbb"."""
    return "#" + bytes(color).hex()


def clicked(clicks: Sequence[Click], picture: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Clicks in a picture of (height, width) -> hints (1, 3, H, W) for a network that sees (H, W).

    Raises:
        ValueError: for a click outside the picture.
    """
    (height, width), (H, W) = picture, size
    inside(clicks, width, height)
    if not clicks:
        return torch.zeros(1, 3, H, W)
    colours = torch.tensor([click.color for click in clicks], dtype=torch.uint8)
    _, ab = lab.split(colours.T[None, :, :, None])
    side = torch.tensor([[min(click.size, H, W) for click in clicks]])
    top = torch.tensor([[click.y * H / height for click in clicks]])
    left = torch.tensor([[click.x * W / width for click in clicks]])
    top, left = (_first(place, side, full) for place, full in ((top, H), (left, W)))
    every = torch.ones_like(side, dtype=torch.bool)
    return paint(ab[..., 0].movedim(1, 2), top, left, side, every, size, int(side.max()))


def inside(clicks: Sequence[Click], width: int, height: int) -> None:
    """Refuse clicks outside a picture.

    Raises:
        ValueError: naming the first.
    """
    for number, click in enumerate(clicks, 1):
        if not (0 <= click.x < width and 0 <= click.y < height):
            place = f"click {number} at x={click.x}, y={click.y}"
            raise InputError(f"{place}: outside the picture of {width} x {height} pixels")


def _first(place: Tensor, side: Tensor, full: int) -> Tensor:
    """The first row (or column) of a patch about a place, inside the picture."""
    return (place.floor() - (side - 1) // 2).clamp(min=0).minimum(full - side).long()


def _click(entry: Any, where: str) -> Click:
    if not isinstance(entry, Mapping):
        raise InputError(f"{where}: {entry!r} should be like {_ONE}")
    missing = {"x", "y", "color"} - set(entry)
    unknown = set(entry) - set(Click._fields)
    if missing or unknown:
        fault = f"lacks {', '.join(sorted(missing))}" if missing else f"has {', '.join(sorted(unknown))} too"
        raise InputError(f"{where}: {fault}; it should be like {_ONE}")
    for name in ("x", "y"):
        if isinstance(entry[name], bool) or not isinstance(entry[name], Real) or abs(entry[name]) > MOST:
            raise InputError(f"{where}: {name}={entry[name]!r} should be a number of pixels")
    size = entry.get("size", SIZE)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise InputError(f"{where}: size={size!r} should be a whole number of pixels, 1 or more")
    return Click(float(entry["x"]), float(entry["y"]), _colour(entry["color"], where), size)


def _colour(value: Any, where: str) -> tuple[int, int, int]:
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
    if not (isinstance(value, Sequence) and len(value) == 3 and all(v in range(256) for v in value)):
        raise InputError(f'{where}: color={value!r} should be sRGB, "#rrggbb" or [r, g, b] of 0..255')
    r, g, b = value
    return int(r), int(g), int(b)


_ONE = '{"x": 310, "y": 42, "color": "#d03020"}'
_EXAMPLE = f'{{"clicks": [{_ONE}, ...]}}'
