"""What a critic and the network that it judges minimise, as functions of its scores."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal, NamedTuple

from torch import Tensor
from torch.nn.functional import relu, softplus

Name = Literal["vanilla", "hinge", "least_squares", "wasserstein", "relativistic"]
Loss = Callable[[Tensor, Tensor], Tensor]


class Game(NamedTuple):
    """The losses of both players: (scores of the truth, scores of the prediction) -> a scalar."""

    critic: Loss
    network: Loss


# What a critic that knows nothing, whose scores are all 0, pays: 0.693, 1, 0.5, 0 and 0.693.
GAMES = MappingProxyType(
    {
        # Goodfellow et al. 2014 (arXiv:1406.2661) with the loss of the network that does not saturate;
        # cross-entropy of logits, the mean over truth and prediction
        "vanilla": Game(
            lambda real, fake: (softplus(-real).mean() + softplus(fake).mean()) / 2,
            lambda real, fake: softplus(-fake).mean(),
        ),
        # Lim and Ye 2017 (arXiv:1705.02894), as Miyato et al. 2018 (arXiv:1802.05957) have it, halved
        "hinge": Game(
            lambda real, fake: (relu(1 - real).mean() + relu(1 + fake).mean()) / 2,
            lambda real, fake: -fake.mean(),
        ),
        # Mao et al. 2017 (arXiv:1611.04076): the truth is to score 1, a prediction 0, as in pix2pix's code
        "least_squares": Game(
            lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
            lambda real, fake: (fake - 1).square().mean(),
        ),
        # Arjovsky et al. 2017 (arXiv:1701.07875); wants a penalty that bounds the critic's slope
        "wasserstein": Game(
            lambda real, fake: fake.mean() - real.mean(),
            lambda real, fake: -fake.mean(),
        ),
        # Jolicoeur-Martineau 2018 (arXiv:1807.00734), paired as in R3GAN (Huang et al. 2025,
        # arXiv:2501.05441): truth and prediction share their lightness, and are compared place by place
        "relativistic": Game(
            lambda real, fake: softplus(fake - real).mean(),
            lambda real, fake: softplus(real - fake).mean(),
        ),
    }
)
