"""From the map to the device: whole batches, gathered ahead by a thread."""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NotRequired, TypedDict

import numpy as np
import torch
from torch import Tensor

from colorization.data.sampler import Sampler, crops

AHEAD = 3  # batches gathered before they are asked for


class RawBatch(TypedDict):
    """A batch before it is on the device.

    Attributes:
        index: (B,) int64 positions of the pictures.
        picture: (B, H, W, 3) uint8, unless the device holds the pictures itself.
        crop: (B, 3) int64, see `sampler.crops`, if they are augmented.
        extra: what the data set has beside them, (B, ...) by name.
    """

    index: Tensor
    picture: NotRequired[Tensor]
    crop: NotRequired[Tensor]
    extra: NotRequired[dict[str, Tensor]]


class Feed:
    """A loader of batches, each one gather from a memory map.

    Lightning sets the epoch of `sampler`, and asks whether there is a `batch_sampler`.

    Its state is how many batches of which epoch were taken: an interrupted epoch goes on at the
    same picture.

    Args:
        pictures: uint8 (N, H, W, 3), or None where the device holds them.
        sampler: which pictures, in which order.
        room: how many pixels a crop may be shifted by, or None without augmentation.
        flip: whether half of the pictures are mirrored.
        pin: whether batches are put into pinned memory, from which a GPU copies while it computes.
        extra: (N, ...) arrays of what the data set has beside its pictures, by name.
    """

    batch_sampler = None

    def __init__(
        self,
        pictures: np.ndarray | None,
        sampler: Sampler,
        room: int | None = None,
        flip: bool = False,
        pin: bool = False,
        extra: Mapping[str, np.ndarray] | None = None,
    ):
        self.pictures, self.sampler, self.room, self.flip, self.pin = pictures, sampler, room, flip, pin
        self.extra = dict(extra or {})
        self._taken = 0
        self._resume: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[RawBatch]:
        epoch, self._taken = self._resume or (self.sampler.epoch, 0)
        self._resume = None
        if epoch != self.sampler.epoch:
            self._taken = 0
        batches = self._batches(self.sampler.epoch, self._taken)
        with ThreadPoolExecutor(1, "feed") as thread:
            waiting: deque[Future[RawBatch]] = deque()
            for _ in range(self._taken, len(self)):
                waiting.append(thread.submit(next, batches))
                if len(waiting) > AHEAD:
                    yield self._take(waiting)
            while waiting:
                yield self._take(waiting)
            thread.submit(deque, batches, 0)  # what a stream has left open behind the last one, it closes

    def state_dict(self) -> dict[str, int]:
        """The epoch, and how many of its pictures were taken by all ranks."""
        return {"epoch": self.sampler.epoch, "taken": self._taken * self._step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on there, in the next iteration."""
        self._resume = state["epoch"], state["taken"] // self._step

    @property
    def _step(self) -> int:
        return self.sampler.batch_size * self.sampler.world

    def _take(self, waiting: deque[Future[RawBatch]]) -> RawBatch:
        self._taken += 1
        return waiting.popleft().result()

    def _batches(self, epoch: int, taken: int) -> Iterator[RawBatch]:
        """The rank's batches of an epoch, less those that were taken."""
        for index in self.sampler.batches()[taken:]:
            batch = self._without_pictures(index, epoch)
            if self.pictures is not None:
                batch["picture"] = self._memory(len(index), self.pictures.shape[1:])
                np.take(self.pictures, index, axis=0, out=batch["picture"].numpy(), mode="clip")
            yield batch

    def _without_pictures(self, index: np.ndarray, epoch: int) -> RawBatch:
        batch: RawBatch = {"index": torch.from_numpy(index)}
        if self.room is not None:
            batch["crop"] = torch.from_numpy(crops(index, self.room, self.flip, self.sampler.seed, epoch))
        if self.extra:
            batch["extra"] = {name: torch.from_numpy(values[index]) for name, values in self.extra.items()}
        return batch

    def _memory(self, count: int, shape: tuple[int, ...]) -> Tensor:
        """Room for the pictures of a batch."""
        return torch.empty((count, *shape), dtype=torch.uint8, pin_memory=self.pin)


def crop(picture: Tensor, where: Tensor, size: int) -> Tensor:
    """Cut a square out of each picture, and mirror those that are to be.

    Args:
        picture: (B, H, W, 3).
        where: (B, 3): top, left, mirrored.
        size: pixels per side.

    Returns:
        (B, size, size, 3).
    """
    return (
        by_slices(picture, where, size) if picture.device.type == "cpu" else by_gather(picture, where, size)
    )


def by_slices(picture: Tensor, where: Tensor, size: int) -> Tensor:
    """`crop` one picture after another: what a CPU copies fastest."""
    squares = []
    for whole, (top, left, mirrored) in zip(picture, where.tolist(), strict=True):
        square = whole[top : top + size, left : left + size]
        squares.append(square.flip(1) if mirrored else square)
    return torch.stack(squares)


def by_gather(picture: Tensor, where: Tensor, size: int) -> Tensor:
    """`crop` in one gather of pixels, whatever the batch: what a GPU wants."""
    B, H, W, channels = picture.shape
    top, left, mirrored = where[:, :, None].unbind(1)
    along = torch.arange(size, device=picture.device)
    rows, columns = top + along, left + torch.where(mirrored > 0, size - 1 - along, along)
    first = torch.arange(B, device=picture.device)[:, None] * H + rows  # each row's place among all rows
    pixels = first[:, :, None] * W + columns[:, None, :]
    return picture.reshape(-1, channels).index_select(0, pixels.view(-1)).view(B, size, size, channels)
