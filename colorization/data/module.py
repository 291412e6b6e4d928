"""The LightningDataModule: map -> uint8 batch -> device -> Batch."""

import logging
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.data.pack import Pack, pack
from colorization.data.source import Source

log = logging.getLogger(__name__)

Split = Literal["train", "val", "test"]
CACHE = "~/.cache/colorization"


@dataclass(kw_only=True, eq=False)
class PictureData(pl.LightningDataModule):
    """Pictures in three splits, packed once, served as uint8, split into L and ab on the device.

    Args:
        image_size: pixels per side of what the network sees.
        load_size: pixels per side of the packed training pictures, from which a random image_size
            crop is taken; null is 9/8 of image_size, and image_size itself means no cropping.
        subset: how many training pictures; null takes all. Smaller subsets lie within larger ones.
        batch_size: pictures per step and device.
        flip: whether half of the training pictures are mirrored.
        cache_dir: where packs are kept.
        on_error: "skip" leaves unreadable pictures out and names them, "raise" stops.
        resident: whether the training pack is kept in the device's memory; "auto" where it fits
            into a quarter of a GPU's.
        workers: decoding processes; null takes every core.
        seed: of shuffling and augmentation.
    """

    image_size: int = 128
    load_size: int | None = None
    subset: int | None = None
    batch_size: int = 32
    flip: bool = True
    cache_dir: str = CACHE
    on_error: Literal["skip", "raise"] = "skip"
    resident: bool | Literal["auto"] = "auto"
    workers: int | None = None
    seed: int = 0
    _packs: dict[str, Pack] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__init__()
        for name in ("image_size", "batch_size", "subset", "load_size", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"data.{name}={value}: must be at least 1")
        self.load_size = self.load_size or self.image_size * 9 // 8
        if self.load_size < self.image_size:
            raise ValueError(f"data.load_size={self.load_size}: must be at least data.image_size={self.image_size}")
        self._sampler: Shuffle | None = None
        self._resident: Tensor | None = None
        self._resume: dict[str, int] = {}

    @property
    def name(self) -> str:
        """The name that tables show."""
        return type(self).__name__.lower()

    @abstractmethod
    def sources(self) -> dict[str, Source]:
        """The pictures of "train", "val" and "test"; training names in nested order."""

    def pack(self, split: str) -> Pack:
        """The pack of a split, prepared if it is missing."""
        if split not in ("train", "val", "test"):
            raise ValueError(f"split={split}: choose train, val or test")
        if split not in self._packs:
            source = self.sources()[split]
            if split == "train" and self.subset:
                source = self._first(source, self.subset)
            size = self.load_size if split == "train" else self.image_size
            place, label = Path(self.cache_dir).expanduser(), f"{self.name}_{split}"
            self._packs[split] = pack(source, size, place, label, self.workers, self.on_error)
        return self._packs[split]

    def fingerprint(self, split: str) -> str:
        """What identifies the content of a split."""
        return self.pack(split).fingerprint

    def prepare_data(self) -> None:
        for split in ("train", "val", "test"):
            self.pack(split)

    def train_dataloader(self) -> DataLoader:
        pictures = self.pack("train").pictures
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        self._sampler = Shuffle(len(pictures), self.batch_size, self.seed, rank, world)
        self._sampler.load_state_dict(self._resume)
        return self._loader(Gather(pictures), self._sampler)

    def val_dataloader(self) -> DataLoader:
        pictures = self.pack("val").pictures
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        order = np.arange(rank, len(pictures), world)
        batches = [order[i : i + self.batch_size].tolist() for i in range(0, len(order), self.batch_size)]
        return self._loader(Gather(pictures), batches)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Batch:
        picture, index = batch["picture"].movedim(-1, 1), batch["index"]
        if self.trainer and self.trainer.training:
            seed = torch.Generator().manual_seed(hash((self.seed, self.trainer.global_step, self.trainer.global_rank)))
            picture = augment(picture, self.image_size, self.flip, seed)
        L, ab = lab.split(picture)
        return Batch(L, ab, index)

    def state_dict(self) -> dict[str, Any]:
        return self._sampler.state_dict() if self._sampler else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._resume = dict(state_dict)

    def _first(self, source: Source, count: int) -> Source:
        if count > len(source.names):
            log.warning("data.subset=%d: there are %d training pictures; taking all", count, len(source.names))
        return source.only(source.names[:count])

    def _loader(self, dataset: Dataset, batches: Sampler | list[list[int]]) -> DataLoader:
        return DataLoader(dataset, batch_size=None, sampler=batches, pin_memory=torch.cuda.is_available())


class Gather(Dataset):
    """Batches by list of indices: one gather from the map each."""

    def __init__(self, pictures: np.ndarray):
        self.pictures = pictures

    def __getitem__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        order = np.sort(np.asarray(indices))
        return {"picture": torch.from_numpy(self.pictures[order]), "index": torch.from_numpy(order)}


class Shuffle(Sampler):
    """Batches of indices in an order that (seed, epoch, rank) decides and that resumes mid-epoch."""

    def __init__(self, count: int, batch_size: int, seed: int, rank: int = 0, world: int = 1):
        self.count, self.batch_size, self.seed, self.rank, self.world = count, batch_size, seed, rank, world
        self.epoch = self.batch = 0

    def __len__(self) -> int:
        share = self.count // self.world
        return max(share // self.batch_size, 1)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)[self.rank :: self.world]
        for self.batch in range(self.batch, len(self)):
            yield order[self.batch * self.batch_size : (self.batch + 1) * self.batch_size].tolist()
        self.epoch, self.batch = self.epoch + 1, 0

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.epoch, self.batch = state.get("epoch", 0), state.get("batch", 0)


def augment(picture: Tensor, size: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Random crop to `size` and random mirror, picture by picture: (B, 3, S, S) -> (B, 3, size, size)."""
    B, _, S, _ = picture.shape
    room = S - size + 1
    top, left = torch.randint(room, (2, B, 1), generator=generator)
    across = torch.arange(size).expand(B, size)
    if flip:
        mirrored = torch.rand(B, 1, generator=generator) < 0.5
        across = torch.where(mirrored, size - 1 - across, across)
    rows = (top + torch.arange(size)).to(picture.device)
    columns = (left + across).to(picture.device)
    b = torch.arange(B, device=picture.device)
    return picture.movedim(1, -1)[b[:, None, None], rows[:, :, None], columns[:, None, :]].movedim(-1, 1)
