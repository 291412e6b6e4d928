"""Pictures streamed from an object store: of the training set, only shards in use lie on this machine."""

import io
import json
import shutil
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from colorization.config import InputError, installation
from colorization.data.decode import Geometry
from colorization.data.feed import Feed, RawBatch
from colorization.data.module import SPLITS, PictureData
from colorization.data.pack import Index, Pack, check_space, digest, mark_used, read_index, writing
from colorization.data.sampler import Sampler
from colorization.data.source import Source
from colorization.data.store import Store
from colorization.files import replaced

if TYPE_CHECKING:
    from colorization.data.litdata import Shards
    from colorization.data.shards import Content

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
    _contents: "dict[str, Content]" = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resident is True:
            raise InputError("data.resident=true: a stream is never held whole; leave it at auto")

    def sources(self) -> dict[str, Source]:
        """None: what is streamed was decoded before."""
        return {}

    def pack(self, split: str) -> Pack:
        """What is known here of a split: all of "val" and "test", names and some pictures of "train"."""
        if split not in SPLITS:
            raise InputError(f"split={split}: choose {', '.join(SPLITS)}")
        if split not in self._packs:
            content, folder = self._content(split), self._folder(split)
            index = read_index(folder)
            if index is None:
                with writing(folder):
                    index = read_index(folder) or self._fetch(split, folder)
            count = self.count(split)
            pack = Pack(folder, index, count, min(count, SAMPLE) if split == "train" else None)
            if len(pack) == content.pictures and pack.fingerprint != content.fingerprint:
                remedy = "was written by another version of this program; write it again"
                raise InputError(f"data.root={self.root}: {split} {remedy}")
            mark_used(folder)
            self._packs[split] = pack
            self._warn_if_smaller(split)
        return self._packs[split]

    def count(self, split: str) -> int:
        """How many pictures a split has, or how many of them are asked for."""
        total = self._content(split).pictures
        return min(self.subset or total, total) if split == "train" else total

    def extra(self, split: str) -> dict[str, np.ndarray]:
        """What was written beside the pictures."""
        store, stamps = Store(self._url(split)), self._content(split).extra
        files = {name: store.get(f"extra_{name}.npy", stamp) for name, stamp in stamps.items()}
        return {name: np.load(io.BytesIO(file))[: self.count(split)] for name, file in files.items()}

    def train_dataloader(self) -> "StreamFeed":
        """Shuffled, cropped and mirrored at random."""
        count, total = self.count("train"), self._content("train").pictures
        pictures = self._shards("train", count if count < total else None)
        return StreamFeed(pictures, **self._training())

    def _content(self, split: str) -> "Content":
        """What lies at the URL, if it is what is asked for."""
        if not self.root:
            url = "data.root=s3://BUCKET/FOLDER"
            raise FileNotFoundError(f"data.root is not given; pass the URL of shards, {url}")
        self._contents = self._contents or engine().manifest(self.root)
        content, size, geometry = self._contents[split], self._size(split), self._geometry(split)
        if content.size != size:
            scored = "protocol.size" if self.view.size else "data.image_size"
            setting = "data.load_size" if split == "train" else scored
            sides = f"the {split} pictures at {self.root} have {content.size} pixels a side"
            raise InputError(f"{setting}={size}: {sides}; pass {setting}={content.size} or write others")
        there = Geometry(**{k: v for k, v in content.content["source"].items() if k in Geometry._fields})
        if there != geometry:
            settings = f"data.fit={geometry.fit} data.filter={geometry.filter}"
            raise InputError(f"{settings}: what is at {self.root} was made with {there.fit}, {there.filter}")
        return content

    def _folder(self, split: str) -> Path:
        content = self._content(split)
        name = f"stream_{content.label}_{content.size}px_{digest([content.fingerprint, content.files])[:10]}"
        return self.cache / name

    def _url(self, split: str) -> str:
        return f"{str(self.root).rstrip('/')}/{split}"

    def _shards(self, split: str, count: int | None = None) -> "Shards":
        folder, stamps = self._folder(split) / "shards", self._content(split).files
        return engine().litdata.Shards(self._url(split), stamps, folder, self.seed, self.max_cache, count)

    def _fetch(self, split: str, folder: Path) -> Index:
        """Make a pack of all pictures, or of the first where they are to train on."""
        content = self._content(split)
        source, total = content.content["source"] | {"place": [self.root, split]}, content.pictures
        index = Index(content.label, content.size, source, total, total, total)
        count = min(total, SAMPLE) if split == "train" else total
        check_space(folder, count * index.picture_bytes)
        rows = Store(self._url(split)).get("rows.jsonl", content.files["rows.jsonl"])
        (folder / "rows.jsonl").write_bytes(rows)
        index.row_bytes = len(rows)
        pictures = self._shards(split)
        with (folder / "pictures.bin").open("wb") as file:
            for i in range(count):
                file.write(pictures[i].tobytes())
        if split != "train":
            shutil.rmtree(folder / "shards")
        with replaced(folder / "index.json") as partial:
            partial.write_text(json.dumps(asdict(index)), encoding="utf-8")
        return index


class StreamFeed(Feed):
    """As `Feed`, of a stream.

    Its state also tells how many ranks shared the epoch: with another number of them, what is left
    of it is shared anew, and no picture comes twice.

    Args:
        shards: the pictures.
        sampler: how many of them, and for whom; the order is that of the shards.
        room, flip, pin, extra: as `Feed`.
    """

    def __init__(
        self,
        shards: "Shards",
        sampler: Sampler,
        room: int | None = None,
        flip: bool = False,
        pin: bool = False,
        extra: Mapping[str, np.ndarray] | None = None,
    ):
        super().__init__(None, sampler, room, flip, pin, extra)
        self.shards, self._shared_by = shards, sampler.world
        theirs, ours = (shards.rank, shards.world), (sampler.rank, sampler.world)
        if theirs != ours:
            raise RuntimeError(f"litdata takes this process for rank, world = {theirs}, Lightning for {ours}")

    def state_dict(self) -> dict[str, int]:
        """The epoch, how many of its pictures were taken, and how many ranks it was shared out among."""
        return super().state_dict() | {"world": self._shared_by}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on there, in the next iteration."""
        super().load_state_dict(state)
        self._shared_by = state["world"]

    def _batches(self, epoch: int, taken: int) -> Iterator[RawBatch]:
        """As `Feed`'s; what goes wrong in litdata is raised as the error of whoever moved a shard."""
        if not taken:
            self._shared_by = self.sampler.world
        pictures = self.shards.epoch(epoch, taken * self._step, self._shared_by)
        size = min(self.sampler.batch_size, self.sampler.count // self.sampler.world)
        try:
            for _ in range(taken, len(self)):
                index, squares = zip(*islice(pictures, size), strict=True)
                batch = self._without_pictures(np.array(index), epoch)
                batch["picture"] = self._memory(len(index), squares[0].shape)
                np.stack(squares, out=batch["picture"].numpy())
                yield batch
            deque(pictures, 0)  # past the few pictures that fill no batch, the stream lets its shards go
        except Exception as error:
            raise _cause(error) from None


def engine() -> Any:
    """`shards` with litdata, which an extra installs."""
    try:
        from colorization.data import shards
    except ImportError as error:
        raise InputError(f"shards need litdata: {installation('stream')} ({error})") from error
    return shards


def _cause(error: BaseException) -> BaseException:
    """The error of moving or reading a shard that led to this one."""
    while error.__cause__ and not isinstance(error, OSError):
        error = error.__cause__
    return error
