"""Any objective against a critic, which tells predicted colours from true ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d
from torch.optim import Optimizer

from colorization.critic.base import Critic
from colorization.critic.game import GAMES, Name
from colorization.critic.penalty import Penalty
from colorization.critic.turns import Turns
from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Objective, Player, upsample
from colorization.objective.distribution import Distribution
from colorization.objective.prior import Packed
from colorization.objective.vivid import Vividness

CRITIC = "critic"  # the turn in which the critic learns


class Adversarial(Objective):
    """What another objective asks, and to be taken for the truth (Isola et al. 2017, arXiv:1611.07004).

    The other objective says what the network gives and how that becomes colour; the critic judges this colour
    beside the lightness. In evaluation nobody is judged: the loss is the other objective's.

    The critic sees the truth as coarse as the network's output is: where a network colours at 1/4 of the
    size, sharpness alone would give it away, which it cannot mend.

    Args:
        generator: the other objective.
        critic: the judge.
        optimizer: the critic's: parameter groups -> optimizer.
        game: what both minimise; see `critic.game`.
        weight: of the network's part of the game beside the other objective's loss.
        penalty: on the critic's slope.
        turns: who learns when.
        schedule: of the critic's learning rate; None: the run's own.
    """

    judged: Tensor
    satisfied: Tensor

    def __init__(
        self,
        generator: Objective,
        critic: Critic,
        optimizer: Callable[..., Optimizer],
        game: Name = "vanilla",
        weight: float = 0.01,
        penalty: Penalty = Penalty(),  # noqa: B008 (it is frozen, as is the next)
        turns: Turns = Turns(),  # noqa: B008
        schedule: Callable[[float], float] | None = None,
    ):
        super().__init__()
        if game not in GAMES:
            raise ValueError(f"objective.game={game!r}: choose {', '.join(GAMES)}")
        if not weight >= 0:
            raise ValueError(f"objective.weight={weight}: choose 0 or more")
        self.needs = generator.needs
        self.columns, self.decoding = dict(generator.columns), dict(generator.decoding)
        self.generator, self.critic = generator, critic
        self.optimizer, self.schedule = optimizer, schedule
        self.game, self.weight = GAMES[game], weight
        self.penalty, self.turns = penalty, turns
        self.playing = True
        self.register_buffer("judged", torch.zeros((), dtype=torch.long))  # turns that the critic has had
        self.register_buffer(
            "satisfied", torch.zeros((), dtype=torch.bool)
        )  # is its loss below the threshold?

    def prepare(self, pack: Packed) -> None:
        self.generator.prepare(pack)
        self.critic.start_from()

    def players(self, network: Network) -> dict[str, Player]:
        critic = Player([{"params": list(self.critic.parameters())}], self.optimizer, self.schedule)
        return {CRITIC: critic, **self.generator.players(network)}

    def due(self, network: Network, progress: float) -> Sequence[str]:
        phase = self.turns.phase(progress)
        self.playing = phase != "network"
        own = list(self.generator.due(network, progress))
        if phase == "network":
            return own
        if phase == "critic":
            return [CRITIC]
        if self.turns.threshold is None:
            return [CRITIC, *own]
        return own if self.satisfied else [CRITIC]

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        """Of the network: the other objective's loss and "adversarial". Of the critic: see `_judgement`."""
        if turn == CRITIC:
            return self._judgement(network, batch)
        losses = self.generator.loss(network, batch, turn)
        if turn != NETWORK or not network.training or not self.playing:
            return losses
        ab = losses.ab()
        with torch.no_grad():
            real = self._scores(batch, coarse(batch.ab, network.stride))
        adversarial = self.game.network(real, self._scores(batch, ab))
        self.satisfied.fill_(False)
        logged = {**losses.logged, "generator": losses.total.detach(), "adversarial": adversarial.detach()}
        return losses._replace(total=losses.total + self.weight * adversarial, ab=lambda: ab, logged=logged)

    def _judgement(self, network: Network, batch: Batch) -> Losses:
        """The critic's loss, and how it does.

        Logged are the mean scores of the truth ("real") and of predictions ("fake"); "right", the share of
        places where the truth scores above the prediction of the same picture, 0.5 for one that guesses;
        "spread", the standard deviation of all scores; and the "penalty" where there is one.
        """
        with torch.no_grad():
            predicted = self.generator.predict(network, batch.given)
        truth = coarse(batch.ab, network.stride)
        real, fake = self._scores(batch, truth), self._scores(batch, predicted)
        total = self.game.critic(real, fake)
        logged = {
            "real": real.mean().detach(),
            "fake": fake.mean().detach(),
            "right": ((real > fake).float() + 0.5 * (real == fake)).mean(),
            "spread": torch.cat([real, fake]).std().detach(),
        }
        if self.turns.threshold is not None:
            self.satisfied.copy_(shared(total.detach()) < self.turns.threshold)
        if self.penalty and (self.penalty.every == 1 or int(self.judged) % self.penalty.every == 0):
            penalty = self.penalty(self.critic, batch.given, truth, predicted)
            logged["penalty"] = penalty.detach()
            total = total + penalty
        self.judged += 1
        return Losses(total, lambda: predicted, logged)

    def _scores(self, batch: Batch, ab: Tensor) -> Tensor:
        return self.critic(batch.L, ab).float()

    def predict(self, network: Network, given: Given) -> Tensor:
        return self.generator.predict(network, given)

    def accurate(self, network: Network, given: Given) -> Tensor:
        return self.generator.accurate(network, given)

    def sample(self, network: Network, given: Given, n: int) -> Tensor:
        return self.generator.sample(network, given, n)

    def distribution(self, network: Network, given: Given) -> Distribution:
        return self.generator.distribution(network, given)

    @property
    def has_distribution(self) -> bool:
        return self.generator.has_distribution

    @property
    def samples(self) -> bool:
        return self.generator.samples

    def decode(self, **settings: Any) -> None:
        self.generator.decode(**settings)

    @contextmanager
    def decoded(self, **settings: Any) -> Iterator[None]:
        with self.generator.decoded(**settings):
            yield

    # What decoding has set is the other objective's.

    @property
    def vivid(self) -> float | None:
        return self.generator.vivid

    @vivid.setter
    def vivid(self, value: float | None) -> None:
        self.generator.vivid = value

    @property
    def chroma(self) -> float:
        return self.generator.chroma

    @chroma.setter
    def chroma(self, value: float) -> None:
        self.generator.chroma = value

    @property
    def vividness(self) -> Vividness | None:
        return self.generator.vividness

    @vividness.setter
    def vividness(self, value: Vividness | None) -> None:
        self.generator.vividness = value


def alone(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """A checkpoint without its critic, as if the other objective had trained it; any other as it is."""
    record, own = state["colorization"], "objective.generator."
    config = record["config"]
    if config["objective"]["_target_"] != f"{Adversarial.__module__}.{Adversarial.__name__}":
        return state
    tensors = {
        name.replace(own, "objective.", 1): tensor
        for name, tensor in state["state_dict"].items()
        if not name.startswith("objective.") or name.startswith(own)
    }
    config = {**config, "objective": config["objective"]["generator"]}
    return {**state, "state_dict": tensors, "colorization": {**record, "config": config}}


def coarse(ab: Tensor, stride: int) -> Tensor:
    """Ab as an output of that stride can have it: means of its cells, enlarged. Shape: (B, 2, H, W)."""
    if stride == 1:
        return ab
    cells = avg_pool2d(ab, stride, ceil_mode=True, count_include_pad=False)
    return upsample(cells, stride, ab)


def shared(loss: Tensor) -> Tensor:
    """The mean of a loss over all processes, which have to take the same turns."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        loss = loss.clone()
        torch.distributed.all_reduce(loss)
        loss /= torch.distributed.get_world_size()
    return loss
