"""What the page answers to each thing that a person does."""

import html
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import gradio as gr

from colorization.config import InputError
from colorization.desk.crate import Crate, listed
from colorization.desk.shift import Shift
from colorization.desk.shown import Value, shown, small
from colorization.desk.sitting import Studio
from colorization.desk.table import Table
from colorization.hints.clicks import write_clicks
from colorization.picture.writing import Writer

GREY = -1  # the photo without colour, where the number of a network is asked for

Change = Callable[[Table, Any], object]


class Answers:
    """Handlers of the page's events; each takes what Gradio gives, and gives what the page then shows.

    Args:
        studios: colour photos, each with a network of its own.
        writer: how they are written.
        folder: through which finished files go to the browser.
        largest: megabytes of one photo.
    """

    def __init__(self, studios: Sequence[Studio], writer: Writer, folder: Path, largest: int):
        self.studios, self.writer, self.folder, self.largest = studios, writer, folder, largest
        self.shift = Shift()

    def open(self, dropped: list[str]) -> tuple[Any, ...]:
        """A photo on the table, the first of several; the files are moved, or deleted once they are read."""
        paths, crate = list(map(Path, dropped)), None
        try:
            with self._answering(f"{paths[0].parent}/"):
                if len(paths) > 1 or paths[0].suffix.lower() == ".zip":
                    crate = Crate(paths, self.folder, self.writer, self.largest)
                photo = crate.open(self.studios[0]) if crate else self.studios[0].open(paths[0])
                return self._opened(Table(self.studios, photo, crate))
        finally:
            for path in paths:
                path.unlink(missing_ok=True)

    def _opened(self, table: Table) -> tuple[Any, ...]:
        photo, crate = table.now, table.crate
        width, height = photo.original.size
        said = ["; ".join([f"{photo.name}, {width} x {height} pixels", *photo.said])]
        words = ""
        if crate:
            said = [f"{len(crate.photos)} photos, of which this is shown: {said[0]}", *left_out(crate.faults)]
            words = f"Download all {len(crate.photos)} as a zip"
        every = gr.update(value=words, visible=bool(crate))
        return table, None, {"lines": said}, gr.update(visible=True), every, *self.fitted(table)

    def chosen(self, table: Table | None, number: int) -> tuple[Any, ...]:
        """Another network colours."""
        with self._answering():
            there(table).choose(number)
            return self.fitted(there(table))

    def beside(self, table: Table | None, number: int) -> tuple[Value, Value]:
        """Another network's colouring, or GREY, stands beside it."""
        with self._answering():
            there(table).beside = None if number == GREY else number
            return shown(there(table))

    def fitted(self, table: Table) -> tuple[Any, ...]:
        """The photo, and what can be done with it, under the network that is chosen."""
        sitting, can = table.now, table.now.studio.can
        sitting.look()
        view, palette = shown(table)
        beside = GREY if table.beside is None else table.beside
        points = gr.update(visible=not can.points)
        vivid = gr.update(value=sitting.vivid or 0, visible=not can.vivid)
        cannot = gr.update(value={"lines": list(filter(None, can))}, visible=any(can))
        return (table.chosen, beside, view, gr.update(value=palette, visible=not can.points), points, points,
                vivid, sitting.chroma, cannot)  # fmt: skip

    def after(self, change: Change) -> Callable[..., tuple[Value, Value]]:
        """A handler that changes what lies on the table, and shows it."""

        def handler(table: Table | None, event: gr.EventData) -> tuple[Value, Value]:
            with self._answering():
                change(there(table), event)
                return shown(there(table))

        return handler

    def slid(self, name: str) -> Callable[..., tuple[Value, Value]]:
        """A handler that sets what a slider sets, and shows it."""

        def handler(table: Table | None, value: float) -> tuple[Value, Value]:
            with self._answering():
                there(table).move(name, value)
                return shown(there(table))

        return handler

    def samples(self, table: Table | None) -> Value:
        """The one best and the samples, small."""
        with self._answering():
            return small(there(table).now)

    def load(self, table: Table | None, path: str) -> tuple[Value, Value]:
        """The points of a clicks.json in place of those that are there."""
        file = Path(path)
        try:
            with self._answering(f"hints={file}", file.name):
                there(table).now.points.load(file)
                return shown(there(table))
        finally:
            file.unlink(missing_ok=True)

    def finished(self, table: Table | None) -> str:
        """The photo in full, as a file on its way to the browser."""
        sitting = there(table).now
        name = Path(sitting.name)
        path = self._fresh(f"{name.stem}_coloured{self.writer.suffix(name.suffix)}")
        with self._answering():
            for words in self.writer.write(path, [sitting.finished()]):
                gr.Info(words)
        return str(path)

    def all(self, table: Table | None) -> Iterator[tuple[Any, Value]]:
        """All photos of the crate in one zip: how far it is, and in the end how it went."""
        crate, sitting = there(table).crate, there(table).now
        assert crate
        path, faults, failed = self._fresh(f"{crate.name}_coloured.zip"), list(crate.faults), 0
        total = len(crate.photos)
        with self._answering(), closing(crate.coloured(sitting, path)) as outcomes:
            yield gr.skip(), _done(0, total)
            for done, outcome in enumerate(outcomes, 1):
                failed += bool(outcome.fault)
                faults += [crate.named(outcome.fault)] * bool(outcome.fault)
                yield gr.skip(), _done(done, total)
                self.shift.check()
            if failed == total:
                path.unlink()
                raise InputError(listed(faults))
        said = f"coloured {total - failed} of {total} photos with {sitting.studio.name}"
        yield str(path), {"lines": [said, *left_out(faults)]}

    def saved(self, table: Table | None) -> str:
        """Its points as clicks.json."""
        path = self._fresh("clicks.json")
        with self._answering():
            write_clicks(path, there(table).now.points.clicks)
        return str(path)

    @contextmanager
    def _answering(self, path: str = "", name: str = "") -> Iterator[None]:
        """What is under way; a mistake or a bad file becomes a sentence, in which a file has its own name."""
        try:
            with self.shift.work():
                yield
        except (InputError, OSError) as error:
            text = str(error).replace(path, name) if path else str(error)
            raise gr.Error(html.escape(text, quote=False), print_exception=False) from error

    def _fresh(self, name: str) -> Path:
        return Path(mkdtemp(dir=self.folder)) / name


def there(table: Table | None) -> Table:
    """What lies on the table, where the studio still knows."""
    if table is None:
        raise gr.Error("the studio has forgotten this photo; drop it again", print_exception=False)
    return table


def _done(photos: int, total: int) -> Value:
    return {"lines": [f"{photos} of {total} photos are done"], "done": photos, "total": total}


def left_out(faults: Sequence[str]) -> list[str]:
    """A line on them, if there are any."""
    return [f"left out: {listed(faults)}"] if faults else []
