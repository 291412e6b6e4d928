"""What predict reads and what it writes."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from colorization.config import ConfigError, command_line
from colorization.data.decode import UnreadablePicture, ended, open_picture
from colorization.data.source import Tree, is_hidden, is_picture
from colorization.scoring.manifest import some

log = logging.getLogger(__name__)

# What cameras and phones write and no decoder here reads: each is named as unreadable.
RAW = {".heic", ".heif", ".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw"}


@dataclass(frozen=True)
class Photo:
    """A picture to colour and the files of its colourings."""

    source: Path
    targets: tuple[Path, ...]

    def picture(self) -> Image.Image:
        """The picture, 8-bit RGB; a JPEG without its end marker, too. Raises UnreadablePicture."""
        if self.source.suffix.lower() in RAW:
            raise UnreadablePicture(self.source, "is not read here; convert it to PNG, TIFF or JPEG first")
        try:
            return open_picture(self.source)
        except UnreadablePicture:
            if (whole := ended(self.source.read_bytes())) is None:
                raise
        log.warning("%s: lacks the marker of its end, and no more", self.source)
        return open_picture(whole)


def photos(inputs: Sequence[Path], out: Path, samples: int = 0) -> list[Photo]:
    """Files and folders -> every picture once; folders keep their tree, no output is an input.

    A folder is listed as training lists it: hidden files are left out, links are followed. Results of an
    earlier call, in `out` inside a folder, are no inputs. sub/a.jpg becomes OUT/sub/a.png, or sub/a.jpg.png
    where another picture would be sub/a.png too; samples become a_1.png and on.

    Raises:
        ConfigError: no input, an input that does not exist, a folder without pictures, `out` is none.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError([f"out={out}: is a file; give a folder for the coloured pictures"])
    if not inputs:
        raise ConfigError([f"no picture: {command_line('predict', 'photo.jpg')} [more.jpg | FOLDER]..."])
    found: dict[Path, tuple[Path, Path]] = {}
    for path in inputs:
        for source, relative in _pictures(path, out):
            found.setdefault(source.absolute(), (source, relative))
    plain = Counter(relative.with_suffix("") for _, relative in found.values())
    taken = {source.resolve() for source, _ in found.values()}
    planned = []
    for source, relative in found.values():
        alone = plain[relative.with_suffix("")] == 1
        targets = next(t for t in _targets(out / relative, alone, samples) if taken.isdisjoint(_resolved(t)))
        taken |= _resolved(targets)
        planned.append(Photo(source, targets))
    return planned


def _pictures(path: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    """Each picture of an input, and its path in `out` but for the suffix."""
    if not path.exists():
        raise ConfigError([f"{path}: no such picture or folder"])
    if not path.is_dir():
        yield path, Path(path.name)
        return
    if path.resolve().is_relative_to(out.resolve()):
        raise ConfigError([f"out={out}: holds the input {path}; choose a folder for results alone"])
    there = sorted(name for name in Tree(path).paths() if not is_hidden(name))
    if path.resolve() in out.resolve().parents:
        there = [name for name in there if not (path / name).parent.resolve().is_relative_to(out.resolve())]
    pictures = [name for name in there if is_picture(name) or Path(name).suffix.lower() in RAW]
    if others := sorted(set(there) - set(pictures)):
        log.info("%s: %d files are no pictures: %s", path, len(others), some(others))
    if not pictures:
        raise ConfigError([f"{path}: no pictures in this folder"])
    yield from ((path / name, Path(name)) for name in pictures)


def _targets(path: Path, alone: bool, samples: int) -> Iterator[tuple[Path, ...]]:
    """The files for a picture's colourings, in order of preference."""
    names = ([path.stem] if alone else []) + [path.name]
    for stem in (*names, *(f"{path.name}_{n}" for n in range(2, 10_000))):
        numbered = [f"{stem}_{k}" for k in range(1, samples + 1)] or [stem]
        yield tuple(path.with_name(f"{name}.png") for name in numbered)


def _resolved(paths: Sequence[Path]) -> set[Path]:
    return {path.resolve() for path in paths}
