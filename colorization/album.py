"""What predict reads and what it writes."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from colorization.config import ConfigError, command_line
from colorization.data.source import Tree, is_hidden, is_picture
from colorization.picture.reading import HEIF, RAW
from colorization.picture.writing import Writer
from colorization.scoring.manifest import some
from colorization.video.film import FILMS, is_film
from colorization.video.joining import suffix

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Photo:
    """A picture or film to colour, and the files that become of it.

    Attributes:
        source: the file.
        targets: one for each of its colourings.
        layers: as many, of their chroma alone, or none.
        sheet: of all samples side by side, or None.
    """

    source: Path
    targets: tuple[Path, ...]
    layers: tuple[Path, ...] = ()
    sheet: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All that is written."""
        return (*self.targets, *self.layers, *([self.sheet] if self.sheet else []))


def photos(
    inputs: Sequence[Path], out: Path, samples: int = 0, writer: Writer | None = None, layer: bool = False
) -> list[Photo]:
    """Files and folders -> every picture once; folders keep their tree, no output is an input.

    A folder is listed as training lists it: hidden files are left out, links are followed. Results of an
    earlier call, in `out` inside a folder, are no inputs. sub/a.jpg becomes OUT/sub/a.jpg, with format=png
    sub/a.png, or sub/a.jpg.png where another picture would be sub/a.png too; samples become a_1.jpg and on,
    side by side in a_sheet.jpg; layers are a_layer.png.

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
    writer = writer or Writer()
    plain = Counter(_renamed(relative, writer) for _, relative in found.values())
    taken = {source.resolve() for source, _ in found.values()}
    planned = []
    for source, relative in found.values():
        path = out / _renamed(relative, writer)
        for stem in _stems(path, relative.name, plain[_renamed(relative, writer)] == 1):
            photo = _photo(source, path, stem, samples, layer)
            if taken.isdisjoint(_resolved(photo.files)):
                break
        taken |= _resolved(photo.files)
        planned.append(photo)
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
    pictures = [name for name in there if is_still(name) or Path(name).suffix.lower() in FILMS]
    if others := sorted(set(there) - set(pictures)):
        log.info("%s: %d files are no pictures: %s", path, len(others), some(others))
    if not pictures:
        raise ConfigError([f"{path}: no pictures in this folder"])
    yield from ((path / name, Path(name)) for name in pictures)


def is_still(name: str) -> bool:
    """Whether a relative path is that of a picture, also of one that needs another reader."""
    return is_picture(name) or (not is_hidden(name) and Path(name).suffix.lower() in RAW | HEIF)


def _renamed(relative: Path, writer: Writer) -> Path:
    become = suffix if is_film(relative) else writer.suffix
    return relative.with_suffix(become(relative.suffix))


def _stems(path: Path, name: str, alone: bool) -> Iterator[str]:
    """What a picture's files may be called but for their suffix, in order of preference."""
    yield from ([path.stem] if alone else []) + [name]
    yield from (f"{name}_{n}" for n in range(2, 10_000))


def _photo(source: Path, path: Path, stem: str, samples: int, layer: bool) -> Photo:
    numbered = [f"{stem}_{k}" for k in range(1, samples + 1)] or [stem]
    targets = tuple(path.with_name(f"{name}{path.suffix}") for name in numbered)
    layers = tuple(path.with_name(f"{name}_layer.png") for name in numbered) if layer else ()
    return Photo(source, targets, layers, path.with_name(f"{stem}_sheet.jpg") if samples > 1 else None)


def _resolved(paths: Sequence[Path]) -> set[Path]:
    return {path.resolve() for path in paths}
