"""The contract between a network and what it learns."""

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn.functional import interpolate

from colorization.data.batch import Batch
from colorization.model.base import Network
from colorization.objective.prior import Packed


class Objective(nn.Module, ABC):
    """What a network learns, and how its output becomes colour.

    Attributes:
        channels: output channels that the network must have.
    """

    channels: int

    def prepare(self, pack: Packed) -> None:
        """Learn what the objective needs to know of the training pictures.

        Called once before a run starts; what is learned belongs to the checkpoint. Nothing by default.
        """

    @abstractmethod
    def loss(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """The scalar to minimise as "loss", and whatever else is worth logging beside it."""

    @abstractmethod
    def predict(self, network: Network, L: Tensor, hints: Tensor | None = None) -> Tensor:
        """L (B, 1, H, W) 0..100 -> ab (B, 2, H, W) in CIE units: the one best colouring."""

    def measured(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """What the objective alone can tell of how well it does: name -> (B,), each picture by itself.

        Without gradients. Nothing by default.
        """
        return {}

    def sample(self, network: Network, L: Tensor, n: int, hints: Tensor | None = None) -> Tensor:
        """L (B, 1, H, W) -> ab (n, B, 2, H, W): n plausible colourings of each picture.

        Raises:
            ValueError: when the objective gives a single colouring.
        """
        raise ValueError(
            f"objective {type(self).__name__} gives one colouring, not samples; "
            "train with an objective that gives a distribution, such as objective=classification"
        )


def upsample(y: Tensor, network: Network, L: Tensor) -> Tensor:
    """Bring a network's output (B, C, H / stride, W / stride) to the size of L (B, 1, H, W).

    Bilinear, with each output position at the centre of the stride x stride pixels it stands for.
    """
    if network.stride == 1:
        return y
    height, width = L.shape[-2:]
    y = interpolate(y.float(), scale_factor=float(network.stride), mode="bilinear", align_corners=False)
    return y[..., :height, :width]
