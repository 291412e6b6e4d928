"""A trained network as one small file: tensors in half precision, with the configuration that rebuilds them.

The format is safetensors, which holds numbers and text and runs no code. Its metadata has one entry,
"colorization": the JSON of what a checkpoint keeps under that name, but for the parts of the configuration
that only its own training needs.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from colorization.config import InputError
from colorization.files import replaced

FOLDER = Path(__file__).parent
BOX = "box"  # what colours a photo where nothing was trained
SUFFIX = ".safetensors"
KEY = "colorization"
KEPT = ("name", "model", "objective", "hints", "channels_last")


def packaged(name: str) -> Path | None:
    """The file of the network of that name that comes with the package, if there is one."""
    path = FOLDER / f"{name}{SUFFIX}"
    return path if path.is_file() else None


def write(
    state: Mapping[str, Any], path: Path, silent: Mapping[str, Any], size: int, half: bool = True
) -> None:
    """Write what a checkpoint holds of a network. In half, convolutions lose half their bits, 3 digits stay.

    Args:
        state: a checkpoint's "state_dict" and "colorization".
        path: of the file to write, whole or not at all.
        silent: arguments of its hints with which nothing is revealed: what scores this file scores the
            network by itself.
        size: pixels of the shorter side that predict shows it.
        half: whether its convolutions are kept in half precision.
    """
    kept = {name: _small(tensor) if half else tensor for name, tensor in state["state_dict"].items()}
    tensors = {name: tensor.contiguous() for name, tensor in kept.items()}
    record = state[KEY]
    config = {key: record["config"][key] for key in KEPT}
    config["hints"] = {**config["hints"], **silent}
    config["data"] = {"image_size": size}
    facts = {key: record[key] for key in ("layout", "units", "vividness", "git") if key in record}
    with replaced(path) as partial:
        partial.write_bytes(save(tensors, {KEY: json.dumps(facts | {"config": config})}))


def read(path: Path) -> dict[str, Any]:
    """What `write` was given, in single precision.

    Raises:
        InputError: not such a file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {})[KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a network that colorization.convert has written") from error
    return {
        "state_dict": {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()},
        KEY: record,
    }


def _small(tensor: Tensor) -> Tensor:
    """Weights of convolutions in half precision; vectors, which are few, and counters as they are."""
    return tensor.half() if tensor.is_floating_point() and tensor.dim() > 2 else tensor
