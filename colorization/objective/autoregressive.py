"""Colours drawn one after the other, each knowing those before it: samples are coherent by construction."""

from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy, interpolate

from colorization.color.gamut import Gamut, in_gamut
from colorization.color.upsampling import guided
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.axial import Axial
from colorization.objective.base import NETWORK, Losses, Needs, Objective, Player, output
from colorization.objective.classification import QUALITY, half_quality, quality


class Autoregressive(Objective):
    """p(colours | lightness) as a product over the places of a small grid, in the order of reading
    (the first stage of ColTran, Kumar et al. 2021, arXiv:2102.04432).

    A colour is one of the 313 bins of ab, of which lightness makes a colour; the paper's are 512 of RGB. The
    network stands for the paper's encoder: any one that gives `features` channels. The grid is stretched over
    the picture, and its colours are enlarged along the picture's edges in place of the paper's second and
    third stage.

    `predict` takes the likeliest bin at every place, one after the other; `sample` draws. Both take one step
    for each place. `vivid` starts from the mean of the parallel head, which sees no colours and gives the
    marginal distribution of every place in one pass; loss terms act on it while training, for a drawn colour
    has no gradient.

    Args:
        size: rows and columns of the grid: 64 in the paper.
        features: channels that the network gives.
        width: channels of the decoder, 512 in the paper.
        heads: of its attention, 4 in the paper.
        outer: layers that see the rows above, 2 in the paper.
        inner: layers that see the row so far, 2 in the paper.
        parallel: share of the parallel head in the loss, 0.01 in the paper.
        temperature: of what is drawn: 1 is the distribution itself, near 0 its mode.
    """

    columns = QUALITY
    decoding = MappingProxyType({"temperature": "of what samples are drawn from; 1: the distribution itself"})

    def __init__(
        self,
        size: int = 32,
        features: int = 64,
        width: int = 64,
        heads: int = 4,
        outer: int = 2,
        inner: int = 2,
        parallel: float = 0.01,
        temperature: float = 1.0,
    ):
        super().__init__()
        if size < 2 or min(features, width, outer, inner) < 1:
            raise ValueError(
                f"size={size} features={features} width={width} outer={outer} inner={inner}: choose a grid of"
                " 2, and all others 1, or more"
            )
        if heads < 1 or width % heads:
            raise ValueError(f"width={width} heads={heads}: width is a multiple of heads")
        if not 0 < parallel < 1:
            raise ValueError(f"parallel={parallel}: choose a share between 0 and 1 (0.01 in the paper)")
        self.size, self.share, self.temperature = size, parallel, temperature
        self.gamut = Gamut(in_gamut(), neighbours=1)
        self.needs = Needs(out=features)
        self.decoder = Axial(len(self.gamut), features, size, width, heads, outer, inner)
        self.parallel = nn.Conv2d(features, len(self.gamut), 1)

    @property
    def temperature(self) -> float:
        """Of what is drawn."""
        return self._temperature

    @temperature.setter
    def temperature(self, value: float) -> None:
        if not value > 0:
            raise ValueError(f"temperature={value}: choose more than 0 (1 is the distribution itself)")
        self._temperature = value

    def players(self, network: Network) -> dict[str, Player]:
        """The network, with the decoder and the parallel head."""
        own = {"params": [*self.decoder.parameters(), *self.parallel.parameters()]}
        return {NETWORK: Player([*network.groups(), own])}

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        """The loss and its parts "colours" and "marginals" in nats per place; bits per place, top1, top5.

        The bits are of each place given those before it.
        """
        features = self._features(network, batch.given)
        truth = self.gamut.nearest(adaptive_avg_pool2d(batch.ab, self.size))
        logits, marginal = self.decoder(truth, features), self.parallel(features)
        colours, marginals = cross_entropy(logits, truth), cross_entropy(marginal, truth)

        def mean() -> Tensor:
            return self._enlarged(self.gamut.mean(marginal), batch.given)

        return Losses(
            (1 - self.share) * colours + self.share * marginals,
            ab=mean if network.training else lambda: self._likeliest(features, batch.given),
            logged={"colours": colours, "marginals": marginals}
            | (half_quality(logits.detach(), truth[:, None]) if network.training else {}),
            measured=lambda: quality(logits, truth[:, None]),
            samples=lambda n: self._drawn(features, batch.given, n),
            accurate=mean,
        )

    def predict(self, network: Network, given: Given) -> Tensor:
        return self._likeliest(self._features(network, given), given)

    def accurate(self, network: Network, given: Given) -> Tensor:
        """The mean of the parallel head."""
        return self._enlarged(self.gamut.mean(self.parallel(self._features(network, given))), given)

    def sample(self, network: Network, given: Given, n: int) -> Tensor:
        return self._drawn(self._features(network, given), given, n)

    def _features(self, network: Network, given: Given) -> Tensor:
        """What the network sees at each place, (B, features, size, size)."""
        size = (self.size, self.size)
        return interpolate(output(network, given).float(), size=size, mode="bilinear", antialias=True)

    def _likeliest(self, features: Tensor, given: Given) -> Tensor:
        bins = self.decoder.draw(features, lambda logits, place: logits.argmax(dim=1))
        return self._enlarged(self._colours(bins), given)

    def _drawn(self, features: Tensor, given: Given, n: int) -> Tensor:
        """Each sample has numbers of its own, one for each place: fewer are the first of more."""
        numbers = given.numbers("samples")
        uniform = torch.cat([numbers.stream(f"sample {k}").uniform(self.size**2) for k in range(n)])

        def chosen(logits: Tensor, place: int) -> Tensor:
            cumulative = (logits / self.temperature).softmax(dim=1).cumsum(dim=1)
            reached = uniform[:, place : place + 1] * cumulative[:, -1:]
            return torch.searchsorted(cumulative, reached).clamp(max=logits.shape[1] - 1)[:, 0]

        bins = self.decoder.draw(features.repeat(n, 1, 1, 1), chosen)
        return torch.stack([self._enlarged(ab, given) for ab in self._colours(bins).chunk(n)])

    def _colours(self, bins: Tensor) -> Tensor:
        """Bins (B, size, size) -> ab (B, 2, size, size)."""
        return self.gamut.centres[bins].movedim(-1, 1)

    def _enlarged(self, ab: Tensor, given: Given) -> Tensor:
        """Of the grid -> of the picture, along its edges."""
        return guided(ab, adaptive_avg_pool2d(given.L, self.size), given.L)
