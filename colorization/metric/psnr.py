"""Peak signal-to-noise ratio."""

from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

from colorization.metric.base import Pair

# One 8-bit step in every value is 48.1 dB. The cap keeps the mean finite when a grey picture is
# predicted exactly.
CAP = 60.0


def psnr(pair: Pair) -> Tensor:
    """PSNR in dB over R, G and B, peak 1, of each picture by itself, at most 60 dB.

    Pooling the squared error over pictures first, which is torchmetrics' default, gives other
    numbers: the field averages dB over pictures.

    Returns: (B,).
    """
    value = peak_signal_noise_ratio(
        pair.predicted, pair.truth, data_range=1.0, reduction="none", dim=(1, 2, 3)
    )
    return value.clamp(max=CAP)
