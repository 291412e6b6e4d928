"""The generator of pix2pix."""

import torch
from torch import Tensor, nn

from colorization.model.base import Network
from colorization.model.size import cropped, padded
from colorization.model.units import Units


class Pix2Pix(Network):
    """U-Net of strided 4 x 4 convolutions (Isola et al. 2017, arXiv:1611.07004, "unet_256" of its code).

    Each of `depth` halvings doubles the channels, up to 8 times `width`; at depth 8 a picture of 256 pixels
    is down to one position. Dropout of a half follows the three innermost enlargements of 8 times `width`.

    Args:
        in_channels: what the objective feeds.
        out_channels: what it reads.
        width: channels after the first halving.
        depth: halvings, 5 or more.

    Shape: (B, in_channels, H, W) -> (B, out_channels, H, W), any H and W: padded inside to a multiple of
    2**depth.
    """

    units = Units(L_center=50.0, L_scale=50.0, ab_scale=110.0, bounded=True)

    def __init__(self, in_channels: int = 1, out_channels: int = 2, width: int = 64, depth: int = 8):
        super().__init__()
        if width < 1 or not 5 <= depth <= 10:
            raise ValueError(f"width={width}, depth={depth}: choose 1 or more channels and 5 to 10 halvings")
        self.multiple = 2**depth
        widths = [width * min(2**n, 8) for n in range(depth)]
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        for n, after in enumerate(widths):
            outer, inner = n == 0, n == depth - 1
            before = in_channels if outer else widths[n - 1]
            down = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)
            norm = [] if outer or inner else [nn.BatchNorm2d(after)]
            self.shrink.append(nn.Sequential(*([] if outer else [nn.LeakyReLU(0.2)]), down, *norm))
            out = out_channels if outer else widths[n - 1]
            up = nn.ConvTranspose2d(after if inner else 2 * after, out, 4, stride=2, padding=1, bias=outer)
            dropout = [nn.Dropout(0.5)] if 4 <= n < depth - 1 else []
            norm = [] if outer else [nn.BatchNorm2d(out)]
            self.grow.insert(0, nn.Sequential(nn.ReLU(), up, *norm, *dropout))
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        x = padded(x, self.multiple)
        skips = []
        for layer in self.shrink:
            x = layer(x)
            skips.append(x)
        x = self.grow[0](skips.pop())
        for layer in self.grow[1:]:
            x = layer(torch.cat([skips.pop(), x], dim=1))
        return cropped(x, height, width)


def _initialise(module: nn.Module) -> None:
    """N(0, 0.02) for convolutions, N(1, 0.02) for the scale of norms."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
