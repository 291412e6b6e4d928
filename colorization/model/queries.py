"""Colours as queries that look at a picture at several scales: the colour decoder of DDColor."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, relu, scaled_dot_product_attention


class ColourDecoder(nn.Module):
    """Learnt queries that attend in turn to each scale, to each other, and through a feed-forward network
    (Kang et al. 2022, arXiv:2212.11613, section 3.3; Mask2Former, arXiv:2112.01527, without its masks).

    Args:
        channels: of each scale, the coarsest first.
        queries: how many colours there are.
        layers: rounds; round n attends to scale n modulo the number of scales.
        dim: channels of a query.
        heads: of the attention.
        hidden: channels inside the feed-forward network.
        out: channels of what each query becomes.

    Shape: (B, channels[n], H_n, W_n) of each scale -> (B, queries, out).
    """

    def __init__(
        self, channels: Sequence[int], queries: int, layers: int, dim: int, heads: int, hidden: int, out: int
    ):
        super().__init__()
        self.content = nn.Parameter(torch.randn(queries, dim))
        self.position = nn.Parameter(torch.randn(queries, dim))
        self.level = nn.Parameter(torch.randn(len(channels), dim))
        self.project = nn.ModuleList(_projection(c, dim) for c in channels)
        self.rounds = nn.ModuleList(Round(dim, heads, hidden) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.embed = nn.Sequential(
            nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, out)
        )

    def forward(self, scales: Sequence[Tensor]) -> Tensor:
        values = [
            project(x).flatten(2).mT + level
            for x, project, level in zip(scales, self.project, self.level, strict=True)
        ]
        keys = [
            value + sine(x.shape[-2], x.shape[-1], value.shape[-1], x.device)
            for value, x in zip(values, scales, strict=True)
        ]
        x = self.content.expand(len(scales[0]), -1, -1)
        for n, attend in enumerate(self.rounds):
            scale = n % len(values)
            x = attend(x, self.position, keys[scale], values[scale])
        return self.embed(self.norm(x))


class Round(nn.Module):
    """Attention of the queries to a scale, then to each other, then a feed-forward network.

    Each is added to its input, and the sum normalised.
    """

    def __init__(self, dim: int, heads: int, hidden: int):
        super().__init__()
        self.across, self.among = Attention(dim, heads), Attention(dim, heads)
        self.widen, self.narrow = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        for layer in (self.widen, self.narrow):
            nn.init.xavier_uniform_(layer.weight)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))

    def forward(self, x: Tensor, position: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        after_scale, after_queries, after_network = self.norms
        x = after_scale(x + self.across(x + position, keys, values))
        x = after_queries(x + self.among(x + position, x + position, x))
        return after_network(x + self.narrow(relu(self.widen(x))))


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, arXiv:1706.03762).

    Shape: queries (B, N, C), keys and values (B, M, C) -> (B, N, C).
    """

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.project, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        for layer in (self.project, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        weights, biases = self.project.weight.chunk(3), self.project.bias.chunk(3)
        q, k, v = (
            linear(x, weight, bias).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for x, weight, bias in zip((queries, keys, values), weights, biases, strict=True)
        )
        return self.out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def _projection(before: int, after: int) -> nn.Conv2d:
    conv = nn.Conv2d(before, after, 1)
    nn.init.kaiming_uniform_(conv.weight, a=1)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


def sine(height: int, width: int, dim: int, device: torch.device | None = None) -> Tensor:
    """Sines and cosines of each position, (height * width, dim): of its row, then of its column
    (Carion et al. 2020, arXiv:2005.12872, normalised: the last row and column are at 2 pi).
    """
    frequency = 10000 ** (-torch.arange(0, dim // 2, 2, device=device) / (dim // 2))

    def along(side: int) -> Tensor:
        angle = torch.arange(1, side + 1, device=device) / (side + 1e-6) * 2 * math.pi
        angle = angle[:, None] * frequency
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

    rows, columns = along(height)[:, None], along(width)[None]
    return torch.cat([rows.expand(-1, width, -1), columns.expand(height, -1, -1)], dim=-1).flatten(0, 1)
