"""The contract of hints: what a simulated user reveals in training, and how a real one is understood."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from torch import Tensor

from colorization.config import ConfigError
from colorization.data.batch import Batch


class Hints(ABC):
    """What a network is told beside lightness.

    Attributes:
        channels: of the hints, which follow L in the network's input.
        silent: the arguments with which the simulated user reveals nothing.
    """

    channels: int = 0
    silent: Mapping[str, Any] = MappingProxyType({})

    @abstractmethod
    def reveal(self, batch: Batch) -> Tensor | None:
        """What the simulated user reveals of a batch, (B, channels, H, W); None where there are no channels.

        All that is random comes from `batch.chance`.
        """

    @abstractmethod
    def blank(self, L: Tensor) -> Tensor | None:
        """Nothing revealed: L (B, 1, H, W) -> (B, channels, H, W); None where there are no channels."""

    def reveal_points(self, batch: Batch, points: int) -> Tensor:
        """Exactly so many points of each picture; those of fewer points are among those of more.

        Raises:
            ConfigError: where hints are no points.
        """
        raise self._no_points()

    def clicked(self, clicks: Sequence[Any], picture: tuple[int, int], size: tuple[int, int]) -> Tensor:
        """A person's clicks as hints (1, channels, H, W).

        Args:
            clicks: in the picture's own pixels, as `clicks.read_clicks` gives them.
            picture: its height and width.
            size: (H, W) that the network sees.

        Raises:
            ConfigError: where hints are no points.
        """
        raise self._no_points()

    def _no_points(self) -> ConfigError:
        kind = type(self).__module__.rpartition(".")[2]  # as its YAML file
        return ConfigError([f"this run has hints={kind} and takes no points; train one with hints=points"])


class Exactly(Hints):
    """So many points of each picture, whatever the user that `hints` simulates would reveal.

    Args:
        hints: those that a network has learnt with.
        points: of each picture; 0 scores a network by itself.

    Raises:
        ConfigError: where hints are no points.
    """

    def __init__(self, hints: Hints, points: int):
        hints.clicked([], (1, 1), (1, 1))  # refuses where hints are no points
        self.hints, self.points, self.channels = hints, points, hints.channels

    def reveal(self, batch: Batch) -> Tensor:
        return self.hints.reveal_points(batch, self.points)

    def blank(self, L: Tensor) -> Tensor | None:
        return self.hints.blank(L)
