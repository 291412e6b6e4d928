"""The LightningDataModule: map -> uint8 batch -> device -> Batch."""

import logging
import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from colorization.color import lab
from colorization.config import InputError
from colorization.data.batch import NONE, Batch
from colorization.data.decode import Filter, Fit, Geometry
from colorization.data.feed import Feed, RawBatch, crop
from colorization.data.pack import OnError, Pack, folder_of, pack, total
from colorization.data.sampler import Sampler
from colorization.data.source import Source, first, with_geometry

log = logging.getLogger(__name__)

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
CACHE = "~/.cache/colorization"
NAME = re.compile(r"[^\W_][\w.-]*")  # of pictures: their evaluations' folders begin with it
SHARE = 0.4  # of a GPU's free memory that a resident pack may take by itself
SAMPLE = 1000  # training pictures that are looked at for colour


class View(NamedTuple):
    """How the pictures of "val" and "test" are shown.

    Attributes:
        size: pixels per side; None: as the network sees those of training.
        geometry: how a picture becomes that square; None: as in training.
        most: how many pictures a validation takes, the first by a hash of their names; None: all.
    """

    size: int | None = None
    geometry: Geometry | None = None
    most: int | None = None


@dataclass(kw_only=True, eq=False)
class PictureData(pl.LightningDataModule):
    """Pictures in three splits, packed once, served as uint8, split into L and ab on the device.

    "val" is held out of the training pictures and chooses checkpoints; "test" is scored and never
    chooses anything. `view` says how both are shown.

    Args:
        image_size: pixels per side of what the network sees.
        load_size: pixels per side of the packed training pictures, from which a random image_size
            crop is taken; null is 9/8 of image_size, and image_size itself means no cropping.
        subset: how many training pictures; null takes all. Smaller subsets lie within larger ones.
        batch_size: pictures per step and device.
        flip: whether half of the training pictures are mirrored.
        cache_dir: where packs are kept.
        fit: "crop" takes the central square of a picture, "crop_first" the same at whole pixels, "stretch"
            all of it, in other proportions; see `Geometry`.
        filter: "triangle" antialiases, as protocol v1 does; "linear" does not, as OpenCV.
        on_error: "skip" leaves unreadable pictures out and names them, "raise" stops.
        resident: whether the device holds the training pictures and is sent only their positions;
            "auto" where they fit into 40% of a GPU's free memory.
        workers: decoding processes; null takes every core.
        seed: of shuffling and augmentation.
        name: what tables call the pictures, such as shared22k; null: the loader.
    """

    image_size: int = 128
    load_size: int | None = None
    subset: int | None = None
    batch_size: int = 32
    flip: bool = True
    cache_dir: str = CACHE
    fit: Fit = "crop"
    filter: Filter = "triangle"
    on_error: OnError = "skip"
    resident: bool | Literal["auto"] = "auto"
    workers: int | None = None
    seed: int = 0
    name: str | None = None
    _packs: dict[str, Pack] = field(default_factory=dict, init=False, repr=False)
    _resident: Tensor | None = field(default=None, init=False, repr=False)
    view: View = field(default=View(), init=False, repr=False)

    def __post_init__(self) -> None:
        super().__init__()
        self.name = self.name or self.loader
        if not NAME.fullmatch(self.name):
            allowed = "letters, digits, '.', '-' and '_', a letter or a digit first"
            raise InputError(f"data.name={self.name}: should be {allowed}, such as data.name=shared22k")
        for name in ("image_size", "load_size", "subset", "batch_size", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"data.{name}={value}: must be at least 1")
        if self.fit not in get_args(Fit) or self.filter not in get_args(Filter):
            allowed = f"choose fit {' or '.join(get_args(Fit))}, filter {' or '.join(get_args(Filter))}"
            raise InputError(f"data.fit={self.fit} data.filter={self.filter}: {allowed}")
        self.load_size = self.load_size or self.image_size * 9 // 8
        if self.load_size < self.image_size:
            least = f"data.image_size={self.image_size}"
            raise InputError(f"data.load_size={self.load_size}: must be at least {least}")

    @property
    def loader(self) -> str:
        """What reads the pictures, such as coco; it labels their packs, whatever they are called."""
        return type(self).__name__.lower()

    @abstractmethod
    def sources(self) -> dict[str, Source]:
        """The pictures of "train", "val" and "test"; the first of "train" are the smaller subsets."""

    def validation(self) -> list[int]:
        """The positions of the pictures that a validation takes."""
        return first(self.pack("val").names, self.view.most)

    def pack(self, split: str) -> Pack:
        """The pack of a split, prepared if it is missing."""
        if split not in SPLITS:
            raise InputError(f"split={split}: choose {', '.join(SPLITS)}")
        if split not in self._packs:
            self._packs[split] = pack(
                self._source(split),
                **self._place(split),
                count=self.subset if split == "train" else None,
                workers=self.workers,
                on_error=self.on_error,
            )
            self._warn_if_smaller(split)
        return self._packs[split]

    def count(self, split: str) -> int:
        """How many pictures a split is asked for, before any is opened; unreadable ones count as well."""
        source = self._source(split)
        names = total(source, folder_of(source, **self._place(split)))
        return min(self.subset or names, names) if split == "train" else names

    def check(self, world: int = 1) -> None:
        """List the splits, so that a run that cannot be fed ends before it begins.

        Args:
            world: how many processes share each split.

        Raises:
            InputError: nothing in a split, or too little to share.
        """
        for split in SPLITS:
            count = self.count(split)
            if split == "val":
                count = min(count, self.view.most or count)
            if count < world:
                too_few = f"{split} has {count} pictures, too few to be shared by {world} processes"
                raise InputError(f"{self.name}: {too_few}; lower trainer.devices, or give more pictures")

    def extra(self, split: str) -> Mapping[str, np.ndarray]:
        """What the data set has beside its pictures, such as labels: none, unless a subclass has some.

        Returns:
            (N, ...) numbers by name, a row for each of `self.pack(split).names`. Each batch carries those
            of its pictures, as `Batch.extra`.
        """
        return {}

    def rows(self, split: str) -> dict[str, np.ndarray]:
        """`extra`, checked. Raises InputError where it is not numbers, or not a row for each picture."""
        extra = {name: np.asarray(values) for name, values in self.extra(split).items()}
        count = len(self.pack(split))
        for name, values in extra.items():
            if values.dtype.kind not in "biuf" or values.shape[:1] != (count,):
                wrong = f"{type(self).__name__}.extra({split!r})[{name!r}] is {values.dtype} {values.shape}"
                raise InputError(f"{wrong}; should be numbers, a row for each of the pack's {count} pictures")
        return extra

    def fingerprint(self, split: str) -> str:
        """What identifies the pictures of a split; see `Pack.fingerprint`."""
        return self.pack(split).fingerprint

    def prepare_data(self) -> None:
        """Pack what is missing; the other processes of a node then map it."""
        for split in SPLITS:
            self.pack(split)
        grey, count = grey_among(self.pack("train").pictures)
        if grey > count / 2:
            log.warning("%d of %d training pictures have no colour: nothing is learnt from them", grey, count)

    def train_dataloader(self) -> Feed:
        """Shuffled, cropped and mirrored at random."""
        pictures = self.pack("train").pictures
        self._resident = (
            torch.from_numpy(pictures).to(self._device) if self._fits_in(pictures.nbytes) else None
        )
        return Feed(pictures if self._resident is None else None, **self._training())

    def val_dataloader(self) -> Feed:
        """In order, as they are."""
        return self._evaluation("val", np.array(self.validation()))

    def test_dataloader(self) -> Feed:
        """In order, as they are."""
        return self._evaluation("test")

    def predict_dataloader(self) -> Feed:
        """The pictures of "test"."""
        return self.test_dataloader()

    def on_after_batch_transfer(self, batch: RawBatch, dataloader_idx: int) -> Batch:
        """Crop, mirror and convert, where the network is."""
        index = batch["index"]
        picture = batch["picture"] if self._resident is None or "picture" in batch else self._resident[index]
        if "crop" in batch:
            picture = crop(picture, batch["crop"], self.image_size)
        picture = picture.movedim(-1, 1)
        L, ab = lab.split(picture)
        return Batch(L, ab, index, extra=batch.get("extra", NONE), picture=picture)

    @property
    def cache(self) -> Path:
        """The folder of packs, and of what else is worth keeping of pictures."""
        return Path(self.cache_dir).expanduser()

    def _source(self, split: str) -> Source:
        return with_geometry(self.sources()[split], self._geometry(split))

    def _place(self, split: str) -> dict[str, Any]:
        """Where a split's pack lies; see `folder_of`."""
        return {"size": self._size(split), "cache": self.cache, "label": f"{self.loader}_{split}"}

    def _size(self, split: str) -> int:
        if split == "train":
            return self.load_size or self.image_size
        return self.view.size or self.image_size

    def _geometry(self, split: str) -> Geometry:
        trained = Geometry(self.fit, self.filter)
        return trained if split == "train" else self.view.geometry or trained

    def _evaluation(self, split: str, positions: np.ndarray | None = None) -> Feed:
        sampler = self._sampler(split, shuffle=False, positions=positions)
        return Feed(
            self.pack(split).pictures, sampler, pin=self._device.type == "cuda", extra=self.rows(split)
        )

    def _training(self) -> dict[str, Any]:
        """What a feed of the training pictures takes beside them."""
        room = self._size("train") - self.image_size
        return {
            "sampler": self._sampler("train", shuffle=True),
            "room": room if room or self.flip else None,
            "flip": self.flip,
            "pin": self._device.type == "cuda",
            "extra": self.rows("train"),
        }

    def _sampler(self, split: str, shuffle: bool, positions: np.ndarray | None = None) -> Sampler:
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        count = len(self.pack(split)) if positions is None else len(positions)
        return Sampler(count, self.batch_size, self.seed, rank, world, shuffle, positions=positions)

    @property
    def _device(self) -> torch.device:
        return self.trainer.strategy.root_device if self.trainer else torch.device("cpu")

    def _fits_in(self, needed: int) -> bool:
        if self.resident != "auto":
            return self.resident
        return self._device.type == "cuda" and needed < SHARE * torch.cuda.mem_get_info(self._device)[0]

    def _warn_if_smaller(self, split: str) -> None:
        total = self._packs[split].total
        if split == "train" and self.subset and self.subset > total:
            log.warning("data.subset=%d: there are %d training pictures; taking all", self.subset, total)


def grey_among(pictures: np.ndarray) -> tuple[int, int]:
    """Of uint8 (N, H, W, 3), at most SAMPLE, evenly spaced: how many have no colour, and of how many."""
    chosen = np.linspace(0, len(pictures) - 1, min(len(pictures), SAMPLE)).astype(int)
    chroma = []
    for i in chosen:
        _, ab = lab.split(torch.from_numpy(pictures[i, ::4, ::4].copy()).movedim(-1, 0)[None])
        chroma.append(ab.norm(dim=1).mean())
    return int((torch.stack(chroma) < lab.GREY).sum()), len(chosen)
