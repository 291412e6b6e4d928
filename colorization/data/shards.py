"""Packs cut into shards of an object store, and read back by litdata.

    URL/stream.json          what is there: written last, so that it stands for all of the rest
    URL/SPLIT/rows.jsonl     the pack's rows: name, stored width, height, bytes
    URL/SPLIT/index.json     litdata's own
    URL/SPLIT/chunk-0-N.bin  about 64 MB of pictures, uint8, in the order of the pack

Of the engines that shuffle, share and resume a stream of shards, litdata (Lightning AI) is the one that
serves here: WebDataset cannot resume within an epoch, and mosaicml-streaming 0.13 needs numpy < 2.2 and
brings transformers and the clients of three clouds. What litdata moves is checked against stream.json.
"""

import asyncio
import json
import logging
import tempfile
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from litdata import StreamingDataset
from litdata.streaming.downloader import Downloader, register_downloader
from litdata.streaming.reader import PrepareChunksThread
from litdata.streaming.resolver import Dir
from litdata.streaming.writer import BinaryWriter
from rich.progress import track

from colorization.config import InputError
from colorization.data.pack import Pack, check_space, read_index
from colorization.data.store import Stamp, Store
from colorization.files import replaced

log = logging.getLogger(__name__)

SHARD = 64_000_000  # bytes
MANIFEST = "stream.json"
VERSION = 1
SCHEME = "shards+"  # before a URL, it makes litdata read through `Checked`


@dataclass
class Split:
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


def manifest(url: str) -> dict[str, Split]:
    """What an earlier `write` put at a URL.

    Raises:
        FileNotFoundError: nothing, or it did not come to its end.
        ValueError: something else.
    """
    try:
        content = Store(url).get(MANIFEST)
    except FileNotFoundError as error:
        what = "python -m colorization.prepare data=... stream=URL writes one"
        raise FileNotFoundError(f"data.root={url}: no {MANIFEST} there; {what}") from error
    try:
        read = json.loads(content)
        if read["version"] == VERSION:
            return {name: Split(**split) for name, split in read["splits"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"data.root={url}: {MANIFEST} is none of this program's ({error})") from error
    raise InputError(
        f"data.root={url}: {MANIFEST} is of version {read['version']}, this program's is {VERSION}"
    )


def write(packs: dict[str, Pack], url: str, shard: int = SHARD) -> None:
    """Cut packs into shards; what is there already is left as it is.

    Args:
        packs: by split.
        url: of an empty place.
        shard: bytes of one.

    Raises:
        ValueError: something else is there.
        OSError: no space, or the store refuses.
    """
    if present(packs, url):
        log.info("%s holds these pictures already", url)
        return
    needed = sum(pack.pictures.nbytes for pack in packs.values())
    log.info("%d pictures, %.2f GB to write to %s", sum(map(len, packs.values())), needed / 1e9, url)
    if "://" not in url:
        folder = Path(url).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        check_space(folder, needed)
    splits = {name: asdict(_written(pack, name, url, shard)) for name, pack in packs.items()}
    Store(url).put(MANIFEST, json.dumps({"version": VERSION, "splits": splits}).encode())


def present(packs: dict[str, Pack], url: str) -> bool:
    """Whether these packs lie there. Raises ValueError where others do."""
    try:
        there = {name: split.fingerprint for name, split in manifest(url).items()}
    except FileNotFoundError:
        return False
    if there != {name: pack.fingerprint for name, pack in packs.items()}:
        raise InputError(f"stream={url}: other pictures lie there; empty it, or choose another place")
    return True


def _written(pack: Pack, name: str, url: str, shard: int) -> Split:
    store, files = Store(f"{url.rstrip('/')}/{name}", make=True), dict[str, Stamp]()
    with tempfile.TemporaryDirectory() as scratch:
        writer = BinaryWriter(scratch, chunk_bytes=shard)
        for i in track(range(len(pack)), f"write {name}", transient=True):
            item = {"index": i, "picture": np.asarray(pack.pictures[i])}
            _move(writer.add_item(i, item), store, files)
        for path in writer.done():
            _move(path, store, files)
        writer.merge(1)
        _move(f"{scratch}/index.json", store, files)
    with (pack.folder / "rows.jsonl").open("rb") as rows:
        files["rows.jsonl"] = store.put("rows.jsonl", b"".join(islice(rows, len(pack))))
    index = read_index(pack.folder)
    assert index
    return Split(index.label, index.size, index.content, len(pack), pack.fingerprint, files)


def _move(path: str | None, store: Store, files: dict[str, Stamp]) -> None:
    """A finished file into the store, where there is one."""
    if path:
        files[Path(path).name] = store.put(Path(path).name, Path(path).read_bytes())
        Path(path).unlink()


def dataset(url: str, split: Split, folder: Path, seed: int, limit: str, count: int) -> StreamingDataset:
    """A split's pictures as litdata streams them: {"index": position in the split, "picture": uint8}.

    Args:
        url: of the split.
        split: what is there.
        folder: where shards are kept on this machine.
        seed: of the shuffling.
        limit: how large that folder may grow, such as "100GB".
        count: the first so many pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.json"
    if not index.exists():
        fetched(Store(url), "index.json", split.files["index.json"], index)
    made = StreamingDataset(
        Dir(path=str(folder), url=SCHEME + url),
        shuffle=True,
        seed=seed,
        max_cache_size=limit,
        item_shuffle_window=0,  # shuffled through the whole of a shard,
        batch_decode=0,  # so pictures are read one by one
        storage_options={"files": split.files},
    )
    made.posix_fast = None  # it would make the order depend on where the shards lie
    return made if count == split.pictures else made.subset(slice(0, count))


class Checked(Downloader):
    """Moves shards and holds each against its length and CRC."""

    def download_file(self, remote: str, local: str) -> None:
        """Put a shard into the cache; of the processes of a machine, one moves it."""
        folder, _, name = remote.removeprefix(SCHEME).rpartition("/")
        fetched(Store(folder), name, self._storage_options["files"][name], Path(local))

    async def adownload_file(self, remote: str, local: str) -> None:
        """The same, in a thread."""
        await asyncio.to_thread(self.download_file, remote, local)
        self._notify_published(local)


def fetched(store: Store, name: str, stamp: Stamp, target: Path) -> None:
    """Move a file here whole or not at all, once."""
    with FileLock(f"{target}.lock"):
        if not target.exists():
            data = store.get(name, stamp)
            with replaced(target) as partial:
                partial.write_bytes(data)


def _quiet(thread: PrepareChunksThread, error: BaseException) -> None:
    """What litdata would print with a traceback is raised to the reader anyway."""
    log.debug("litdata stops moving shards: %s", error)


register_downloader(SCHEME, Checked, overwrite=True)
PrepareChunksThread._report_crash = _quiet
