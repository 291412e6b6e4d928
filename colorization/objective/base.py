"""The contract between a network and what it learns."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.optim import Optimizer

from colorization.config import ConfigError, nearest
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.model.size import cropped
from colorization.objective.distribution import Distribution
from colorization.objective.prior import Packed
from colorization.objective.vivid import Vividness, stretched

NETWORK = "network"  # the turn in which the network itself learns

# What decoding takes, whatever the objective.
EVERY = MappingProxyType(
    {
        "vivid": "0 the accurate end, 1 as colourful as the truth; null: the objective's own decoding",
        "chroma": "factor of the chroma of all that is shown, within the gamut",
    }
)


class Needs(NamedTuple):
    """What an objective asks of a network.

    Attributes:
        out: output channels.
        extra_in: input channels beside L and hints, such as a noisy ab.
        time: whether forward takes a time t, (B,) in 0..1.
        hints: whether it is given the hints; else the objective itself follows points of colour.
    """

    out: int
    extra_in: int = 0
    time: bool = False
    hints: bool = True


class Column(NamedTuple):
    """A number per picture that only an objective can tell: its unit, and what is better."""

    unit: str = ""
    better: Literal["higher", "lower", "none"] = "none"


class Player(NamedTuple):
    """Whose parameters learn in a turn.

    Attributes:
        groups: the optimizer's parameter groups, as `Network.groups` gives them.
        optimizer: groups -> optimizer; None: the run's own.
        schedule: progress 0..1 -> factor of the learning rate; None: the run's own.
    """

    groups: list[dict[str, Any]]
    optimizer: Callable[..., Optimizer] | None = None
    schedule: Callable[[float], float] | None = None


def _nothing() -> dict[str, Tensor]:
    return {}


def _no_samples(n: int) -> Tensor:
    raise ConfigError([f"samples={n}: this objective gives one colouring; train with one that gives a "
                       "distribution, such as objective=classification"])  # fmt: skip


class Losses(NamedTuple):
    """What one forward gave; what is costly beside the loss is computed when it is called.

    Attributes:
        total: the scalar to minimise in this turn.
        ab: gives the prediction, (B, 2, H, W).
        logged: other scalars worth a curve.
        measured: numbers of each picture, (B,), by the names of `Objective.columns`.
        samples: n -> (n, B, 2, H, W), where the objective gives a distribution.
        accurate: as `ab`, of `Objective.accurate`; None: that is `ab` itself.
    """

    total: Tensor
    ab: Callable[[], Tensor]
    logged: Mapping[str, Tensor] = MappingProxyType({})
    measured: Callable[[], Mapping[str, Tensor]] = _nothing
    samples: Callable[[int], Tensor] = _no_samples
    accurate: Callable[[], Tensor] | None = None


class Objective(nn.Module, ABC):
    """What a network learns, and how its output becomes colour.

    Attributes:
        needs: what it asks of a network.
        columns: what `Losses.measured` tells, by name.
        decoding: the attributes that predict and evaluate may set beside those of `EVERY`, and what each
            means, by name.
        vividness: what was fitted on validation photos; None: nothing yet.
    """

    needs: Needs
    columns: Mapping[str, Column] = MappingProxyType({})
    decoding: Mapping[str, str] = MappingProxyType({})
    vividness: Vividness | None = None
    _vivid: float | None = None
    _chroma: float = 1.0

    def prepare(self, pack: Packed) -> None:
        """Learn what the objective needs to know of the training pictures.

        Called once before a run starts; what is learned belongs to the checkpoint. Nothing by default.
        """

    def players(self, network: Network) -> dict[str, Player]:
        """Who learns in which turn, in the order of the turns of a step.

        An objective with networks of its own, such as a critic, names them here; parameters that nobody
        names are refused, since they would never learn, or learn somebody else's goal.
        """
        return {NETWORK: Player(network.groups())}

    def due(self, network: Network, progress: float) -> Sequence[str]:
        """Who learns in the next step, in this order; every player by default.

        Asked before each step, at the share of the budget that is spent, 0..1; several processes have to be
        given the same answer.
        """
        return list(self.players(network))

    @abstractmethod
    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        """What to minimise in a turn, and what the same forward tells besides.

        Validation and evaluation call it too, without gradients, with the network in evaluation mode.
        """

    @abstractmethod
    def predict(self, network: Network, given: Given) -> Tensor:
        """The one best colouring, ab (B, 2, H, W) in CIE units."""

    def accurate(self, network: Network, given: Given) -> Tensor:
        """The colouring that errs least, `vivid=0`: ab (B, 2, H, W) in CIE units. `predict` by default."""
        return self.predict(network, given)

    def colouring(self, network: Network, given: Given) -> Tensor:
        """What is shown, as decoding asks: ab (B, 2, H, W) in CIE units."""
        if self.vivid is None:
            return self.chroma * self.predict(network, given)
        return self.enlivened(self.accurate(network, given))

    def shown(self, losses: "Losses") -> Tensor:
        """`colouring` of the forward that gave the losses."""
        if self.vivid is None:
            return self.chroma * losses.ab()
        return self.enlivened((losses.accurate or losses.ab)())

    def enlivened(self, accurate: Tensor) -> Tensor:
        """The accurate colouring at `vivid` and `chroma`, ab (B, 2, H, W)."""
        if not self.vivid:
            return self.chroma * accurate
        return self.chroma * stretched(accurate, self._fitted(self.vivid).strength, self.vivid)

    @property
    def vivid(self) -> float | None:
        """From the accurate end, 0, to as colourful as the truth, 1; None: `predict` as it is."""
        return self._vivid

    @vivid.setter
    def vivid(self, value: float | None) -> None:
        if value is not None:
            if not _is_number(value) or not 0 <= value <= 1:
                raise ValueError(f"vivid={value}: choose 0 (accurate) to 1 (as colourful as the truth), or "
                                 "null for the objective's own decoding")  # fmt: skip
            if value:
                self._fitted(value)
        self._vivid = value

    @property
    def chroma(self) -> float:
        """Factor of the chroma of all that is shown."""
        return self._chroma

    @chroma.setter
    def chroma(self, value: float) -> None:
        if not _is_number(value) or not 0 <= value < math.inf:
            raise ValueError(f"chroma={value}: choose a factor from 0 (grey), such as 1.2; 1 changes nothing")
        self._chroma = value

    def _fitted(self, vivid: float) -> Vividness:
        if self.vividness is None:
            remedy = "type python -m colorization.evaluate run=RUN keep_vividness=true, or give chroma=1.5"
            raise ValueError(f"vivid={vivid}: was not fitted on this network's validation photos; {remedy}")
        return self.vividness

    def sample(self, network: Network, given: Given, n: int) -> Tensor:
        """Plausible colourings of each picture, ab (n, B, 2, H, W).

        Raises:
            ConfigError: when the objective gives a single colouring.
        """
        return _no_samples(n)

    @property
    def samples(self) -> bool:
        """Whether it gives a distribution to draw colourings from."""
        return type(self).sample is not Objective.sample

    def distribution(self, network: Network, given: Given) -> Distribution:
        """What it holds likely at each place.

        Raises:
            ConfigError: when it keeps no probabilities of colours.
        """
        kind = type(self).__name__.lower()
        remedy = "take a run of objective=classification or joint, such as box"
        raise ConfigError([f"{kind} holds no probabilities of colours at a point; {remedy}"])

    @property
    def has_distribution(self) -> bool:
        """Whether there is a `distribution`."""
        return type(self).distribution is not Objective.distribution

    def decode(self, **settings: Any) -> None:
        """Set what decoding takes; see `decoding` and `EVERY`.

        Raises:
            ConfigError: naming a setting that this objective does not have, or a value that it refuses.
        """
        names = [*self.decoding, *EVERY]
        kind = type(self).__name__
        for name, value in settings.items():
            if name not in names:
                raise ConfigError([f"{name}={value}: no setting of {kind}'s decoding; it takes "
                                   f"{', '.join(names)}{nearest(name, names)}"])  # fmt: skip
            try:
                setattr(self, name, value)
            except (TypeError, ValueError) as error:
                raise ConfigError([str(error)]) from error

    @contextmanager
    def decoded(self, **settings: Any) -> Iterator[None]:
        """`decode` for a while."""
        before = {name: getattr(self, name) for name in settings if hasattr(self, name)}
        try:
            self.decode(**settings)
            yield
        finally:
            for name, value in before.items():
                setattr(self, name, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def output(network: Network, given: Given, *channels: Tensor, t: Tensor | None = None) -> Any:
    """What a network makes of what is given, further channels (B, C, H, W) and a time t (B,)."""
    x = network.units.encode(given.L, given.hints, *channels)
    return network(x) if t is None else network(x, t)


def upsample(y: Tensor, stride: int, L: Tensor) -> Tensor:
    """Bring a network's output (B, C, ceil(H / stride), ceil(W / stride)) to the size of L (B, 1, H, W).

    Bilinear, with each output position at the centre of the stride x stride pixels it stands for.
    """
    if stride == 1:
        return y
    (height, width), (h, w) = L.shape[-2:], y.shape[-2:]
    y = interpolate(y.float(), size=(h * stride, w * stride), mode="bilinear", align_corners=False)
    return cropped(y, height, width)


def at_stride(ab: Tensor, stride: int) -> Tensor:
    """The pixel at the centre of what each output position stands for.

    A pixel, not an average: a mean over an edge is a colour that neither side has.

    Shape: (B, 2, H, W) -> (B, 2, ceil(H / stride), ceil(W / stride)).
    """
    rows, columns = (
        torch.arange(stride // 2, full + stride // 2, stride, device=ab.device).clamp(max=full - 1)
        for full in ab.shape[-2:]
    )
    return ab[..., rows[:, None], columns]
