"""The network of Learning Representations for Automatic Colorization."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from colorization.color import lab
from colorization.model.base import Network
from colorization.model.encoder import Pretrained
from colorization.model.size import covering, cropped, padded
from colorization.model.units import Units

STAGES = (2, 2, 3, 3, 3)  # convolutions of VGG-16 between its poolings
MEAN = 0.4488  # of grey pictures, 0..1, in the authors' train_vgg16.prototxt


class Larsson(Network):
    """VGG-16 with its fully connected layers as convolutions, read by hypercolumns
    (Larsson, Maire and Shakhnarovich 2016, arXiv:1603.06668).

    The column of a position is what every layer says there, from the picture itself to the last: 12,417
    numbers in the paper. One hidden layer reads it. It is linear up to its ReLU, and so is enlarging: each
    layer's part is computed at the layer's own size and enlarged, and no column is ever made.

    Published: width=64 deep=4096 hidden=1024.

    Args:
        in_channels: what the objective feeds (1 for lightness alone).
        out_channels: what it reads (64 for 32 bins of hue and 32 of chroma).
        weights: what training starts from: "none", "hub" (timm's vgg16_bn) or a file of its state dict; the
            layers after the convolutions always start at random.
        width: channels of the first stage; they double up to 8 times.
        deep: channels of the two layers that were fully connected.
        hidden: channels of the layer that reads the column.
        dropout: of the two and of the hidden layer.
        stride: pixels per position of the output, a power of 2 up to 32.

    Shape: (B, in_channels, H, W) -> (B, out_channels, ceil(H / stride), ceil(W / stride)), any H and W.
    """

    units = Units(L_center=0.0, L_scale=100.0, ab_scale=110.0, bounded=True)

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        weights: str = "none",
        width: int = 16,
        deep: int = 256,
        hidden: int = 128,
        dropout: float = 0.5,
        stride: int = 4,
    ):
        super().__init__()
        if stride not in (1, 2, 4, 8, 16, 32):
            raise ValueError(f"stride={stride}: choose 1, 2, 4, 8, 16 or 32")
        if min(width, deep, hidden) < 1:
            raise ValueError(f"width={width} deep={deep} hidden={hidden}: choose 1 or more")
        if weights != "none" and width != 64:
            raise ValueError(f"weights={weights} width={width}: VGG-16 has width=64")
        self.pretrained = None if weights == "none" else Pretrained("vgg16_bn", weights, "model")
        self.stride = stride
        widths = [width * min(2**stage, 8) for stage in range(len(STAGES))]
        before, self.stages = in_channels, nn.ModuleList()
        for wide, count in zip(widths, STAGES, strict=True):
            self.stages.append(
                nn.ModuleList(_conv(before if i == 0 else wide, wide, 3) for i in range(count))
            )
            before = wide
        self.deep = nn.ModuleList([_conv(before, deep, 7), _conv(deep, deep, 1)])
        self.drop, self.drop_column = nn.Dropout2d(dropout), nn.Dropout(dropout)
        column = [
            in_channels,
            *(w for w, n in zip(widths, STAGES, strict=True) for _ in range(n)),
            deep,
            deep,
        ]
        self.column = nn.ModuleList(
            _reader(channels, hidden, bias=i == 0) for i, channels in enumerate(column)
        )
        self.head = nn.Conv2d(hidden, out_channels, 1)
        nn.init.xavier_uniform_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        height, width = (covering(side, self.stride) for side in x.shape[-2:])
        x = torch.cat([lab.grey(100 * x[:, :1]) - MEAN, x[:, 1:]], dim=1)
        x = padded(x, 32)
        size = (x.shape[-2] // self.stride, x.shape[-1] // self.stride)
        readers = iter(self.column)
        read = self._seen(next(readers), x, 1, size)
        for halvings, stage in enumerate(self.stages):
            for conv in stage.children():
                x = conv(x)
                read = read + self._seen(next(readers), x, 2**halvings, size)
            x = max_pool2d(x, 2)
        for conv in self.deep:
            x = self.drop(conv(x))
            read = read + self._seen(next(readers), x, 32, size)
        return cropped(self.head(self.drop_column(read.relu())), height, width)

    def start_from(self) -> None:
        """VGG-16's convolutions; the first sees grey, of another mean, instead of normalised R, G and B."""
        if self.pretrained is None:
            return
        states = list(self.pretrained.state().values())
        cfg = self.pretrained.network().pretrained_cfg
        mean, std = (torch.tensor(cfg[key]).reshape(1, 3, 1, 1) for key in ("mean", "std"))
        scaled = states[0] / std
        states[1] = states[1] + (scaled * (MEAN - mean)).sum(dim=(1, 2, 3))
        own = self.stages.state_dict()
        states[0] = torch.zeros_like(next(iter(own.values())))
        states[0][:, :1] = scaled.sum(dim=1, keepdim=True)
        self.stages.load_state_dict(dict(zip(own, states, strict=False)))

    def _seen(self, reader: nn.Module, x: Tensor, scale: int, size: tuple[int, int]) -> Tensor:
        """A layer's part of what is read of the column at each output position."""
        if scale <= self.stride:
            step = self.stride // scale
            return reader(x[..., step // 2 :: step, step // 2 :: step])
        return interpolate(reader(x), size=size, mode="bilinear", align_corners=False)


def _conv(before: int, after: int, kernel: int) -> nn.Sequential:
    conv = nn.Conv2d(before, after, kernel, padding=kernel // 2)
    nn.init.xavier_uniform_(conv.weight)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


def _reader(before: int, after: int, bias: bool) -> nn.Conv2d:
    conv = nn.Conv2d(before, after, 1, bias=bias)
    nn.init.normal_(conv.weight, std=1e-4)
    return conv
