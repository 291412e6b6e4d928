"""Shards of a data set in an object store, for `data=stream`.

    URL/stream.json           what is there: written last, so that it stands for all of the rest
    URL/SPLIT/rows.jsonl      the pack's rows: name, stored width, height, bytes
    URL/SPLIT/extra_NAME.npy  what the data set has beside its pictures, a row for each
    URL/SPLIT/index.json      litdata's own
    URL/SPLIT/chunk-0-N.bin   about 64 MB of pictures, uint8, in the order of the pack

Whatever is read back is held against the lengths and CRCs in stream.json.
"""

import io
import json
import logging
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from colorization.config import InputError
from colorization.data import litdata
from colorization.data.module import SPLITS, PictureData
from colorization.data.pack import check_space, read_index, rows
from colorization.data.store import Stamp, Store, stamp_of

log = logging.getLogger(__name__)

SHARD = 64_000_000  # bytes
MANIFEST = "stream.json"
VERSION = 1


@dataclass
class Content:
    """What lies at URL/SPLIT.

    Attributes:
        label: of the pack that it was.
        size: pixels per side.
        content: what decides the pictures, see `pack.Index`.
        pictures: how many.
        fingerprint: see `pack.Pack`.
        files: length and CRC-32 of each file.
    """

    label: str
    size: int
    content: dict[str, Any]
    pictures: int
    fingerprint: str
    files: dict[str, Stamp]

    @property
    def extra(self) -> dict[str, Stamp]:
        """The stamps of what the data set has beside its pictures, by name."""
        files = {name: stamp for name, stamp in self.files.items() if name.startswith("extra_")}
        return {n.removeprefix("extra_").removesuffix(".npy"): (i, crc) for n, (i, crc) in files.items()}


def manifest(url: str) -> dict[str, Content]:
    """What an earlier `write` put at a URL.

    Raises:
        FileNotFoundError: nothing, or it did not come to its end.
        InputError: something else.
    """
    try:
        content = Store(url).get(MANIFEST)
    except FileNotFoundError as error:
        what = "python -m colorization.prepare data=... stream=URL writes one"
        raise FileNotFoundError(f"data.root={url}: no {MANIFEST} there; {what}") from error
    try:
        read = json.loads(content)
        if read["version"] == VERSION:
            return {name: Content(**split) for name, split in read["splits"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"data.root={url}: {MANIFEST} is none of this program's ({error})") from error
    raise InputError(
        f"data.root={url}: {MANIFEST} is of version {read['version']}, this program's is {VERSION}"
    )


def write(data: PictureData, url: str, size: int = SHARD) -> None:
    """Cut a data set's packs into shards; what is there already is left as it is.

    Args:
        data: the data set.
        url: of an empty place.
        size: bytes of a shard.

    Raises:
        InputError: something else is there.
        OSError: no space, or the store refuses.
    """
    if present(data, url):
        log.info("%s holds these pictures already", url)
        return
    packs = [data.pack(split) for split in SPLITS]
    needed = sum(pack.pictures.nbytes for pack in packs)
    log.info("%d pictures, %.2f GB to write to %s", sum(map(len, packs)), needed / 1e9, url)
    if "://" not in url:
        folder = Path(url).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        check_space(folder, needed)
    splits = {split: asdict(_write(data, split, url, size)) for split in SPLITS}
    Store(url).put(MANIFEST, json.dumps({"version": VERSION, "splits": splits}).encode())


def present(data: PictureData, url: str) -> bool:
    """Whether these pictures lie there. Raises InputError where others do, or other labels of the same."""
    try:
        there = {split: (content.fingerprint, content.extra) for split, content in manifest(url).items()}
    except FileNotFoundError:
        return False
    stamps = {s: {name: stamp_of(file) for name, file in arrays(data, s).items()} for s in SPLITS}
    if there != {split: (data.fingerprint(split), stamps[split]) for split in SPLITS}:
        raise InputError(f"stream={url}: other pictures lie there; empty it, or choose another place")
    return True


def arrays(data: PictureData, split: str) -> dict[str, bytes]:
    """The .npy files of what the data set has beside its pictures, by name."""
    files = {}
    for name, values in data.rows(split).items():
        file = io.BytesIO()
        np.save(file, values, allow_pickle=False)
        files[name] = file.getvalue()
    return files


def _write(data: PictureData, split: str, url: str, size: int) -> Content:
    pack, store, stamps = data.pack(split), Store(f"{url.rstrip('/')}/{split}", make=True), dict[str, Stamp]()
    with tempfile.TemporaryDirectory() as scratch:
        pictures = track(pack.pictures, f"write {split}", transient=True)
        for path in litdata.shards(pictures, Path(scratch), size):
            stamps[path.name] = store.put(path.name, path.read_bytes())
            path.unlink()
    for name, array in arrays(data, split).items():
        stamps[f"extra_{name}.npy"] = store.put(f"extra_{name}.npy", array)
    stamps["rows.jsonl"] = store.put("rows.jsonl", b"".join(rows(pack.folder, len(pack))))
    index = read_index(pack.folder)
    assert index
    return Content(index.label, index.size, index.content, len(pack), pack.fingerprint, stamps)
