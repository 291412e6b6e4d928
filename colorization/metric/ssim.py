"""Structural similarity."""

from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from colorization.metric.base import Pair

BORDER = 5  # half the window of 11: nearer the edge the window would see pixels that are not there


def ssim(pair: Pair) -> Tensor:
    """SSIM of each picture (Wang et al. 2004): Gaussian window 11, sigma 1.5, mean over R, G and B.

    Averaged where the whole window lies inside, as the paper and scikit-image do; torchmetrics' own
    mean counts mirrored borders too. A grey prediction scores about 0.92 on photos: it keeps all
    the structure. Read it beside its floor.

    Shape: (B, 3, H, W) sRGB 0..1 twice, H and W at least 11 -> (B,), -1..1.
    """
    _, image = structural_similarity_index_measure(
        pair.predicted, pair.truth, data_range=1.0, reduction="none", return_full_image=True
    )
    return image[..., BORDER:-BORDER, BORDER:-BORDER].mean(dim=(1, 2, 3))
