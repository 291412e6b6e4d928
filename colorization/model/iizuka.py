"""The network of Let there be Color!"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from colorization.model.base import Network
from colorization.model.size import covering, cropped, padded
from colorization.model.units import Units


class Iizuka(Network):
    """Local features of the picture, fused at every position with global ones of a small copy
    (Iizuka, Simo-Serra and Ishikawa 2016, ACM Transactions on Graphics 35(4), 10.1145/2897824.2925974).

    The first six convolutions are shared: the picture goes through them at its own size, a square copy at 224
    pixels. What follows of the copy ends in a vector, and a class may be read from its second last layer.

    Args:
        in_channels: what the objective feeds (1 for lightness alone).
        out_channels: what it reads: 2 for ab, more for `classes`.
        classes: how many of `out_channels` the class head gives, the same numbers at every position; 205
            kinds of places in the paper.
        size: pixels of the copy's side, a multiple of 32: 224 in the paper.
        width: channels of the first convolution, 64 in the paper; all others follow.

    Shape: (B, in_channels, H, W) -> (B, out_channels, ceil(H / 2), ceil(W / 2)), any H and W; with classes a
    tuple, the classes at an eighth of the size.
    """

    units = Units(L_center=50.0, L_scale=100.0, ab_scale=100.0, bounded=True)
    stride = 2

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        classes: int = 0,
        size: int = 224,
        width: int = 64,
    ):
        super().__init__()
        if not 0 <= classes < out_channels:
            raise ValueError(f"classes={classes}: choose 0..{out_channels - 1} of the output channels")
        if size < 32 or size % 32:
            raise ValueError(f"size={size} pixels: choose a multiple of 32, such as 224")
        if width < 2 or width % 2:
            raise ValueError(f"width={width} channels: choose an even number")
        self.size, self.head_strides = size, (2, 8) if classes else ()
        w = width
        self.low = _convs(in_channels, (w, 2), (2 * w, 1), (2 * w, 2), (4 * w, 1), (4 * w, 2), (8 * w, 1))
        self.copy = _convs(8 * w, (8 * w, 2), (8 * w, 1), (8 * w, 2), (8 * w, 1))
        self.vector = _linears(8 * w * (size // 32) ** 2, 16 * w, 8 * w)
        self.overall = _linears(8 * w, 4 * w)
        self.middle = _convs(8 * w, (8 * w, 1), (4 * w, 1))
        self.fusion = nn.Sequential(nn.Conv2d(8 * w, 4 * w, 1), nn.ReLU())
        self.decoder = nn.Sequential(
            _convs(4 * w, (2 * w, 1)),
            nn.Upsample(scale_factor=2),
            _convs(2 * w, (w, 1), (w, 1)),
            nn.Upsample(scale_factor=2),
            _convs(w, (w // 2, 1)),
        )
        # Theirs ends in a sigmoid over ab from 0 to 1: a tanh over -1 to 1 of half the number.
        self.head = nn.Conv2d(w // 2, out_channels - classes, 3, padding=1)
        self.classify = nn.Sequential(_linears(8 * w, 4 * w), nn.Linear(4 * w, classes)) if classes else None

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        height, width = x.shape[-2:]
        vector = self.vector(self.copy(self.low(self._copied(x))).flatten(1))
        local = self.middle(self.low(padded(x, 8)))
        overall = self.overall(vector)[:, :, None, None].expand(-1, -1, *local.shape[-2:])
        y = self.head(self.decoder(self.fusion(torch.cat([overall, local], dim=1))))
        y = cropped(y, covering(height, 2), covering(width, 2))
        if self.classify is None:
            return y
        logits = self.classify(vector)[:, :, None, None]
        return y, logits.expand(-1, -1, covering(height, 8), covering(width, 8))

    def _copied(self, x: Tensor) -> Tensor:
        """Stretched to the square copy."""
        size = (self.size, self.size)
        return interpolate(x.float(), size=size, mode="bilinear", align_corners=False, antialias=True)


def _convs(before: int, *layers: tuple[int, int]) -> nn.Sequential:
    """3x3 convolutions of (channels, stride), each with BatchNorm and ReLU."""
    modules: list[nn.Module] = []
    for channels, stride in layers:
        conv = nn.Conv2d(before, channels, 3, stride=stride, padding=1, bias=False)
        modules += [conv, nn.BatchNorm2d(channels), nn.ReLU()]
        before = channels
    return nn.Sequential(*modules)


def _linears(*channels: int) -> nn.Sequential:
    return nn.Sequential(*(m for i, o in pairwise(channels) for m in (nn.Linear(i, o), nn.ReLU())))
