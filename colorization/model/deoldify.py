"""The generator of DeOldify."""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle
from torch.nn.utils.parametrizations import weight_norm

from colorization.color import lab
from colorization.model.base import Network
from colorization.model.encoder import Normalisation, Pretrained
from colorization.model.shuffle import Block, blurred, icnr, kaiming
from colorization.model.size import cropped, padded
from colorization.model.spectral import Attention, spectral
from colorization.model.units import Units


class DeOldify(Network):
    """The U-Net of jantic/DeOldify (fastai's DynamicUnet with spectral norm), over any encoder of timm's.

    Each block shuffles the features to twice the size and joins them with the encoder's. The third block
    from the end attends to every position. A last shuffle brings the full size, where the input is joined.

    Lightness becomes the grey sRGB value of its pixel, in three channels with the encoder's normalisation.
    Hints enter the encoder through weights that start at zero.

    Published: encoder=resnet34 decoder=deep factor=1.5 (artistic); resnet101, wide, 2 (stable, video).

    Args:
        in_channels: what the objective feeds: lightness, then hints and whatever else.
        out_channels: what it reads (2 for ab, one per bin).
        encoder: a network of timm's that gives features, by name.
        weights: what training starts from; see `model.encoder.Pretrained`.
        decoder: "deep": two convolutions in each block, whose channels follow the encoder's; "wide": one.
        factor: of the decoder's channels; wide ones are 256 times it, in the last block half of that.

    Shape: (B, in_channels, H, W) -> (B, out_channels, H, W), any H and W.
    """

    units = Units(L_center=0.0, L_scale=100.0, ab_scale=110.0, bounded=True)

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        encoder: str = "tf_efficientnet_lite0",
        weights: str = "package",
        decoder: Literal["deep", "wide"] = "deep",
        factor: float = 1.5,
    ):
        super().__init__()
        if not factor * 256 >= 2:
            raise ValueError(f"factor={factor}: choose 1/128 or more (1.5 and 2 are published)")
        self.pretrained = Pretrained(encoder, weights, "model")
        self.encoder = self.pretrained.network(in_channels + 2)
        self.normalise = Normalisation(self.encoder)
        reductions, (*skips, x) = self.encoder.feature_info.reduction(), self.encoder.feature_info.channels()
        if [b / a for a, b in pairwise(reductions)] != [2.0] * len(skips):
            there = ", ".join(map(str, reductions))
            raise ValueError(f"encoder={encoder}: has features at 1/{there} of the size; need each to halve")
        self.multiple = reductions[-1]
        norm = nn.BatchNorm2d(x)
        nn.init.constant_(norm.bias, 1e-3)
        self.middle = nn.Sequential(norm, nn.ReLU(), _conv(x, 2 * x), _conv(2 * x, x))
        self.blocks, self.more = nn.ModuleList(), nn.ModuleList()
        for left in range(len(skips) - 1, -1, -1):
            skip = skips[left]
            up, out = _deep(x, skip, left, factor) if decoder == "deep" else _wide(left, factor)
            self.blocks.append(Block(x, skip, up, out))
            more = [_conv(out, out)] if decoder == "deep" else []
            self.more.append(nn.Sequential(*more, *([Attention(out)] if left == 2 else [])))
            x = out
        self.last = Enlarged(x, reductions[0])
        x += in_channels + 2
        self.cross = nn.Sequential(_plain(x, x), nn.ReLU(), _plain(x, x), nn.ReLU())
        self.head = _plain(x, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        x = torch.cat([self.normalise(lab.grey(100 * x[:, :1])), x[:, 1:]], dim=1)
        x = padded(x, self.multiple)
        *skips, y = self.encoder(x)
        y = self.middle(y)
        for block, more in zip(self.blocks, self.more, strict=True):
            y = more(block(y, skips.pop()))
        y = torch.cat([self.last(y), x], dim=1)
        return cropped(self.head(y + self.cross(y)), height, width)

    def start_from(self) -> None:
        self.pretrained.start(self.encoder)


class Enlarged(nn.Module):
    """(B, C, H, W) -> (B, C, scale * H, scale * W), by a shuffle without a skip connection."""

    def __init__(self, channels: int, scale: int):
        super().__init__()
        self.scale = scale
        self.conv = weight_norm(icnr(nn.Conv2d(channels, channels * scale**2, 1), scale))

    def forward(self, x: Tensor) -> Tensor:
        return blurred(pixel_shuffle(self.conv(x).relu(), self.scale))


def _deep(before: int, skip: int, left: int, factor: float) -> tuple[int, int]:
    """Channels of a block's shuffle and of its output; `left`: how many blocks come after it."""
    up = before // 2
    return up, int((up + skip if left else (up + skip) // 2) * factor)


def _wide(left: int, factor: float) -> tuple[int, int]:
    out = int(512 * factor) // (2 if left else 4)
    return out, out


def _conv(before: int, after: int) -> nn.Sequential:
    conv = spectral(kaiming(nn.Conv2d(before, after, 3, padding=1, bias=False)))
    return nn.Sequential(conv, nn.ReLU(), nn.BatchNorm2d(after))


def _plain(before: int, after: int, kernel: int = 3) -> nn.Conv2d:
    """With a bias in place of a norm after it."""
    return spectral(kaiming(nn.Conv2d(before, after, kernel, padding=kernel // 2)))
