"""Pictures streamed from an object store: of the training set, only shards in use lie on this machine."""

import json
import shutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from colorization.config import InputError
from colorization.data.decode import Geometry
from colorization.data.feed import AHEAD, Fed, Feed
from colorization.data.module import SPLITS, PictureData
from colorization.data.pack import Index, Pack, check_space, digest, mark_used, read_index, writing
from colorization.data.sampler import Sampler, crops
from colorization.data.source import Source
from colorization.data.store import Store
from colorization.files import replaced

if TYPE_CHECKING:
    from litdata import StreamingDataset

    from colorization.data.shards import Split

SAMPLE = 1024  # training pictures that are kept here, for who wants to look at some


@dataclass(kw_only=True, eq=False)
class Stream(PictureData):
    """Shards that `python -m colorization.prepare data=... stream=URL` wrote, for training on many machines.

    Training pictures are shuffled, shared among the ranks and moved ahead of their use by litdata. An
    epoch's order is made of (seed, epoch, number of ranks and machines) alone: shards in an order of
    its own, pictures shuffled within each. Each rank takes an equal share, all shares are disjoint, and
    a run that was stopped in the middle of an epoch goes on at the same picture.

    "val" and "test", which are small and read again and again, are packed here when first used. Their
    fingerprints are those of the pictures that were written, so that results can be compared.

    Args:
        root: the URL of the shards: s3://, gs://, az://, http(s):// or a folder that all machines see.
        max_cache: how much disk shards may take on each machine; what does not fit is moved again in
            each epoch. The order of the pictures depends on whether they fit.
    """

    root: str | None = None
    max_cache: str = "100GB"
    _splits: "dict[str, Split]" = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resident is True:
            raise ValueError("data.resident=true: a stream is never held whole; leave it at auto")

    def sources(self) -> dict[str, Source]:
        """None: what is streamed was decoded before."""
        return {}

    def pack(self, split: str) -> Pack:
        """What is known here of a split: all of "val" and "test", names and some pictures of "train"."""
        if split not in SPLITS:
            raise InputError(f"split={split}: choose {', '.join(SPLITS)}")
        if split not in self._packs:
            there, folder = self._there(split), self._folder(split)
            index = read_index(folder)
            if index is None:
                with writing(folder):
                    index = read_index(folder) or self._fetch(split, folder)
            count = min(self.subset or there.pictures, there.pictures) if split == "train" else there.pictures
            pack = Pack(folder, index, count, min(count, SAMPLE) if split == "train" else None)
            if len(pack) == there.pictures and pack.fingerprint != there.fingerprint:
                made = "was written by another version of this program; write it again"
                raise InputError(f"data.root={self.root}: {split} {made}")
            mark_used(folder)
            self._packs[split] = pack
            self._warn_if_smaller(split)
        return self._packs[split]

    def train_dataloader(self) -> "StreamFeed":
        """Shuffled, cropped and mirrored at random."""
        room = self._size("train") - self.image_size
        return StreamFeed(
            self._dataset("train", len(self.pack("train"))),
            self._sampler("train", shuffle=True),
            room if room or self.flip else None,
            self.flip,
            pin=self._device.type == "cuda",
        )

    def _there(self, split: str) -> "Split":
        """What lies at the URL, if it is what is asked for."""
        if not self.root:
            url = "data.root=s3://BUCKET/FOLDER"
            raise FileNotFoundError(f"data.root is not given; pass the URL of shards, {url}")
        self._splits = self._splits or engine().manifest(self.root)
        there, size, geometry = self._splits[split], self._size(split), Geometry(self.fit, self.filter)
        if there.size != size:
            setting = f"data.{'load_size' if split == 'train' else 'image_size'}"
            held = f"the {split} pictures at {self.root} have {there.size} pixels a side"
            raise InputError(f"{setting}={size}: {held}; pass {setting}={there.size} or write others")
        made = Geometry(**{k: v for k, v in there.content["source"].items() if k in Geometry._fields})
        if made != geometry:
            wanted = f"data.fit={geometry.fit} data.filter={geometry.filter}"
            raise InputError(f"{wanted}: what is at {self.root} was made with {made.fit}, {made.filter}")
        return there

    def _folder(self, split: str) -> Path:
        there = self._there(split)
        name = f"stream_{there.label}_{there.size}px_{digest([there.fingerprint, there.files])[:10]}"
        return Path(self.cache_dir).expanduser() / name

    def _url(self, split: str) -> str:
        return f"{str(self.root).rstrip('/')}/{split}"

    def _dataset(self, split: str, count: int) -> "StreamingDataset":
        folder = self._folder(split) / "shards"
        there = self._there(split)
        return engine().dataset(self._url(split), there, folder, self.seed, self.max_cache, count)

    def _fetch(self, split: str, folder: Path) -> Index:
        """Make a pack of all pictures, or of the first where they are to train on."""
        there = self._there(split)
        source = there.content["source"] | {"place": [self.root, split]}
        index = Index(there.label, there.size, source, there.pictures, there.pictures, there.pictures)
        held = min(there.pictures, SAMPLE) if split == "train" else there.pictures
        check_space(folder, held * index.picture_bytes)
        rows = Store(self._url(split)).get("rows.jsonl", there.files["rows.jsonl"])
        (folder / "rows.jsonl").write_bytes(rows)
        index.row_bytes = len(rows)
        stream = self._dataset(split, there.pictures)
        with (folder / "pictures.bin").open("wb") as file:
            for i in range(held):
                file.write(stream[i]["picture"].tobytes())
        if split != "train":
            shutil.rmtree(folder / "shards")
        with replaced(folder / "index.json") as partial:
            partial.write_text(json.dumps(asdict(index)))
        return index


class StreamFeed(Feed):
    """As `Feed`, of a stream.

    Its state also tells how many ranks shared the epoch: with another number of them, what is left
    of it is shared anew, and no picture comes twice.

    Args:
        stream: what litdata gives.
        sampler: how many pictures, and for whom; the order is the stream's.
        room, flip, pin: as `Feed`.
    """

    def __init__(
        self,
        stream: "StreamingDataset",
        sampler: Sampler,
        room: int | None = None,
        flip: bool = False,
        pin: bool = False,
    ):
        super().__init__(None, sampler, room, flip, pin)
        self.stream, self._shared_by = stream, sampler.world
        found, told = stream.distributed_env, (sampler.rank, sampler.world)
        if (found.global_rank, found.world_size) != told:
            raise RuntimeError(f"litdata takes this process for {found}, Lightning for rank, world = {told}")

    def state_dict(self) -> dict[str, int]:
        """The epoch, how many of its pictures were taken, and how many ranks it was shared out among."""
        return super().state_dict() | {"world": self._shared_by}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on there, in the next iteration."""
        super().load_state_dict(state)
        self._shared_by = state["world"]

    def __iter__(self) -> Iterator[Fed]:
        epoch, self._taken = self._resume or (self.sampler.epoch, 0)
        self._resume = None
        if epoch != self.sampler.epoch:
            self._taken = 0
        if not self._taken:
            self._shared_by = self.sampler.world
        pictures = self._pictures()
        with ThreadPoolExecutor(1, "stream") as thread:
            waiting: deque[Future[Fed]] = deque()
            for _ in range(self._taken, len(self)):
                waiting.append(thread.submit(self._next, pictures))
                if len(waiting) > AHEAD:
                    yield self._take(waiting)
            while waiting:
                yield self._take(waiting)
            # Past the few pictures that fill no batch, the stream lets its shards go.
            thread.submit(deque, pictures, 0)

    def _pictures(self) -> Iterator[dict[str, Any]]:
        """The rank's pictures of the epoch, from where it goes on."""
        self.stream.reset_state_dict()
        self.stream.set_epoch(self.sampler.epoch + 1)
        if self._taken:
            each, taken = self._taken * self.sampler.batch_size, self._taken * self._step
            state = self.stream.state_dict(each, 1, 1)
            if self._shared_by != self.sampler.world:
                began = {"world_size": self._shared_by, "initial_world_size": self._shared_by}
                state |= began | {"sample_in_epoch": taken, "num_samples_yielded": taken // self._shared_by}
            self.stream.load_state_dict(state)
        return (picture for picture in self.stream)  # the stream itself starts anew at each iter()

    def _next(self, pictures: Iterator[dict[str, Any]]) -> Fed:
        """A batch out of the stream; what goes wrong in there is told in the words of who moved it."""
        sampler = self.sampler
        try:
            taken = list(islice(pictures, min(sampler.batch_size, sampler.count // sampler.world)))
        except Exception as error:
            raise _cause(error) from None
        index = np.array([picture["index"] for picture in taken])
        batch = {"index": torch.from_numpy(index)}
        if self.room is not None:
            batch["crop"] = torch.from_numpy(crops(index, self.room, self.flip, sampler.seed, sampler.epoch))
        squares = [picture["picture"] for picture in taken]
        shape = (len(taken), *squares[0].shape)
        batch["picture"] = torch.empty(shape, dtype=torch.uint8, pin_memory=self.pin)
        np.stack(squares, out=batch["picture"].numpy())
        return batch


def engine() -> Any:
    """`shards`, which needs an extra."""
    try:
        from colorization.data import shards
    except ImportError as error:
        raise InputError(f"shards need litdata: pip install 'colorization[stream]' ({error})") from error
    return shards


def _cause(error: BaseException) -> BaseException:
    """The error of moving or reading a shard that led to this one."""
    while error.__cause__ and not isinstance(error, OSError):
        error = error.__cause__
    return error
