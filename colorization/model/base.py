"""What every network is."""

from typing import Any

from torch import nn

from colorization.model.units import Units


class Network(nn.Module):
    """Scaled lightness (hints, and what else an objective feeds) in, raw channels out.

    A subclass takes `in_channels` and `out_channels` and defines `forward(x)`, or `forward(x, t)` with
    `takes_time`: (B, in_channels, H, W) -> (B, out_channels, ceil(H / stride), ceil(W / stride)) for any H
    and W; t is (B,) in 0..1. One with several heads gives a tuple, each head at its own stride. One that can
    do with and without a time takes `takes_time`, too: the objective decides.

    Attributes:
        units: what the numbers that enter and leave mean in CIE units.
        stride: pixels per position of the output, of the first head.
        head_strides: of every head, where there are several.
        takes_time: whether forward takes t.
    """

    units: Units
    stride: int = 1
    head_strides: tuple[int, ...] = ()
    takes_time: bool = False

    def groups(self) -> list[dict[str, Any]]:
        """The parameters as an optimizer's groups; "lr_factor" scales the learning rate of a group.

        What else a group holds goes to the optimizer as it is, such as weight_decay.
        """
        return [{"params": list(self.parameters())}]

    def start_from(self) -> None:
        """Load weights to start from. Training calls it; reopening a run never does. Nothing by default."""
