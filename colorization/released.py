"""The authors' released networks, read from their .pth files.

    colorization_release_v2-9b330a0b.pth    ECCV16, of richzhang/colorization
    siggraph17-df00044c.pth                 SIGGRAPH17, likewise

Only tensors are read from them. Decoding stays as released: ECCV16 takes the plain mean of its
distribution (objective.temperature=1), SIGGRAPH17 sees an uncentred mask, both see 256 pixels.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.files import replaced
from colorization.module import Colorizer

State = dict[str, Tensor]

# What a released network is here. SIGGRAPH17 takes hints, and none are revealed unless someone asks.
SETTINGS = {
    "eccv16": ["objective=classification", "objective.temperature=1.0"],
    "siggraph17": [
        *("objective=joint", "model.classes=529", "model.mask_center=0.0"),
        *("hints=points", "hints.stop=1.0", "hints.everything=0.0"),
    ],
}

# The released name of every tensor -> ours; {n} is the number of a block, {i} of a layer in it.
NAMES = {
    "eccv16": [
        (r"model8\.6\.(.+)", r"network.head.\1"),
        (r"model(\d)\.(.+)", r"network.conv\1.\2"),
        (r"model_out\.weight", r"objective.gamut.centres"),
    ],
    "siggraph17": [
        (r"model(8|9|10)up\.0\.(.+)", r"network.up\1.\2"),
        (r"model\dshort(8|9|10)\.0\.(.+)", r"network.short\1.\2"),
        (r"model(\d+)\.(.+)", r"network.conv\1.\2"),
        (r"model_class\.0\.(.+)", r"network.classify.\1"),
        (r"model_out\.0\.(.+)", r"network.head.\1"),
    ],
}


def released(weights: Path) -> tuple[DictConfig, Colorizer]:
    """The authors' network, in evaluation mode, with the configuration that rebuilds it.

    Raises:
        ConfigError: for a file that holds anything but the tensors of a known network.
    """
    state = read_tensors(weights)
    model = recognised(state, weights)
    own_name = f"name={model}_released"
    cfg = composed(
        "train", [f"model={model}", *SETTINGS[model], "data.image_size=256", "logger=csv", own_name]
    )
    colorizer = Colorizer(*build.parts(cfg))
    own, renamed = colorizer.state_dict(), translated(model, state, weights)
    faults = [f"has no {name}" for name in own if name not in renamed and not name.startswith("objective.")]
    for name, tensor in renamed.items():
        if name not in own:
            faults.append(f"has {name} too")
        elif own[name].shape != tensor.shape:
            faults.append(f"has {name} of shape {tuple(tensor.shape)}, not {tuple(own[name].shape)}")
    if faults:
        rest = f" and {len(faults) - 3} faults more" if len(faults) > 3 else ""
        raise ConfigError([f"weights={weights}: not the released {model}: it {', '.join(faults[:3])}{rest}"])
    colorizer.load_state_dict(own | renamed)
    return cfg, colorizer.eval()


def save(cfg: DictConfig, colorizer: Colorizer, out: Path) -> None:
    """Write a checkpoint that evaluate and predict take, whole or not at all."""
    colorizer.record = {"config": OmegaConf.to_container(cfg, resolve=True)}
    checkpoint = {"state_dict": colorizer.state_dict(), "global_step": 0, "epoch": 0}
    colorizer.on_save_checkpoint(checkpoint)
    with replaced(out) as partial, partial.open("wb") as file:
        torch.save(checkpoint, file)


def recognised(state: State, path: Path) -> str:
    """Which released network the tensors are of."""
    for model, name in (("eccv16", "model_out.weight"), ("siggraph17", "model_out.0.weight")):
        if name in state:
            return model
    raise ConfigError([f"weights={path}: not a released {' or '.join(SETTINGS)}: other names"])


def read_tensors(path: Path) -> State:
    """A file's state dict, reading nothing but tensors.

    Raises:
        ConfigError: when there is no such file or it holds anything else.
    """
    if not path.is_file():
        raise ConfigError([f"weights={path}: no such file"])
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file of any other kind fails in a way of its own
        raise ConfigError([f"weights={path}: not a PyTorch file of tensors"]) from error
    tensors = isinstance(state, Mapping) and all(isinstance(value, Tensor) for value in state.values())
    if not state or not tensors:
        raise ConfigError([f"weights={path}: not a state dict; give the released .pth file"])
    return dict(state)


def translated(model: str, state: State, path: Path) -> State:
    """Released names -> ours, and the read-out of ECCV16 as its bin centres in ab units."""
    renamed: State = {}
    for name, tensor in state.items():
        fits = [(old, new) for old, new in NAMES[model] if re.fullmatch(old, name)]
        if not fits:
            raise ConfigError([f"weights={path}: not the released {model}: it has a tensor {name!r}"])
        renamed[re.sub(*fits[0], name)] = tensor
    centres = renamed.get("objective.gamut.centres")
    if centres is not None and centres.dim() == 4:
        renamed["objective.gamut.centres"] = centres[:, :, 0, 0].T.contiguous() * 110.0
    return renamed
