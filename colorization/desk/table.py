"""What lies on the page: a photo under each network, and the photos that came with it."""

from collections.abc import Sequence
from itertools import count

from colorization.desk.crate import Crate
from colorization.desk.sitting import Sitting, Studio

_NUMBERS = count(1)


class Table:
    """A photo, and which of the networks colours it.

    Args:
        studios: one for each network.
        photo: under the first.
        crate: of all that were dropped with it.

    Attributes:
        number: no two tables have the same.
        chosen: which network colours, from 0.
        beside: which one's colouring is shown beside it; None: no one's, the photo is grey there.
    """

    def __init__(self, studios: Sequence[Studio], photo: Sitting, crate: Crate | None = None):
        self.studios, self.crate, self.number = studios, crate, next(_NUMBERS)
        self.chosen, self.beside = 0, 1 if len(studios) > 1 else None
        self._sittings = {0: photo}
        self._moved: dict[str, float] = {}

    @property
    def now(self) -> Sitting:
        """The photo under the network that colours."""
        return self.under(self.chosen)

    def under(self, number: int) -> Sitting:
        """The photo under a network."""
        if number not in self._sittings:
            self._sittings[number] = self._sittings[0].under(self.studios[number])
            self._set(self._sittings[number])
        return self._sittings[number]

    def choose(self, number: int) -> None:
        """Let another network colour; where it stood beside, the one before takes its place."""
        if number == self.beside:
            self.beside = self.chosen
        self.chosen = number

    def move(self, slider: str, value: float) -> None:
        """Set "vivid" or "chroma" for all networks; one that cannot be vivid is left as it is."""
        self._moved[slider] = value
        for sitting in self._sittings.values():
            self._set(sitting)

    def _set(self, sitting: Sitting) -> None:
        for slider, value in self._moved.items():
            if slider != "vivid" or not sitting.studio.can.vivid:
                setattr(sitting, slider, value)
