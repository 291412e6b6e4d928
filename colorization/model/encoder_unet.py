"""A U-Net over any encoder of timm's: what ImageNet has taught about things tells what colour they have."""

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from colorization.color import lab
from colorization.model.base import Network
from colorization.model.encoder import Normalisation, Pretrained
from colorization.model.size import covering, cropped, padded
from colorization.model.time import Clock, FiLM
from colorization.model.units import Units


class EncoderUNet(Network):
    """A pretrained encoder of timm's and a plain convolutional decoder with skip connections.

    Lightness becomes the grey sRGB value of its pixel, in three channels with the encoder's own
    normalisation. Hints enter the first convolution through weights that start at zero, so that they change
    nothing until something is learnt from them.

    Args:
        in_channels: what the objective feeds: lightness, then hints and whatever else.
        out_channels: what it reads (2 for ab, one per bin).
        encoder: a network of timm's that gives features, by name.
        weights: what training starts from: "package", the ImageNet weights that a package on the registry
            ships (tf_efficientnet_lite0, 1 and 2); "hub", timm's own download; "none"; or a file of the
            encoder's state dict. A trained run brings its own and asks for none.
        width: channels of the decoder at 1/4 of the size; each halving doubles them, up to 4 times.
        stride: pixels per position of the output, 2, 4, 8 or 16.
        encoder_lr: learning rate of the encoder as a share of the decoder's; 0 freezes it.
        layer_decay: by which that rate shrinks further from each stage of the encoder to the one before.
        frozen_statistics: whether the encoder's batch norms keep the statistics that they start from.
        classes: how many of `out_channels` a head of their own gives, one block of the decoder earlier, at
            half the size of the others.
        takes_time: whether the decoder is told a time; the objective decides.

    Shape: (B, in_channels, H, W) -> (B, out_channels, ceil(H / stride), ceil(W / stride)), any H and W; with
    classes a tuple of both heads.
    """

    units = Units(L_center=0.0, L_scale=100.0, ab_scale=110.0, bounded=True)

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        encoder: str = "tf_efficientnet_lite0",
        weights: str = "package",
        width: int = 64,
        stride: int = 4,
        encoder_lr: float = 1.0,
        layer_decay: float = 1.0,
        frozen_statistics: bool = False,
        classes: int = 0,
        takes_time: bool = False,
    ):
        super().__init__()
        if width < 1:
            raise ValueError(f"width={width} channels: choose 1 or more")
        if not 0 <= classes < out_channels:
            raise ValueError(f"classes={classes}: choose 0..{out_channels - 1} of the output channels")
        if not encoder_lr >= 0 or not 0 < layer_decay <= 1:
            raise ValueError(
                f"encoder_lr={encoder_lr}, layer_decay={layer_decay}: 0 or more, and above 0 to 1"
            )
        self.pretrained = Pretrained(encoder, weights, "model")
        self.encoder = self.pretrained.network(in_channels + 2)
        reductions, channels = self.encoder.feature_info.reduction(), self.encoder.feature_info.channels()
        if stride not in reductions[:-1]:
            allowed = ", ".join(map(str, reductions[:-1]))
            raise ValueError(
                f"stride={stride}: {encoder} has features at 1/{allowed} of the size; choose one"
            )
        self.stride = stride
        self.encoder_lr, self.layer_decay, self.frozen_statistics = encoder_lr, layer_decay, frozen_statistics
        self.first = reductions.index(stride)
        self.multiple = reductions[-1]
        self.normalise = Normalisation(self.encoder)
        self.takes_time = takes_time
        self.clock = Clock() if takes_time else None
        self.decoder, self.films = nn.ModuleList(), nn.ModuleList()
        deep = channels[-1]
        for reduction, skip in list(zip(reductions, channels, strict=True))[
            -2 : self.first - len(channels) - 1 : -1
        ]:
            wide = width * min(max(reduction // 4, 1), 4)
            self.decoder.append(nn.Sequential(_conv(deep + skip, wide), _conv(wide, wide)))
            if takes_time:
                self.films.append(FiLM(wide))
            before, deep = deep, wide
        self.head = nn.Conv2d(deep, out_channels - classes, 1)
        self.classify = nn.Conv2d(before, classes, 1) if classes else None
        self.head_strides = (stride, 2 * stride) if classes else ()
        self.encoder.requires_grad_(encoder_lr > 0)

    def forward(self, x: Tensor, t: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        height, width = x.shape[-2:]
        time = None if self.clock is None else self.clock(t)
        x = torch.cat([self.normalise(lab.grey(100 * x[:, :1])), x[:, 1:]], dim=1)
        x = padded(x, self.multiple)
        *skips, x = self.encoder(x)[self.first :]
        for depth, block in enumerate(self.decoder):
            first, second = cast(nn.Sequential, block)
            skip, before = skips.pop(), x
            x = first(torch.cat([interpolate(x, size=skip.shape[-2:], mode="nearest"), skip], dim=1))
            x = second(self.films[depth](x, time) if self.takes_time else x)
        y = cropped(self.head(x), covering(height, self.stride), covering(width, self.stride))
        if self.classify is None:
            return y
        stride = 2 * self.stride
        return y, cropped(self.classify(before), covering(height, stride), covering(width, stride))

    def train(self, mode: bool = True) -> "EncoderUNet":
        """As every module; the encoder's batch norms stay as they are with frozen statistics."""
        super().train(mode)
        if self.frozen_statistics:
            for module in self.encoder.modules():
                module.train(mode and not isinstance(module, nn.modules.batchnorm._BatchNorm))
        return self

    def groups(self) -> list[dict[str, Any]]:
        """Encoder stages with their learning rates, decoder and head; no weight decay on norms and biases."""
        stages = self._stages()
        depth = max(stages.values(), default=0)
        rates = {
            name: self.encoder_lr * self.layer_decay ** (depth - stages[name]) if name in stages else 1.0
            for name, p in self.named_parameters()
            if p.requires_grad
        }
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for name, rate in rates.items():
            parameter = self.get_parameter(name)
            groups.setdefault((rate, parameter.dim() > 1), []).append(parameter)
        return [
            {"params": parameters, "lr_factor": rate} | ({} if decays else {"weight_decay": 0.0})
            for (rate, decays), parameters in groups.items()
        ]

    def start_from(self) -> None:
        self.pretrained.start(self.encoder)

    def _stages(self) -> dict[str, int]:
        """The stage of every parameter of the encoder, from the picture inwards."""
        names = [f"encoder.{name}" for name, _ in self.encoder.named_parameters()]
        heads = list(dict.fromkeys(_stage(name) for name in names))
        return {name: heads.index(_stage(name)) for name in names}


def _conv(before: int, after: int) -> nn.Sequential:
    conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


def _stage(name: str) -> str:
    """The stage that a parameter of the encoder belongs to: blocks.3 of encoder.blocks.3.0.conv.weight."""
    parts: Iterator[str] = iter(name.split(".")[1:])
    head = next(parts)
    return f"{head}.{next(parts)}" if head in ("blocks", "stages", "layers") else head
