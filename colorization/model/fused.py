"""Local features that are fused with global ones: what Iizuka's network and ChromaGAN's have in common."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from colorization.model.size import covering, cropped, padded


class Fused(nn.Module):
    """Two ways through layers of which the first are shared: the picture at its own size, and a square copy.

    What follows of the copy ends in a vector that is joined to every position; a class may be read on the
    way to it. A subclass makes the parts.

    Attributes:
        size: pixels of the copy's side.
        low: the shared layers, at an eighth of the size in the end.
        copy: of the copy's features.
        vector: from these, (B, N), to what the classes are read from.
        overall: from that to what is joined.
        middle: of the picture's features.
        fusion: of both, one after the other.
        decoder: to half the size.
        head: the output without the classes.
        classify: the classes, or None.

    Shape: (B, in_channels, H, W) -> (B, out_channels, ceil(H / 2), ceil(W / 2)), any H and W; with classes a
    tuple, the classes at an eighth of the size, the same numbers at every position.
    """

    size: int
    low: nn.Module
    copy: nn.Module
    vector: nn.Module
    overall: nn.Module
    middle: nn.Module
    fusion: nn.Module
    decoder: nn.Module
    head: nn.Module
    classify: nn.Module | None

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        height, width = x.shape[-2:]
        x = self.seen(x)
        vector = self.vector(self.copy(self.low(self._copied(x))).flatten(1))
        local = self.middle(self.low(padded(x, 8)))
        overall = self.overall(vector)[:, :, None, None].expand(-1, -1, *local.shape[-2:])
        y = self.head(self.decoder(self.fusion(torch.cat([overall, local], dim=1))))
        y = cropped(y, covering(height, 2), covering(width, 2))
        if self.classify is None:
            return y
        logits = self.classify(vector)[:, :, None, None]
        return y, logits.expand(-1, -1, covering(height, 8), covering(width, 8))

    def seen(self, x: Tensor) -> Tensor:
        """The input as the first layer sees it: as it is by default."""
        return x

    def _copied(self, x: Tensor) -> Tensor:
        """Stretched to the square copy."""
        size = (self.size, self.size)
        return interpolate(x.float(), size=size, mode="bilinear", align_corners=False, antialias=True)


def checked(classes: int, out_channels: int, size: int, width: int) -> None:
    """Raises ValueError where the settings of such a network are none."""
    if not 0 <= classes < out_channels:
        raise ValueError(f"classes={classes}: choose 0..{out_channels - 1} of the output channels")
    if size < 32 or size % 32:
        raise ValueError(f"size={size} pixels: choose a multiple of 32, such as 224")
    if width < 2 or width % 2:
        raise ValueError(f"width={width} channels: choose an even number")
