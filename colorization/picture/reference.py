"""A photo whose colours others are to take on."""

from pathlib import Path

from colorization.color import lab
from colorization.color.transport import Statistics, statistics
from colorization.config import ConfigError
from colorization.data.decode import to_tensor
from colorization.picture.reading import one
from colorization.picture.tone import tone_of


def colours_of(path: Path, size: int) -> Statistics:
    """Of a photo in colour, made small: to `size` pixels of the shorter side.

    Raises:
        ConfigError: there is none, or it has no colour.
        UnreadablePicture: it cannot be read.
    """
    if not path.is_file():
        raise ConfigError([f"reference={path}: no such photo"])
    original = one(path)
    if tone_of(original) == "grey":
        raise ConfigError([f"reference={path}: has no colour to take on; give a photo in colour"])
    scale = min(1, size / min(original.size))
    width, height = (max(round(side * scale), 1) for side in original.size)
    _, ab = lab.split(to_tensor(original.shown((width, height))))
    return statistics(ab[0])
