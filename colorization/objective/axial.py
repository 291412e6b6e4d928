"""A grid of colours as a sequence: each depends on those before it, and on what a network sees everywhere."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

Chosen = Callable[[Tensor, int], Tensor]
Start = tuple[int, int]  # the row and column of the grid at which a part of it starts
Past = list[tuple[Tensor, Tensor]]  # keys and values of what a causal layer has read before this part


class Axial(nn.Module):
    """The autoregressive core of ColTran (Kumar et al. 2021, arXiv:2102.04432), after the Axial Transformer
    (Ho et al. 2019, arXiv:1912.12180).

    Colours come row by row, each row from left to right. The outer decoder sees the rows that are complete:
    attention within rows, then down the columns. The inner decoder sees what the row has so far. What the
    network sees scales and shifts every normalisation.

    Args:
        bins: how many colours there are.
        features: channels of what the network sees.
        side: rows and columns of the grid.
        width: channels inside.
        heads: of the attention.
        outer: layers of the outer decoder, each of a row and a column attention.
        inner: layers of the inner decoder.

    Shape: bins (B, side, side) int64 and features (B, features, side, side) -> logits (B, bins, side, side),
    where those of a position depend on the bins before it alone.
    """

    def __init__(self, bins: int, features: int, side: int, width: int, heads: int, outer: int, inner: int):
        super().__init__()
        self.side = side
        self.colour = nn.Embedding(bins, width)
        self.condition = nn.Linear(features, width)
        self.rows, self.columns = (nn.Parameter(0.02 * torch.randn(side, width)) for _ in range(2))
        self.outer = nn.ModuleList(
            Layer(width, heads, down, causal=down) for _ in range(outer) for down in (False, True)
        )
        self.inner = nn.ModuleList(Layer(width, heads, down=False, causal=True) for _ in range(inner))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, bins)

    def forward(self, bins: Tensor, features: Tensor) -> Tensor:
        seen = self._conditioned(features)
        colours = self.colour(bins)
        before = pad(self._complete(colours, seen)[:, :-1], (0, 0, 0, 0, 1, 0))
        return self._logits(pad(colours[:, :, :-1], (0, 0, 1, 0)), before, seen).movedim(-1, 1)

    @torch.no_grad()
    def draw(self, features: Tensor, chosen: Chosen) -> Tensor:
        """Bins (B, side, side), one after the other; `chosen` picks from logits (B, bins) at a place."""
        seen = self._conditioned(features)
        bins = torch.zeros(len(features), self.side, self.side, dtype=torch.int64, device=features.device)
        before = torch.zeros_like(seen[:, :1])
        above = [Past() if layer.causal else None for layer in self.outer]
        for row in range(self.side):
            left, past = torch.zeros_like(before[:, :, :1]), [Past() for _ in self.inner]
            for column in range(self.side):
                here = (slice(None), slice(row, row + 1), slice(column, column + 1))
                logits = self._logits(left, before[:, :, here[2]], seen[here], (row, column), past)
                bins[:, row, column] = chosen(logits[:, 0, 0], row * self.side + column)
                left = self.colour(bins[here])
            whole = slice(row, row + 1)
            before = self._complete(self.colour(bins[:, whole]), seen[:, whole], (row, 0), above)
        return bins

    def _conditioned(self, features: Tensor) -> Tensor:
        """(B, features, side, side) -> (B, side, side, width)."""
        return self.condition(features.movedim(1, -1))

    def _complete(
        self, colours: Tensor, seen: Tensor, start: Start = (0, 0), past: Sequence[Past | None] = ()
    ) -> Tensor:
        """What the outer decoder makes of complete rows, (B, rows, side, width): of each and those above."""
        x = colours + self._place(colours, start)
        for layer, read in zip(self.outer, past or [None] * len(self.outer), strict=True):
            x = layer(x, seen, read)
        return x

    def _logits(
        self,
        left: Tensor,
        before: Tensor,
        seen: Tensor,
        start: Start = (0, 0),
        past: Sequence[Past | None] = (),
    ) -> Tensor:
        """Of the colour to the left, the rows before and what is seen, (B, rows, columns, width) each."""
        x = left + before + seen + self._place(left, start)
        for layer, read in zip(self.inner, past or [None] * len(self.inner), strict=True):
            x = layer(x, seen, read)
        return self.out(self.norm(x))

    def _place(self, x: Tensor, start: Start) -> Tensor:
        """What tells the places of (B, rows, columns, width) apart."""
        (row, column), (rows, columns) = start, x.shape[1:3]
        return self.rows[row : row + rows, None] + self.columns[column : column + columns]


class Layer(nn.Module):
    """Attention down the columns or along the rows and a feed-forward network, both added to their input.

    Shape: (B, H, W, C) twice -> (B, H, W, C).
    """

    def __init__(self, width: int, heads: int, down: bool, causal: bool):
        super().__init__()
        self.heads, self.down, self.causal = heads, down, causal
        self.first, self.second = Conditioned(width), Conditioned(width)
        self.qkv, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, seen: Tensor, past: Past | None = None) -> Tensor:
        x = x + self.join(self._attended(self.first(x, seen), past))
        return x + self.network(self.second(x, seen))

    def _attended(self, x: Tensor, past: Past | None = None) -> Tensor:
        """Attention of (B, H, W, C); with a past, of one more place to all before it and itself."""
        x = x.transpose(1, 2) if self.down else x
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(2, 3) for part in self.qkv(x).chunk(3, dim=-1)
        )
        if past is not None:
            past.append((k, v))
            k, v = (torch.cat(parts, dim=3) for parts in zip(*past, strict=True))
        causal = self.causal and past is None
        y = scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(2, 3).flatten(3)
        return y.transpose(1, 2) if self.down else y


class Conditioned(nn.Module):
    """Layer normalisation, scaled and shifted by what is seen at the same place."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.change = nn.Linear(width, 2 * width)
        nn.init.normal_(self.change.weight, std=0.02)
        nn.init.zeros_(self.change.bias)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        scale, shift = self.change(seen).chunk(2, dim=-1)
        return self.norm(x) * (1 + scale) + shift
