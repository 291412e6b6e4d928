"""Points of colour on a photo, as a person makes them and takes them back."""

from collections.abc import Sequence
from pathlib import Path

from colorization.config import InputError
from colorization.hints.clicks import Click, hint, inside, read_clicks


class Points:
    """Points in a photo's own pixels, and what they were before each change.

    Args:
        size: the photo's (width, height).

    Attributes:
        clicks: the points.
        at: the pixel that was asked about last.
    """

    def __init__(self, size: tuple[int, int]):
        self.size = size
        self.clicks: tuple[Click, ...] = ()
        self.at: tuple[float, float] | None = None
        self._before: list[tuple[Click, ...]] = []

    def ask(self, x: float, y: float) -> None:
        """Choose the pixel that is to have a colour.

        Raises:
            InputError: it lies outside.
        """
        width, height = self.size
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(f"x={x} y={y}: outside the photo of {width} x {height} pixels")
        self.at = (x, y)

    def colour(self, colour: str) -> None:
        """Give the pixel that was asked about a colour, "#rrggbb", in place of one that it had."""
        if self.at:
            others = [click for click in self.clicks if (click.x, click.y) != self.at]
            self._became((*others, hint((*self.at, colour), "this point")))

    def remove(self, number: int) -> None:
        """Take a point away, counted from 0."""
        self._became(self.clicks[:number] + self.clicks[number + 1 :])

    def clear(self) -> None:
        """Take all points away."""
        self._became(())

    def load(self, path: Path) -> None:
        """Take the points of a clicks.json in place of these.

        Raises:
            InputError: it is none, or has points outside the photo, as those of a larger one have.
        """
        clicks = read_clicks(path)
        inside(clicks, *self.size)
        self._became(clicks)

    def undo(self) -> None:
        """Take the last change of the points back."""
        if self._before:
            self.clicks = self._before.pop()

    def _became(self, clicks: Sequence[Click]) -> None:
        if tuple(clicks) != self.clicks:
            self._before.append(self.clicks)
            self.clicks = tuple(clicks)
