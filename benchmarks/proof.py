"""What the proofs share: commands in process groups of their own, the contents of packs, a verdict."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from colorization.data.pack import Pack, read_index

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Contents:
    """All that a run sees of a pack: equal contents are equal bit for bit."""

    pictures: int
    fingerprint: str
    files: tuple[str, str]
    skipped: tuple[tuple[str, str], ...]


def contents(cache: Path) -> dict[str, Contents]:
    """The packs in a cache, by label and size; where they were packed from does not matter."""
    found = {}
    for folder in sorted(path.parent for path in cache.glob("*/index.json")):
        index = read_index(folder)
        pack = Pack(folder, index, index.taken)
        files = tuple(_digest(folder / name) for name in ("pictures.bin", "rows.jsonl"))
        label = folder.name.rpartition("_")[0]
        found[label] = Contents(len(pack), pack.fingerprint, files, tuple(pack.skipped))
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def started(command: str, folder: Path, *settings: str, **variables: str) -> subprocess.Popen:
    """Start `python -m colorization.COMMAND` in a folder; it leads a process group of its own."""
    arguments = [sys.executable, "-m", f"colorization.{command}", *settings]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            arguments, cwd=folder, env=surroundings, stdout=log, stderr=log, start_new_session=True
        )


def finished(process: subprocess.Popen, folder: Path) -> None:
    """Wait for a command that must succeed. Raises RuntimeError with the end of what it printed."""
    if process.wait():
        said = (folder / "log.txt").read_text(errors="replace", encoding="utf-8")[-3000:]
        raise RuntimeError(f"exit code {process.returncode}:\n{said}")


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def archived(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    """A zip of these names and bytes, stored as they are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Markdown; the first column is text, the others are figures."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(map(str, line))} |" for line in lines), ""])


def verdict(claims: Mapping[str, bool]) -> None:
    """Print each claim with whether it holds, and exit with 1 where one does not."""
    for claim, holds in claims.items():
        print(f"{'Holds' if holds else 'DOES NOT HOLD'}: {claim}.")
    print(flush=True)
    sys.exit(not all(claims.values()))
