"""How colourful a picture looks, whatever its colours."""

import torch
from torch import Tensor

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.loss.base import Term


class Colorfulness(Term):
    """1 - colorfulness / 100, the mean over pictures (Kang et al. 2022, arXiv:2212.11613, eq. 5).

    Colorfulness is that of Hasler and Suesstrunk 2003 with absolute opponents |R - G| and |(R + G) / 2 - B|
    on 0..255, as in the paper's code. It asks for more colour without end and never looks at the truth, and
    its authors advise against it. Colours outside sRGB are clipped: no gradient in the channels that are.
    """

    def forward(self, ab: Tensor, batch: Batch) -> Tensor:
        r, g, b = (255 * lab.merge(batch.L, ab, "clip")).flatten(2).unbind(dim=1)
        opponents = torch.stack([(r - g).abs(), ((r + g) / 2 - b).abs()])
        # A picture without any colour has no gradient of a square root at 0.
        spread = (opponents.var(dim=2).sum(dim=0) + 1e-6).sqrt()
        amount = (opponents.mean(dim=2).square().sum(dim=0) + 1e-6).sqrt()
        return (1 - (spread + 0.3 * amount) / 100).mean()
