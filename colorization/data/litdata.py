"""All that this program takes of litdata (Lightning AI), its private parts too; no other module knows it.

pyproject.toml keeps litdata below its next minor version, and tests/data/test_litdata.py holds every name
that is used here against the version that is installed.

Of the engines that shuffle, share and resume a stream of shards, litdata is the one that serves here:
WebDataset cannot resume within an epoch, and mosaicml-streaming 0.13 needs numpy < 2.2 and brings
transformers and the clients of three clouds. What litdata moves is checked against the stamps.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from filelock import FileLock
from litdata import StreamingDataset
from litdata.streaming.downloader import Downloader, register_downloader
from litdata.streaming.reader import PrepareChunksThread
from litdata.streaming.resolver import Dir
from litdata.streaming.writer import BinaryWriter

from colorization.data.store import Stamp, Store
from colorization.files import replaced

log = logging.getLogger(__name__)

SCHEME = "shards+"  # before a URL, it makes litdata read through `Checked`


def shards(pictures: Iterable[np.ndarray], folder: Path, size: int) -> Iterator[Path]:
    """Cut pictures into files of about `size` bytes; each is yielded when it is whole, the index last."""
    writer = BinaryWriter(str(folder), chunk_bytes=size)
    for i, picture in enumerate(pictures):
        if path := writer.add_item(i, {"index": i, "picture": np.asarray(picture)}):
            yield Path(path)
    yield from map(Path, writer.done())
    writer.merge(1)
    yield folder / "index.json"


class Shards:
    """Pictures that lie in shards at a URL; each epoch shuffles them and shares them among the ranks.

    Args:
        url: of the shards.
        stamps: length and CRC-32 of each file there.
        folder: where shards are kept on this machine.
        seed: of the shuffling.
        limit: how large that folder may grow, such as "100GB".
        count: only the first so many pictures; None takes all.

    Attributes:
        rank, world: as which of how many processes litdata knows this one.
    """

    def __init__(
        self, url: str, stamps: Mapping[str, Stamp], folder: Path, seed: int, limit: str, count: int | None
    ):
        folder.mkdir(parents=True, exist_ok=True)
        fetch(Store(url), "index.json", stamps["index.json"], folder / "index.json")
        whole = StreamingDataset(
            Dir(path=str(folder), url=SCHEME + url),
            shuffle=True,
            seed=seed,
            max_cache_size=limit,
            item_shuffle_window=0,  # shuffled through the whole of a shard,
            batch_decode=0,  # so pictures are read one by one
            storage_options={"stamps": dict(stamps)},
        )
        whole.posix_fast = None  # it would make the order depend on where the shards lie
        self._stream = whole if count is None else whole.subset(slice(0, count))
        self.rank, self.world = (
            self._stream.distributed_env.global_rank,
            self._stream.distributed_env.world_size,
        )

    def __getitem__(self, position: int) -> np.ndarray:
        """One picture, uint8 (size, size, 3)."""
        return self._stream[position]["picture"]

    def epoch(self, number: int, taken: int = 0, world: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """The pictures of an epoch that are this rank's, with their positions.

        Args:
            number: from 0.
            taken: how many of the epoch's pictures all ranks together have had before.
            world: how many ranks those were; what is left is shared anew where this is another number.
        """
        self._stream.reset_state_dict()
        self._stream.set_epoch(number + 1)
        if taken:
            state = self._stream.state_dict(taken // self.world, 1, 1)
            if world != self.world:
                state |= {"world_size": world, "initial_world_size": world}
                state |= {"sample_in_epoch": taken, "num_samples_yielded": taken // world}
            self._stream.load_state_dict(state)
        return ((row["index"], row["picture"]) for row in self._stream)


class Checked(Downloader):
    """Moves shards and holds each against its length and CRC."""

    def download_file(self, remote: str, local: str) -> None:
        """Put a shard into the cache; of the processes of a machine, one moves it."""
        folder, _, name = remote.removeprefix(SCHEME).rpartition("/")
        fetch(Store(folder), name, self._storage_options["stamps"][name], Path(local))

    async def adownload_file(self, remote: str, local: str) -> None:
        """The same, in a thread."""
        await asyncio.to_thread(self.download_file, remote, local)
        self._notify_published(local)


def fetch(store: Store, name: str, stamp: Stamp, target: Path) -> None:
    """Move a file here whole or not at all, once."""
    if not target.exists():
        with FileLock(f"{target}.lock"):
            if not target.exists():
                data = store.get(name, stamp)
                with replaced(target) as partial:
                    partial.write_bytes(data)


def _log_crash(thread: PrepareChunksThread, error: BaseException) -> None:
    """What litdata would print with a traceback is raised to the reader anyway."""
    log.debug("litdata stops moving shards: %s", error)


register_downloader(SCHEME, Checked, overwrite=True)
PrepareChunksThread._report_crash = _log_crash
