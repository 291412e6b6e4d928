"""Several photos at once: taken in, coloured as predict does, and put into one zip."""

import re
import shutil
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp
from weakref import finalize
from zipfile import ZipFile

from colorization.album import photos
from colorization.config import InputError, command_line
from colorization.darkroom import Darkroom, Outcome
from colorization.desk.sitting import Sitting, Studio
from colorization.desk.unpacking import MB, Parcel
from colorization.files import replaced
from colorization.picture.writing import Writer

PHOTOS = 1000  # at a time
ROOM = 4000  # megabytes that they take, unpacked
SAID = 10  # faults that are told


class Crate:
    """Photos that were dropped together, in a folder of their own: it goes when nothing holds them any more.

    Args:
        dropped: photos, and zips of them; they are moved away from where they are.
        place: where the folder is made.
        writer: how they will be written.
        largest: megabytes of one photo.

    Attributes:
        name: of the one zip that was dropped, else "photos".
        photos: all of them, and where each goes.
        faults: what was left out, and why.

    Raises:
        InputError: no photo, or more of them than is taken at a time.
    """

    def __init__(self, dropped: Sequence[Path], place: Path, writer: Writer, largest: int):
        self.name = dropped[0].stem if len(dropped) == 1 else "photos"
        self.writer, self.folder = writer, Path(mkdtemp(dir=place))
        self._remove = finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.faults: list[str] = []
        try:
            inputs = list(self._taken(dropped, largest))
            if not inputs:
                raise InputError(listed(self.faults))
        except InputError:
            self._remove()
            raise
        self.photos = photos(inputs, self.folder / "coloured", writer=writer)

    def _taken(self, dropped: Sequence[Path], largest: int) -> Iterator[Path]:
        """Photos, and folders of what was in a zip."""
        parcels = {path: parcel for path in dropped if (parcel := self._parcel(path, largest))}
        loose = [path for path in dropped if path.suffix.lower() != ".zip"]
        count = len(loose) + sum(len(parcel.stills) for parcel in parcels.values())
        size = sum(path.stat().st_size for path in loose) + sum(each.length for each in parcels.values())
        if count > PHOTOS or size > ROOM * MB:
            remedy = f"drop fewer, or type {command_line('predict', 'FOLDER')}, which takes any number"
            much = f"{count:,} photos of {size / MB:,.0f} megabytes, unpacked"
            raise InputError(f"{much}; at most {PHOTOS:,} and {ROOM:,} are taken at a time: {remedy}")
        for number, path in enumerate([*loose, *parcels]):
            into = self.folder / str(number)
            into.mkdir()
            if path in parcels:
                self.faults += parcels[path].unpack(into)
                path.unlink()
                if any(into.iterdir()):
                    yield into
            else:
                yield Path(shutil.move(path, into))

    def _parcel(self, path: Path, largest: int) -> Parcel | None:
        if path.suffix.lower() != ".zip":
            return None
        try:
            return Parcel(path, largest)
        except InputError as error:
            self.faults.append(str(error).replace(str(path), path.name))
            return None

    def open(self, studio: Studio) -> Sitting:
        """The first photo that can be read.

        Raises:
            InputError: saying what is wrong with each, where there is none; then the folder is gone, too.
        """
        faults = list(self.faults)
        for photo in self.photos:
            try:
                return studio.open(photo.source)
            except (InputError, OSError) as error:
                faults.append(self.named(str(error)))
        self._remove()
        raise InputError(listed(faults))

    def coloured(self, sitting: Sitting, target: Path) -> Generator[Outcome, None, None]:
        """Colour all as the photo of a sitting is, but for its points and samples, into a zip.

        Names and folders are kept. What goes wrong with one photo leaves the others alone.
        """
        studio, out = sitting.studio, self.folder / "coloured"
        outcomes = Darkroom(studio.painter, studio.name, self.writer).develop(self.photos)
        with replaced(target) as partial, ZipFile(partial, "w", strict_timestamps=False) as archive:
            while True:
                with studio.decoding(sitting.vivid, sitting.chroma):
                    outcome = next(outcomes, None)
                if outcome is None:
                    return
                for path in filter(Path.exists, outcome.photo.files):
                    archive.write(path, path.relative_to(out))
                    path.unlink()
                yield outcome

    def named(self, text: str) -> str:
        """What is said of its files, by the names that they had."""
        return re.sub(re.escape(f"{self.folder}/") + r"\d+/", "", text)


def listed(faults: Sequence[str]) -> str:
    """Faults as one message."""
    more = f"; and {len(faults) - SAID} more" if len(faults) > SAID else ""
    return "; ".join(faults[:SAID]) + more
