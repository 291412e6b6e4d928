"""An objective with a critic that has an optimizer of its own."""

from collections.abc import Callable

from torch import Tensor, cat, nn
from torch.nn.functional import l1_loss, relu
from torch.optim import Optimizer

from colorization.data.batch import Batch, Given
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Needs, Objective, Player, output, upsample


class Adversarial(Objective):
    """L1 and a patch critic that sees L and ab (Isola et al. 2017, arXiv:1611.07004), with hinge losses."""

    needs = Needs(out=2)

    def __init__(self, optimizer: Callable[..., Optimizer], width: int = 8, weight: float = 0.1):
        super().__init__()
        self.optimizer, self.weight = optimizer, weight
        first = nn.Conv2d(3, width, 4, stride=2, padding=1)
        self.critic = nn.Sequential(first, nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 4, padding=1))

    def players(self, network: Network) -> dict[str, Player]:
        critic = Player([{"params": list(self.critic.parameters())}], self.optimizer)
        return {"critic": critic, **super().players(network)}

    def loss(self, network: Network, batch: Batch, turn: str = NETWORK) -> Losses:
        ab = self.predict(network, batch.given)
        fake = self._judged(batch.L, ab if turn == NETWORK else ab.detach())
        if turn == NETWORK:
            distance, fooled = l1_loss(ab, batch.ab) / 110, -fake.mean()
            logged = {"distance": distance, "fooled": fooled}
            return Losses(distance + self.weight * fooled, lambda: ab, logged)
        real = self._judged(batch.L, batch.ab)
        total = (relu(1 - real) + relu(1 + fake)).mean()
        return Losses(total, lambda: ab, {"real": real.mean(), "fake": fake.mean()})

    def predict(self, network: Network, given: Given) -> Tensor:
        return upsample(network.units.decode(output(network, given)), network.stride, given.L)

    def _judged(self, L: Tensor, ab: Tensor) -> Tensor:
        return self.critic(cat([L / 50 - 1, ab / 110], dim=1))
