"""The network of Real-Time User-Guided Image Colorization with Learned Deep Priors."""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from colorization.model.base import Network
from colorization.model.eccv16 import block, kaiming
from colorization.model.size import cropped
from colorization.model.units import Units


class SIGGRAPH17(Network):
    """Zhang, Zhu, Isola, Geng, Lin, Yu and Efros 2017 (arXiv:1705.02999), as in the authors' PyTorch release.

    The trunk of ECCV16, subsampled by taking every second pixel, and a decoder that adds shortcuts from
    the first three blocks up to full resolution. An optional head predicts a distribution over bins
    from the eighth block, at a quarter of the size.

    Args:
        in_channels: lightness and hints: 4 in the paper (L, a, b, mask). What an input lacks of them
            is taken as not revealed.
        out_channels: what the objective reads: 2 for ab, more for `classes`.
        classes: how many of `out_channels` the class head gives; the others (2 for ab) come from the
            decoder, which is left out where it would give none.
        trunk: whose gradients reach the blocks that both heads share: "colour" in the paper, "classes"
            for its first stage, or "both".
        global_channels: how many of the last `in_channels` are the same everywhere (an ab histogram and
            saturation); they join the fourth block through four 1x1 convolutions with ReLU and
            BatchNorm, as in the authors' Caffe network (models/global_model), whose 512 channels are
            added at every position.
        mask_center: the value of the mask that the trunk sees as 0: 0.5 where the network is trained
            here, 0 for the authors' released weights.

    Shape: (B, up to in_channels, H, W) -> (B, out_channels, H, W), any H and W; a quarter of the size
    where classes == out_channels; of both heads a tuple, the classes at a quarter of the size.
    """

    units = Units(L_center=50.0, L_scale=100.0, ab_scale=110.0, bounded=True)

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 2,
        classes: int = 0,
        trunk: Literal["colour", "classes", "both"] = "colour",
        global_channels: int = 0,
        mask_center: float = 0.5,
    ):
        super().__init__()
        if not 0 <= classes <= out_channels:
            raise ValueError(f"classes={classes}: choose 0..{out_channels} of the output channels")
        if not 0 <= global_channels < in_channels:
            raise ValueError(f"global_channels={global_channels}: choose 0..{in_channels - 1}")
        if trunk not in ("colour", "classes", "both"):
            raise ValueError(f"trunk={trunk!r}: choose 'colour', 'classes' or 'both'")
        self.in_channels, self.local_channels = in_channels, in_channels - global_channels
        self.classes, self.trunk, self.mask_center = classes, trunk, mask_center
        self.head_strides = (1, 4) if 0 < classes < out_channels else ()
        self.stride = 4 if classes == out_channels else 1
        self.conv1 = block(self.local_channels, 64, 64)
        self.conv2 = block(64, 128, 128)
        self.conv3 = block(128, 256, 256, 256)
        self.conv4 = block(256, 512, 512, 512)
        self.conv5 = block(512, 512, 512, 512, dilation=2)
        self.conv6 = block(512, 512, 512, 512, dilation=2)
        self.conv7 = block(512, 512, 512, 512)
        self.up8, self.short8 = _up(512, 256), nn.Conv2d(256, 256, 3, padding=1)
        self.conv8 = nn.Sequential(nn.ReLU(), *block(256, 256, 256))
        self.overall = _pointwise(global_channels, 512) if global_channels else None
        if classes:
            self.classify = nn.Conv2d(256, classes, 1)
        if classes < out_channels:
            self.up9, self.short9 = _up(256, 128), nn.Conv2d(128, 128, 3, padding=1)
            self.conv9 = nn.Sequential(nn.ReLU(), *block(128, 128))
            self.up10, self.short10 = _up(128, 128), nn.Conv2d(64, 128, 3, padding=1)
            self.conv10 = nn.Sequential(nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1), nn.LeakyReLU(0.2))
            self.head = nn.Conv2d(128, out_channels - classes, 1)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        shared = self._shared(x)
        if not self.head_strides:
            return self._classes(*shared) if self.classes else self._colour(*shared)
        detached = [feature.detach() for feature in shared]
        y = self._colour(*(detached if self.trunk == "classes" else shared))
        return y, self._classes(*(detached if self.trunk == "colour" else shared))

    def _shared(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of the first, second and eighth block."""
        x, overall = self._revealed(x)
        conv1 = self.conv1(x)
        conv2 = self.conv2(conv1[..., ::2, ::2])
        conv3 = self.conv3(conv2[..., ::2, ::2])
        x = self.conv4(conv3[..., ::2, ::2])
        if self.overall is not None:
            x = x + self.overall(overall)
        x = self.conv7(self.conv6(self.conv5(x)))
        return conv1, conv2, self.conv8(_added(self.up8(x), self.short8(conv3)))

    def _revealed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The local channels, with the mask centred, and the global ones as (B, global_channels, 1, 1)."""
        x = pad(x, (0, 0, 0, 0, 0, self.in_channels - x.shape[1]))
        x, overall = x[:, : self.local_channels], x[:, self.local_channels :, :1, :1]
        if self.local_channels == 4:
            x = torch.cat([x[:, :3], x[:, 3:] - self.mask_center], dim=1)
        return x, overall

    def _colour(self, conv1: Tensor, conv2: Tensor, conv8: Tensor) -> Tensor:
        conv9 = self.conv9(_added(self.up9(conv8), self.short9(conv2)))
        conv10 = self.conv10(_added(self.up10(conv9), self.short10(conv1)))
        return self.head(conv10)

    def _classes(self, conv1: Tensor, conv2: Tensor, conv8: Tensor) -> Tensor:
        return self.classify(conv8)


def _up(before: int, after: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)


def _added(up: Tensor, shortcut: Tensor) -> Tensor:
    """The sum, cut to the shortcut's size: an odd size was rounded up on the way down."""
    return cropped(up, *shortcut.shape[-2:]) + shortcut


def _pointwise(before: int, channels: int, layers: int = 4) -> nn.Sequential:
    """1x1 convolutions, each followed by ReLU and BatchNorm."""
    widths = [before] + [channels] * layers
    convs = [kaiming(nn.Conv2d(i, o, 1)) for i, o in pairwise(widths)]
    return nn.Sequential(*(layer for conv in convs for layer in (conv, nn.ReLU(), nn.BatchNorm2d(channels))))
