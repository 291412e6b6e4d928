"""What every network is."""

from torch import nn

from colorization.model.units import Units


class Network(nn.Module):
    """Scaled lightness (and hints) in, raw channels out: (B, C, H, W) -> (B, K, H / stride, W / stride).

    Attributes:
        units: what the numbers that enter and leave mean in CIE units.
        stride: pixels per output position.
    """

    units: Units
    stride: int = 1
