"""Work that is under way, which the program lets come to its end before it ends itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from colorization.config import InputError

PATIENCE = 60  # seconds


class Shift:
    """Counts what is under way.

    Attributes:
        over: nothing more is begun, and what takes long should stop.
    """

    def __init__(self) -> None:
        self.over = False
        self._count, self._changed = 0, Condition()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Be under way for as long as the block lasts.

        Raises:
            InputError: the shift is over.
        """
        with self._changed:
            self.check()
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def check(self) -> None:
        """Raise an InputError where the shift is over."""
        if self.over:
            raise InputError("the studio has ended")

    def end(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        with self._changed:
            self.over = True
            self._changed.wait_for(lambda: not self._count, PATIENCE)
