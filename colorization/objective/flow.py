"""Flows: colour that random numbers are led to along straight lines."""

from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import torch
import torch.autograd.forward_ad as forward_mode
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from colorization.chance import Chance
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Needs
from colorization.objective.prior import Packed
from colorization.objective.source import Grey, OfLightness, OfRun
from colorization.objective.stepwise import Stepwise, normal, stratified

LEAST = 0.05  # the least time that a distance to the clean colours is divided by
SMALL = 1e-3  # beside squared errors that a loss is divided by


class Flow(Stepwise):
    """Flow matching of ab (Lipman et al. 2023, arXiv:2210.02747; Liu et al. 2023, arXiv:2209.03003).

    On the line z = (1 - t) x + t e from the truth x (t = 0) to a draw e of the source (t = 1) the network
    learns the velocity e - x; sampling walks back from t = 1. With `source` and `condition` this is the
    family of Ohayon et al. 2025 (PMRF, arXiv:2410.00418). `accurate` is the end of the first velocity, the
    posterior mean given the source, for one forward.

    Args:
        source: "noise"; "grey"; "mean", the training pictures' mean colour of each lightness; or the folder
            of a trained run, whose accurate colours it begins at.
        condition: what the network sees beside the state: "L", or "mean": L and the mean that the source is
            of, which is that of each lightness unless the source is a run.
        sigma: standard deviation of the noise that is added to grey, to a mean and to a run's colours, in
            units of the truth's; noise itself has 1.
        predicts: "clean", whose velocity is (z - clean) / max(t, 0.05), or "velocity".
        average: share of the pictures of which the average velocity over an interval is learnt, so that one
            step suffices (Geng et al. 2025, MeanFlow, arXiv:2505.13447: 0.25); 0: plain flow matching.
        steps: from source to colour.
        solver: "euler", or "heun", which takes two forwards a step but for the last.
    """

    decoding = MappingProxyType(
        {
            **Stepwise.decoding,
            "solver": "euler, or heun of second order, with two forwards a step",
            "source": "where the run lies that it begins at, if it was moved",
        }
    )

    def __init__(
        self,
        source: str = "noise",
        condition: Literal["L", "mean"] = "L",
        sigma: float = 0.5,
        predicts: Literal["clean", "velocity"] = "clean",
        average: float = 0.0,
        steps: int = 8,
        solver: Literal["euler", "heun"] = "euler",
    ):
        super().__init__(steps)
        if condition not in ("L", "mean"):
            raise ValueError(f"condition={condition!r}: choose 'L' or 'mean'")
        if predicts not in ("clean", "velocity"):
            raise ValueError(f"predicts={predicts!r}: choose 'clean' or 'velocity'")
        if not sigma > 0:
            raise ValueError(f"sigma={sigma}: a source without noise has one colouring; choose above 0")
        if not 0 <= average <= 1:
            raise ValueError(f"average={average}: a share of the pictures, 0 to 1; 0.25 in MeanFlow")
        self.conditioned, self.predicts, self.average = condition == "mean", predicts, average
        self.solver = solver
        self.sigma = 1.0 if source == "noise" else sigma
        self.begin = _begin(source)
        self.mean = OfLightness() if self.conditioned and type(self.begin) is Grey else self.begin
        self.needs = Needs(out=2, extra_in=2 + 2 * self.conditioned + (average > 0), time=True)

    @property
    def solver(self) -> str:
        """How it walks: "euler" or "heun"."""
        return self._solver

    @solver.setter
    def solver(self, value: str) -> None:
        if value not in ("euler", "heun"):
            raise ValueError(f"solver={value!r}: choose 'euler' or 'heun'")
        if value == "heun" and self.average:
            raise ValueError("solver=heun: an average velocity is exact over its step; choose 'euler'")
        self._solver = value

    @property
    def source(self) -> str | None:
        """Where the run lies that it begins at; None: it begins at none."""
        return self.begin.path if isinstance(self.begin, OfRun) else None

    @source.setter
    def source(self, value: str) -> None:
        if not isinstance(self.begin, OfRun):
            raise ValueError(f"source={value}: this flow begins at no run's colours; leave it out")
        self.begin.path, self.begin.known = str(value), False

    def prepare(self, pack: Packed) -> None:
        super().prepare(pack)
        self.begin.prepare(pack)
        if self.mean is not self.begin:
            self.mean.prepare(pack)

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        given = batch.given
        x, mean = self.state(batch.ab, network.stride), self._mean(network, given)
        e = self._source(network, given, given.numbers("source"))
        t = stratified(given.numbers("time"))
        z = x + _planes(t) * (e - x)
        wanted = e - x if self.predicts == "velocity" else (z - x) / _planes(t).clamp(min=LEAST)
        if self.average:
            span = t * _shares(given.numbers("interval"), self.average) * (t > LEAST)
            velocity, slope = self._slope(network, given, mean, z, t, span, e - x)
            error = velocity - (wanted - _planes(span) * slope)
            squared = error.square().sum(dim=(1, 2, 3))
            total = (squared / (squared.detach() + SMALL)).mean()
            logged = {"velocity_error": error.detach().square().mean()}
        else:
            velocity = self._velocity(network, given, mean, z, t)
            total, logged = (velocity - wanted).square().mean(), {}
        return Losses(
            total,
            ab=lambda: self._coloured(network, given, z - _planes(t) * velocity),
            logged=logged,
            samples=lambda n: self.sample(network, given, n),
            accurate=lambda: self.accurate(network, given),
        )

    def accurate(self, network: Network, given: Given) -> Tensor:
        e = self._source(network, given, given.numbers("sample 0"))
        velocity = self._velocity(
            network, given, self._mean(network, given), e, torch.ones_like(e[:, 0, 0, 0])
        )
        return self.colours(e - velocity, network, given)

    def drawn(self, network: Network, given: Given, chance: Chance) -> Tensor:
        z, mean = self._source(network, given, chance), self._mean(network, given)
        for t, until in pairwise(torch.linspace(1, 0, self.steps + 1).tolist()):
            velocity = self._velocity(network, given, mean, z, *_all(z, t, t - until))
            if self.solver == "heun" and until > 0:
                ahead = self._velocity(network, given, mean, z - (t - until) * velocity, *_all(z, until, 0.0))
                velocity = (velocity + ahead) / 2
            z = z - (t - until) * velocity
        return z

    def _coloured(self, network: Network, given: Given, clean: Tensor) -> Tensor:
        """While training the colours of the same forward, which a loss term may act on; else a sample."""
        return self.colours(clean, network, given) if network.training else self.predict(network, given)

    def _mean(self, network: Network, given: Given) -> Tensor | None:
        """The state that the network sees beside its own."""
        return self.state(self.mean(given), network.stride) if self.conditioned else None

    def _source(self, network: Network, given: Given, chance: Chance) -> Tensor:
        """A draw of the source, at t = 1."""
        noise = self.sigma * normal(chance, network, given.L)
        return noise if type(self.begin) is Grey else self.state(self.begin(given), network.stride) + noise

    def _velocity(
        self,
        network: Network,
        given: Given,
        mean: Tensor | None,
        z: Tensor,
        t: Tensor,
        span: Tensor | None = None,
    ) -> Tensor:
        """The velocity at t (B,), or the average one of the time `span` (B,) that ends there."""
        planes = [z] if mean is None else [z, mean]
        if self.average:
            span = torch.zeros_like(t) if span is None else span
            planes.append(_planes(span).expand_as(z[:, :1]))
        y = self.seen(network, given, t, *planes)
        return y if self.predicts == "velocity" else (z - y) / _planes(t).clamp(min=LEAST)

    def _slope(
        self,
        network: Network,
        given: Given,
        mean: Tensor | None,
        z: Tensor,
        t: Tensor,
        span: Tensor,
        along: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The average velocity over an interval, and how it changes as t moves on while its start stays.

        A product with the Jacobian in forward mode, as torch.func.jvp gives it; that one refuses networks
        with batch norm, which count their batches. What is compiled and fast attention are left out here: the
        former need not carry it, the latter has none.
        """
        eager = torch.compiler.set_stance("force_eager")
        with forward_mode.dual_level(), sdpa_kernel(SDPBackend.MATH), eager:
            moving = forward_mode.make_dual(z, along)
            now, length = (forward_mode.make_dual(of, torch.ones_like(of)) for of in (t, span))
            velocity, slope = forward_mode.unpack_dual(
                self._velocity(network, given, mean, moving, now, length)
            )
        return velocity, slope.detach()


def _begin(source: str) -> Grey:
    if source in ("noise", "grey"):
        return Grey()
    return OfLightness() if source == "mean" else OfRun(source)


def _planes(of: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1, 1)."""
    return of[:, None, None, None]


def _all(z: Tensor, *numbers: float) -> list[Tensor]:
    """Each number for all pictures, (B,)."""
    return [z.new_full((len(z),), number) for number in numbers]


def _shares(chance: Chance, share: float) -> Tensor:
    """Uniform in 0..1 for a share of the pictures, 0 for the others: (B,)."""
    chosen, length = chance.uniform(2).unbind(1)
    return torch.where(chosen < share, length, 0.0)
