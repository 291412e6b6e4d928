"""The authors' released networks, read from their .pth files.

    colorization_release_v2-9b330a0b.pth    ECCV16, of richzhang/colorization
    siggraph17-df00044c.pth                 SIGGRAPH17, likewise
    pytorch_model.pt, ddcolor_*.pth         DDColor, of piddnad/DDColor, tiny to large

Only tensors are read from them. Decoding stays as released: ECCV16 takes the plain mean of its
distribution (objective.temperature=1), SIGGRAPH17 sees an uncentred mask, both see 256 pixels; DDColor sees
512, as its authors' infer.py.
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
    "ddcolor": ["model.weights=none", "model.width=512", "model.dim=256", "model.hidden=2048"],
}

SIZES = {"eccv16": 256, "siggraph17": 256, "ddcolor": 512}

# A tensor that only this network has.
SIGNS = {
    "eccv16": "model_out.weight",
    "siggraph17": "model_out.0.weight",
    "ddcolor": "refine_net.0.0.weight_orig",
}

# ConvNeXts by the channels of their first stage and the blocks of their third.
CONVNEXTS = {(96, 9): "tiny", (96, 27): "small", (128, 27): "base", (192, 27): "large"}

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
    "ddcolor": [
        (r"encoder\.arch\.downsample_layers\.0\.(\d)\.(.+)", r"network.encoder.stem_\1.\2"),
        (r"encoder\.arch\.downsample_layers\.(\d)\.(.+)", r"network.encoder.stages_\1.downsample.\2"),
        (
            r"encoder\.arch\.stages\.(\d)\.(\d+)\.dwconv\.(.+)",
            r"network.encoder.stages_\1.blocks.\2.conv_dw.\3",
        ),
        (r"encoder\.arch\.stages\.(\d)\.(\d+)\.pwconv(.+)", r"network.encoder.stages_\1.blocks.\2.mlp.fc\3"),
        (r"encoder\.arch\.stages\.(\d)\.(\d+)\.(.+)", r"network.encoder.stages_\1.blocks.\2.\3"),
        (r"encoder\.arch\.norm(\d)\.(.+)", r"network.norms.\1.\2"),
        (r"decoder\.layers\.(\d)\.shuf\.conv\.0\.(.+)", r"network.blocks.\1.grow.\2"),
        (r"decoder\.layers\.(\d)\.shuf\.conv\.1\.(.+)", r"network.blocks.\1.grown.\2"),
        (r"decoder\.layers\.(\d)\.bn\.(.+)", r"network.blocks.\1.skip.\2"),
        (r"decoder\.layers\.(\d)\.conv\.0\.(.+)", r"network.blocks.\1.conv.\2"),
        (r"decoder\.layers\.(\d)\.conv\.2\.(.+)", r"network.blocks.\1.norm.\2"),
        (r"decoder\.last_shuf\.conv\.0\.(.+)", r"network.last.\1"),
        (r"decoder\.color_decoder\.(.+)", r"network.colours.\1"),
        (r"refine_net\.0\.0\.(.+)", r"network.head.\1"),
    ],
}

# Of what `NAMES` gave, parts of names that are others here.
PARTS = {
    "ddcolor": [
        (r"transformer_cross_attention_layers\.(\d)\.multihead_attn", r"rounds.\1.across"),
        (r"transformer_cross_attention_layers\.(\d)\.norm", r"rounds.\1.norms.0"),
        (r"transformer_self_attention_layers\.(\d)\.self_attn", r"rounds.\1.among"),
        (r"transformer_self_attention_layers\.(\d)\.norm", r"rounds.\1.norms.1"),
        (r"transformer_ffn_layers\.(\d)\.norm", r"rounds.\1.norms.2"),
        (r"transformer_ffn_layers\.(\d)\.linear1", r"rounds.\1.widen"),
        (r"transformer_ffn_layers\.(\d)\.linear2", r"rounds.\1.narrow"),
        (r"in_proj_", "project."),
        (r"out_proj", "out"),
        (r"input_proj", "project"),
        (r"decoder_norm", "norm"),
        (r"query_feat\.weight", "content"),
        (r"query_embed\.weight", "position"),
        (r"level_embed\.weight", "level"),
        *((rf"color_embed\.layers\.{n}", f"embed.{2 * n}") for n in range(3)),
        (r"weight_orig", "parametrizations.weight.original"),
        (r"weight_([uv])$", r"parametrizations.weight.0._\1"),
    ],
}

# Tensors that nothing reads, or that are constants here.
UNREAD = {"ddcolor": r"encoder\.arch\.norm\..+|mean|std"}


def released(weights: Path) -> tuple[DictConfig, Colorizer]:
    """The authors' network, in evaluation mode, with the configuration that rebuilds it.

    Raises:
        ConfigError: for a file that holds anything but the tensors of a known network.
    """
    state = read_tensors(weights)
    model = recognised(state, weights)
    own_name = f"name={model}_released"
    settings = [f"model={model}", *SETTINGS[model], f"data.image_size={SIZES[model]}", "logger=csv", own_name]
    if model == "ddcolor":
        settings.append(f"model.encoder={_convnext(state, weights)}")
    cfg = composed("train", settings)
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
    for model, name in SIGNS.items():
        if name in state:
            return model
    raise ConfigError([f"weights={path}: not a released {' or '.join(SIGNS)}: other names"])


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
    if isinstance(state, Mapping) and isinstance(
        state.get("params"), Mapping
    ):  # as DDColor's training writes it
        state = state["params"]
    tensors = isinstance(state, Mapping) and all(isinstance(value, Tensor) for value in state.values())
    if not state or not tensors:
        raise ConfigError([f"weights={path}: not a state dict; give the released .pth file"])
    return dict(state)


def translated(model: str, state: State, path: Path) -> State:
    """Released names -> ours, and the read-out of ECCV16 as its bin centres in ab units."""
    renamed: State = {}
    for name, tensor in state.items():
        if re.fullmatch(UNREAD.get(model, ""), name):
            continue
        fits = [(old, new) for old, new in NAMES[model] if re.fullmatch(old, name)]
        if not fits:
            raise ConfigError([f"weights={path}: not the released {model}: it has a tensor {name!r}"])
        name = re.sub(*fits[0], name)
        for old, new in PARTS.get(model, ()):
            name = re.sub(old, new, name)
        renamed[name] = tensor
    centres = renamed.get("objective.gamut.centres")
    if centres is not None and centres.dim() == 4:
        renamed["objective.gamut.centres"] = centres[:, :, 0, 0].T.contiguous() * 110.0
    return renamed


def _convnext(state: State, path: Path) -> str:
    """The encoder of a released DDColor, by timm's name."""
    prefix = "encoder.arch.stages."
    width = len(state.get(f"{prefix}0.0.gamma", ()))
    blocks = sum(re.fullmatch(rf"{re.escape(prefix)}2\.\d+\.gamma", name) is not None for name in state)
    if (width, blocks) not in CONVNEXTS:
        fault = f"its encoder is of no ConvNeXt: {width} channels, {blocks} blocks in the third stage"
        raise ConfigError([f"weights={path}: not the released ddcolor: {fault}"])
    return f"convnext_{CONVNEXTS[width, blocks]}.fb_in22k"
