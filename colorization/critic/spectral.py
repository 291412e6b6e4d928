"""The critic of DeOldify: spectral norm, self-attention and dropout."""

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorization.config import InputError
from colorization.critic.base import Critic, scaled
from colorization.model.spectral import Attention


class Spectral(Critic):
    """A patch critic whose every convolution has a largest singular value of 1 (Miyato et al. 2018,
    arXiv:1802.05957), with self-attention after its second halving (Zhang et al. 2019, arXiv:1805.08318).

    Args:
        width: channels after the first halving; each further one doubles them.
        blocks: halvings after the first.
        dropout: share of the channels that training drops; half of it after the first halving.

    Shape: (B, 1, H / 2**(blocks + 1) - 1, W / 2**(blocks + 1) - 1).
    """

    def __init__(self, width: int = 256, blocks: int = 3, dropout: float = 0.15):
        super().__init__()
        if width < 8 or blocks < 1 or not 0 <= dropout < 1:
            allowed = "8 or more, 1 or more, and 0 or more below 1"
            raise ValueError(f"width={width}, blocks={blocks}, dropout={dropout}: choose {allowed}")
        self.least = 2 ** (blocks + 2)
        layers = [*_conv(3, width, 4, 2), nn.Dropout2d(dropout / 2)]
        for block in range(blocks):
            layers += [*_conv(width, width, 3, 1), nn.Dropout2d(dropout), *_conv(width, 2 * width, 4, 2)]
            width *= 2
            layers += [Attention(width)] if block == 0 else []
        scores = spectral_norm(nn.Conv2d(width, 1, 4, padding=1, bias=False))
        self.layers = nn.Sequential(*layers, *_conv(width, width, 3, 1), scores)

    def forward(self, L: Tensor, ab: Tensor) -> Tensor:
        if min(L.shape[-2:]) < self.least:
            height, width = L.shape[-2:]
            remedy = f"give data.image_size={self.least} or more, or a critic of fewer blocks"
            raise InputError(f"{height} x {width} pixels are too few for the critic; {remedy}")
        return self.layers(scaled(L, ab))


def _conv(before: int, after: int, kernel: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(before, after, kernel, stride=stride, padding=1)
    return [spectral_norm(conv), nn.LeakyReLU(0.2)]
