"""The network of Let there be Color!"""

from itertools import pairwise

from torch import nn

from colorization.model.base import Network
from colorization.model.fused import Fused, checked
from colorization.model.units import Units


class Iizuka(Fused, Network):
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

    Shape: as `model.fused.Fused`.
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
        checked(classes, out_channels, size, width)
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
