"""Where a flow begins: at grey, at the mean of training pictures, or at the colours of a trained run."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.objective.colours import mean_colour, of_lightness
from colorization.objective.prior import Packed


class Grey(nn.Module):
    """No colour."""

    def forward(self, given: Given) -> Tensor:
        """The colours of L (B, 1, H, W): ab (B, 2, H, W)."""
        return torch.zeros_like(given.L).expand(-1, 2, -1, -1)

    def prepare(self, pack: Packed) -> None:
        """Learn what it needs to know of the training pictures."""


class OfLightness(Grey):
    """The training pictures' mean colour of each lightness."""

    given_L: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("given_L", torch.zeros(101, 2))

    def forward(self, given: Given) -> Tensor:
        return of_lightness(given.L, self.given_L)

    def prepare(self, pack: Packed) -> None:
        self.given_L.copy_(mean_colour(pack.pictures).given_L)


class OfRun(Grey):
    """The accurate colours of a trained run: its posterior mean, where it has learnt one.

    The run is frozen and no part of the checkpoint, which keeps a digest of its weights alone: it is opened
    where it lies, and refused if it is another.

    Args:
        path: of the run's folder or checkpoint.
        setting: the setting that names it, for errors.
    """

    digest: Tensor

    def __init__(self, path: str, setting: str = "source"):
        super().__init__()
        self.path, self.setting, self.known = path, setting, False
        self.register_buffer("digest", torch.zeros(32, dtype=torch.uint8))

    def prepare(self, pack: Packed) -> None:
        """Remember which run it is."""
        self.digest.copy_(torch.tensor(list(digest(self.opened()))))

    @torch.no_grad()
    def forward(self, given: Given) -> Tensor:
        colorizer = self.opened()
        if not self.known:
            self._recognise(colorizer)
        colorizer.to(given.L.device)
        hints = colorizer.hints.blank(given.L)
        return colorizer.objective.accurate(colorizer.network, given._replace(hints=hints))

    def opened(self) -> Any:
        """The run's Colorizer. Raises ConfigError where there is none."""
        from colorization.reopen import find_checkpoint  # lies above this module, and so do runs

        try:
            checkpoint = find_checkpoint(Path(self.path).expanduser())
        except ConfigError as error:
            moved = f"where it was moved, evaluate and predict take {self.setting}=runs/ITS_RUN"
            fault = f"no run with a checkpoint there, and the flow begins at its colours; {moved}"
            raise ConfigError([f"objective.{self.setting}={self.path}: {fault}"]) from error
        return _opened(checkpoint, checkpoint.stat().st_mtime_ns)

    def _recognise(self, colorizer: nn.Module) -> None:
        """Raise a ConfigError where this is another run than the one that was learnt from."""
        learnt = bytes(self.digest.tolist())
        if any(learnt) and learnt != digest(colorizer):
            fault = "its weights are not those that the flow has learnt to begin at"
            raise ConfigError([f"objective.{self.setting}={self.path}: {fault}; give that run"])
        self.known = True


@lru_cache(maxsize=4)
def _opened(checkpoint: Path, changed: int) -> Any:
    """The frozen Colorizer of a checkpoint: one for all who begin at it."""
    from colorization.reopen import open_run

    return open_run(checkpoint).colorizer().requires_grad_(False)


def digest(module: nn.Module) -> bytes:
    """SHA-256 of a module's weights and buffers."""
    found = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        found.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return found.digest()
