"""Peak signal-to-noise ratio."""

from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

# One 8-bit step in every value is 48.1 dB. The cap keeps the mean finite when a grey picture is
# predicted exactly.
CAP = 60.0


def psnr(predicted: Tensor, truth: Tensor) -> Tensor:
    """PSNR in dB over R, G and B, peak 1, of each picture by itself, at most 60 dB.

    Pooling the squared error over pictures first, which is torchmetrics' default, gives other
    numbers: the field averages dB over pictures.

    Shape: (B, 3, H, W) sRGB 0..1 twice -> (B,).
    """
    value = peak_signal_noise_ratio(predicted, truth, data_range=1.0, reduction="none", dim=(1, 2, 3))
    return value.clamp(max=CAP)
