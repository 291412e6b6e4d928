"""DDColor in its authors' layout, told again from the paper: what our network is held against.

Kang et al. 2022 (arXiv:2212.11613), section 3 and its supplement, with the names that tensors have in the
authors' files. Nothing here is shared with the package: every map is made, attention is torch's own, spectral
norm is torch's old one, and the encoder is written out.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

DEPTHS = {"tiny": (3, 3, 9, 3)}
WIDTHS = {"tiny": (96, 192, 384, 768)}


class Norm(nn.Module):
    """Over the channels of each position; the learnt part is named as in LayerNorm."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        deviation = x - x.mean(dim=1, keepdim=True)
        scaled = deviation / (deviation.pow(2).mean(dim=1, keepdim=True) + 1e-6).sqrt()
        return scaled * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(nn.functional.gelu(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    def __init__(self, depths: tuple[int, ...], widths: tuple[int, ...]):
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, stride=4), Norm(widths[0]))
        shrink = [
            nn.Sequential(Norm(widths[i]), nn.Conv2d(widths[i], widths[i + 1], 2, stride=2)) for i in range(3)
        ]
        self.downsample_layers = nn.ModuleList([stem, *shrink])
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNeXtBlock(width) for _ in range(depth)))
            for depth, width in zip(depths, widths, strict=True)
        )
        for i, width in enumerate(widths):
            self.add_module(f"norm{i}", Norm(width))
        self.norm = nn.LayerNorm(widths[-1])  # of the classifier, which nobody asks

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for i in range(4):
            x = self.stages[i](self.downsample_layers[i](x))
            features.append(getattr(self, f"norm{i}")(x))
        return features


class Shuffle(nn.Module):
    def __init__(self, before: int, after: int, scale: int, batch_norm: bool):
        super().__init__()
        conv = spectral_norm(nn.Conv2d(before, after * scale**2, 1, bias=not batch_norm))
        self.conv = nn.Sequential(conv, *([nn.BatchNorm2d(after * scale**2)] if batch_norm else []))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        x = nn.PixelShuffle(self.scale)(self.conv(x).relu())
        return nn.AvgPool2d(2, 1)(nn.ReplicationPad2d((1, 0, 1, 0))(x))


class Up(nn.Module):
    def __init__(self, deep: int, skip: int, out: int):
        super().__init__()
        self.shuf = Shuffle(deep, out, 2, batch_norm=True)
        self.bn = nn.BatchNorm2d(skip)
        conv = spectral_norm(nn.Conv2d(out + skip, out, 3, padding=1, bias=False))
        self.conv = nn.Sequential(conv, nn.ReLU(), nn.BatchNorm2d(out))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([self.shuf(x), self.bn(skip)], 1).relu())


class Attend(nn.Module):
    def __init__(self, name: str):
        super().__init__()
        self.add_module(name, nn.MultiheadAttention(256, 8))
        self.norm = nn.LayerNorm(256)
        self.attention = name

    def forward(self, x: Tensor, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return self.norm(x + getattr(self, self.attention)(query, key, value)[0])


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(256, 2048), nn.Linear(2048, 256)
        self.norm = nn.LayerNorm(256)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.linear2(self.linear1(x).relu()))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(256, 256) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        first, second, third = self.layers
        return third(second(first(x).relu()).relu())


def positions(height: int, width: int) -> Tensor:
    """(256, height, width), number by number: 128 of the row, 128 of the column, sine and cosine in turn."""
    table = torch.zeros(256, height, width)
    for k in range(128):
        wave = math.sin if k % 2 == 0 else math.cos
        frequency = 10000 ** (2 * (k // 2) / 128)
        for i in range(height):
            table[k, i] = wave((i + 1) / (height + 1e-6) * 2 * math.pi / frequency)
        for j in range(width):
            table[128 + k, :, j] = wave((j + 1) / (width + 1e-6) * 2 * math.pi / frequency)
    return table


class Colours(nn.Module):
    def __init__(self, channels: tuple[int, ...]):
        super().__init__()
        self.transformer_self_attention_layers = nn.ModuleList(Attend("self_attn") for _ in range(9))
        self.transformer_cross_attention_layers = nn.ModuleList(Attend("multihead_attn") for _ in range(9))
        self.transformer_ffn_layers = nn.ModuleList(FeedForward() for _ in range(9))
        self.decoder_norm = nn.LayerNorm(256)
        self.query_feat, self.query_embed = nn.Embedding(100, 256), nn.Embedding(100, 256)
        self.level_embed = nn.Embedding(3, 256)
        self.input_proj = nn.ModuleList(nn.Conv2d(c, 256, 1) for c in channels)
        self.color_embed = MLP()

    def forward(self, scales: list[Tensor], pixels: Tensor) -> Tensor:
        values, keys = [], []
        for i, x in enumerate(scales):
            value = self.input_proj[i](x) + self.level_embed.weight[i].view(1, -1, 1, 1)
            values.append(value.flatten(2).permute(2, 0, 1))
            keys.append((value + positions(*x.shape[-2:])).flatten(2).permute(2, 0, 1))
        x = self.query_feat.weight[:, None].repeat(1, len(pixels), 1)
        own = self.query_embed.weight[:, None]
        for n in range(9):
            x = self.transformer_cross_attention_layers[n](x, x + own, keys[n % 3], values[n % 3])
            x = self.transformer_self_attention_layers[n](x, x + own, x + own, x)
            x = self.transformer_ffn_layers[n](x)
        embedding = self.color_embed(self.decoder_norm(x)).transpose(0, 1)
        return torch.einsum("bqc,bchw->bqhw", embedding, pixels)


class Decoder(nn.Module):
    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        self.layers = nn.Sequential(
            Up(widths[3], widths[2], 512), Up(512, widths[1], 512), Up(512, widths[0], 256)
        )
        self.last_shuf = Shuffle(256, 256, 4, batch_norm=False)
        self.color_decoder = Colours((512, 512, 256))

    def forward(self, features: list[Tensor]) -> Tensor:
        first, second, third, x = features
        scales = []
        for layer, skip in zip(self.layers, (third, second, first), strict=True):
            x = layer(x, skip)
            scales.append(x)
        return self.color_decoder(scales, self.last_shuf(x))


class ReleasedDDColor(nn.Module):
    """Grey sRGB in three channels, (B, 3, H, W) 0..1 -> ab (B, 2, H, W); sides are multiples of 32."""

    def __init__(self, size: str = "tiny"):
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.arch = ConvNeXt(DEPTHS[size], WIDTHS[size])
        self.decoder = Decoder(WIDTHS[size])
        self.refine_net = nn.Sequential(nn.Sequential(spectral_norm(nn.Conv2d(103, 2, 1))))
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, rgb: Tensor) -> Tensor:
        x = (rgb - self.mean) / self.std
        return self.refine_net(torch.cat([self.decoder(self.encoder.arch(x)), x], 1))
