"""Files that are whole or not there, in UTF-8 whatever the system prefers.

File names that are not UTF-8 are written as the bytes that they are.
"""

import csv
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

TEXT: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape"}


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of `path` in the end; on failure nothing is left of it.

    Raises:
        OSError: naming `path`, where it or its folder cannot be written.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what processes of this machine that were killed have left half-written in a folder."""
    for path in folder.glob("*.partial"):
        process = path.suffixes[-2:-1]
        if process and process[0][1:].isdecimal() and path.is_file() and not is_running(int(process[0][1:])):
            path.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Whether this machine has a process of that number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with replaced(path) as partial:
        partial.write_text(text, **TEXT)


def write_json(path: Path, content: Any) -> None:
    """Write plain data as JSON."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
    """Write a table with the columns of its first row, or with these; a row may lack some."""
    with replaced(path) as partial, partial.open("w", newline="", **TEXT) as file:
        writer = csv.DictWriter(file, columns or list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table by the names of its columns."""
    with path.open(newline="", **TEXT) as file:
        return list(csv.DictReader(file))


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
