"""A residual U-Net: the model to start from at 128x128 and beyond."""

from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, scaled_dot_product_attention

from colorization.model.base import Network
from colorization.model.size import covering, cropped, padded
from colorization.model.time import Clock, FiLM
from colorization.model.units import Units

Norm = Literal["batch", "group"]


class UNet(Network):
    """U-Net (Ronneberger et al. 2015, arXiv:1505.04597) of pre-activation residual blocks
    (He et al. 2016, arXiv:1603.05027) with self-attention at the bottleneck.

    The eye and the metrics see colour coarsely, so the network works from 1/stride of the resolution
    down and its output stays there; the objective upsamples it. Stages at full resolution would cost
    most and give least.

    Args:
        in_channels: what the objective feeds (1 for lightness alone).
        out_channels: what the objective reads (2 for ab, one per bin).
        width: channels of the first stage; every further one doubles them, up to 8 times.
        depth: halvings after the stem.
        stride: pixels per position of the first stage and of the output.
        blocks: residual blocks per stage and direction.
        norm: "batch", or "group" (the same in training and prediction, for small batches).
        attention: whether the bottleneck attends to the whole picture.
        takes_time: whether every block is told a time; the objective decides.

    Shape: (B, in_channels, H, W) -> (B, out_channels, ceil(H / stride), ceil(W / stride)), any H and
    W: padded inside to a multiple of stride * 2**depth.
    """

    units = Units(L_center=50.0, L_scale=50.0, ab_scale=110.0, bounded=True)

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        width: int = 48,
        depth: int = 3,
        stride: int = 4,
        blocks: int = 1,
        norm: Norm = "batch",
        attention: bool = True,
        takes_time: bool = False,
    ):
        super().__init__()
        if width < 8 or width % 8:
            raise ValueError(f"width={width} channels: choose a positive multiple of 8")
        if depth > 8:
            raise ValueError(f"depth={depth}: choose 8 halvings at most, to which a picture is padded")
        if min(depth, stride, blocks) < 1:
            raise ValueError(f"depth={depth}, stride={stride}, blocks={blocks}: each must be at least 1")
        widths = [width * min(2**stage, 8) for stage in range(depth + 1)]
        self.stride = stride
        self.multiple = stride * 2**depth
        self.takes_time = takes_time
        self.clock = Clock() if takes_time else None
        stage = partial(_stage, blocks=blocks, norm=norm, takes_time=takes_time)
        self.stem = nn.Conv2d(in_channels, width, 2 * stride + 1, stride=stride, padding=stride)
        self.encode = nn.ModuleList(stage(w, w) for w in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv2d(i, o, 2, stride=2) for i, o in pairwise(widths))
        deepest = widths[-1]
        self.bottleneck = nn.Sequential(
            stage(deepest, deepest),
            Attention(deepest, norm) if attention else nn.Identity(),
            stage(deepest, deepest),
        )
        self.grow = nn.ModuleList(
            nn.Conv2d(o, i, 1) for i, o in zip(reversed(widths[:-1]), reversed(widths), strict=False)
        )
        self.decode = nn.ModuleList(stage(2 * w, w) for w in reversed(widths[:-1]))
        self.head = nn.Sequential(_norm(norm, width), nn.SiLU(), nn.Conv2d(width, out_channels, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor | None = None) -> Tensor:
        height, width = x.shape[-2:]
        time = None if self.clock is None else self.clock(t)
        x = self.stem(padded(x, self.multiple))
        skips = []
        for stage, shrink in zip(self.encode, self.shrink, strict=True):
            skips.append(stage(x, time))
            x = shrink(skips[-1])
        before, attend, after = self.bottleneck
        x = after(attend(before(x, time)), time)
        for grow, stage in zip(self.grow, self.decode, strict=True):
            skip = skips.pop()
            x = interpolate(grow(x), size=skip.shape[-2:], mode="nearest")
            x = stage(torch.cat([skip, x], dim=1), time)
        return cropped(self.head(x), covering(height, self.stride), covering(width, self.stride))


class Residual(nn.Module):
    """x + conv(act(norm(conv(act(norm(x)))))), (B, C, H, W) -> (B, D, H, W); time acts on the second norm."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm, takes_time: bool = False):
        super().__init__()
        last = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        nn.init.zeros_(last.weight)  # every block starts as its shortcut: stable when deep
        self.body = nn.Sequential(
            _norm(norm, in_channels),
            nn.SiLU(),
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            _norm(norm, out_channels),
            nn.SiLU(),
            last,
        )
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)
        self.film = FiLM(out_channels) if takes_time else None

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        if self.film is None:
            return self.shortcut(x) + self.body(x)
        return self.shortcut(x) + self.body[4:](self.film(self.body[:4](x), time))


class Stage(nn.Sequential):
    """Residual blocks, each told the time."""

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        for block in self:
            x = block(x, time)
        return x


class Attention(nn.Module):
    """Residual multi-head self-attention over all positions, (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int, norm: Norm, head_channels: int = 32):
        super().__init__()
        self.heads = max(channels // head_channels, 1)
        self.norm = _norm(norm, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        qkv = self.qkv(self.norm(x)).reshape(B, 3, self.heads, C // self.heads, H * W)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        y = scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(B, C, H, W)
        return x + self.out(y)


def _stage(in_channels: int, out_channels: int, blocks: int, norm: Norm, takes_time: bool) -> Stage:
    entering = [in_channels] + [out_channels] * (blocks - 1)
    return Stage(*(Residual(channels, out_channels, norm, takes_time) for channels in entering))


def _norm(norm: Norm, channels: int) -> nn.Module:
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "group":
        return nn.GroupNorm(8, channels)
    raise ValueError(f"norm={norm!r}: choose 'batch' or 'group'")
