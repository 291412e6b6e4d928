"""The network of Colorful Image Colorization."""

from itertools import pairwise

from torch import Tensor, nn

from colorization.model.base import Network
from colorization.model.size import covering, cropped
from colorization.model.units import Units


class ECCV16(Network):
    """Zhang, Isola and Efros 2016 (arXiv:1603.08511), as in the authors' PyTorch release.

    Eight blocks of convolutions with one BatchNorm at the end of each: down to 1/8 in the first three,
    dilated in the fifth and sixth, back up to 1/4 in the last. 32.2 million parameters with 313 bins.

    Args:
        in_channels: what the objective feeds (1 for lightness alone).
        out_channels: what it reads (313 bins in the paper).

    Shape: (B, in_channels, H, W) -> (B, out_channels, ceil(H / 4), ceil(W / 4)), any H and W.
    """

    units = Units(L_center=50.0, L_scale=100.0, ab_scale=110.0, bounded=False)
    stride = 4

    def __init__(self, in_channels: int = 1, out_channels: int = 313):
        super().__init__()
        self.conv1 = block(in_channels, 64, 64, stride=2)
        self.conv2 = block(64, 128, 128, stride=2)
        self.conv3 = block(128, 256, 256, 256, stride=2)
        self.conv4 = block(256, 512, 512, 512)
        self.conv5 = block(512, 512, 512, 512, dilation=2)
        self.conv6 = block(512, 512, 512, 512, dilation=2)
        self.conv7 = block(512, 512, 512, 512)
        self.conv8 = nn.Sequential(
            nn.ConvTranspose2d(512, 256, 4, stride=2, padding=1),
            nn.ReLU(),
            *block(256, 256, 256)[:-1],
        )
        self.head = nn.Conv2d(256, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = (covering(side, self.stride) for side in x.shape[-2:])
        x = self.conv4(self.conv3(self.conv2(self.conv1(x))))
        x = self.conv8(self.conv7(self.conv6(self.conv5(x))))
        return cropped(self.head(x), height, width)


def block(*channels: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """3x3 convolutions with ReLU through `channels`, the last one with the stride, then BatchNorm."""
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(channels)):
        step = stride if i == len(channels) - 2 else 1
        conv = nn.Conv2d(before, after, 3, stride=step, padding=dilation, dilation=dilation)
        layers += [kaiming(conv), nn.ReLU()]
    return nn.Sequential(*layers, nn.BatchNorm2d(channels[-1]))


def kaiming(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution, with weights under which ReLUs keep the signal's size from BatchNorm to BatchNorm."""
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return conv
