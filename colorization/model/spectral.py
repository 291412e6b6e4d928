"""Convolutions whose largest gain is 1, and what becomes of them where nothing learns any more."""

from copy import deepcopy
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

N = TypeVar("N", bound=nn.Module)


def spectral(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution with its weight divided by its largest singular value.

    Miyato et al. 2018 (arXiv:1802.05957): the weight is seen as an (out, in * height * width) matrix; each
    forward in training is one power iteration.
    """
    return cast(nn.Conv2d, spectral_norm(conv))


class Attention(nn.Module):
    """Self-attention as Zhang et al. 2019 have it (arXiv:1805.08318):
    x + gamma * (what each position gathers from all others), gamma 0 at first, (B, C, H, W).

    Written out, for its gradient may be asked for a gradient of its own, which fused kernels do not give.
    """

    def __init__(self, channels: int):
        super().__init__()
        few = max(channels // 8, 1)
        self.query, self.key, self.value = (
            spectral(nn.Conv2d(channels, out, 1, bias=False)) for out in (few, few, channels)
        )
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (part(x).flatten(2) for part in (self.query, self.key, self.value))
        share = (query.transpose(1, 2) @ key).softmax(dim=-1)  # (B, to, from)
        return x + self.gamma * (value @ share.transpose(1, 2)).reshape(x.shape)


def folded(network: N) -> N:
    """A copy with plain convolutions, whose weights are what the normalised ones come to.

    In an exported graph the norm would be computed again for every picture, and keep both weights.
    """
    network = deepcopy(network)
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d) and is_parametrized(child, "weight"):
                setattr(parent, name, _plain(child))
    return network


@torch.no_grad()
def _plain(conv: Any) -> nn.Conv2d:
    plain = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, conv.dilation,
        conv.groups, conv.bias is not None, device=conv.weight.device,
    )  # fmt: skip
    plain.weight.copy_(conv.weight)
    if plain.bias is not None:
        plain.bias.copy_(conv.bias)
    return plain.train(conv.training)
