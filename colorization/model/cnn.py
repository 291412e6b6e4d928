"""The encoder-decoder of the student notebook: the baseline that every course starts from."""

from torch import Tensor, nn
from torch.nn.functional import interpolate

from colorization.model.base import Network
from colorization.model.units import Units


class CNN(Network):
    """Three strided convolutions down, three nearest-neighbour upsamplings back: 739,650 parameters.

    Lightness enters as L / 100 and colour leaves as ab / 128 through a tanh (see `Units`).

    Args:
        in_channels: what the objective feeds (1 for lightness alone).
        out_channels: what the objective reads (2 for ab).

    Shape: (B, in_channels, H, W) -> (B, out_channels, H, W), any H and W.
    """

    units = Units(L_center=0.0, L_scale=100.0, ab_scale=128.0, bounded=True)

    def __init__(self, in_channels: int = 1, out_channels: int = 2):
        super().__init__()
        self.down = nn.ModuleList(
            nn.Conv2d(i, o, 3, stride=2, padding=1) for i, o in ((in_channels, 64), (64, 128), (128, 256))
        )
        self.up = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1) for i, o in ((256, 128), (128, 64), (64, out_channels))
        )

    def forward(self, x: Tensor) -> Tensor:
        sizes = []
        for conv in self.down:
            sizes.append(x.shape[-2:])
            x = conv(x).relu()
        for conv in self.up:
            x = conv(interpolate(x, size=sizes.pop(), mode="nearest"))
            x = x.relu() if sizes else x
        return x
