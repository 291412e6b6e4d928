"""ONNX files: traced by torch.onnx, halved or quantised by ONNX Runtime."""

import json
import logging
import re
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorization.config import ConfigError, installation
from colorization.exported.facts import KEY
from colorization.exported.parity import Colouring
from colorization.graph import Graph

SIDES = ("height", "width")
LIBRARIES = ("onnx", "onnxruntime", "onnxscript")


def check() -> None:
    """Raise ConfigError where a library is missing."""
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        raise ConfigError([f"format=onnx needs {', '.join(missing)}: {installation('export')}"])


def write(graph: Graph, path: Path, facts: dict[str, Any], shown: Tensor) -> None:
    """Write a graph, its facts among its metadata.

    Args:
        graph: all of it.
        path: of the file.
        facts: as `exported.facts` gives them; "precision" among them is that of the file: float32, float16
            (all but inputs and outputs) or int8 (weights and activations of convolutions, but for those
            where 8 bits would show).
        shown: lightness (N, 1, H, W) by which the ranges of activations are found for int8.
    """
    import onnx

    model = _traced(graph)
    if facts["precision"] == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        model = convert_float_to_float16(model, keep_io_types=True)
    elif facts["precision"] == "int8":
        model = _quantised(model, shown)
    onnx.helper.set_model_props(model, {KEY: json.dumps(facts)})
    onnx.save(model, path)


def runs(path: Path) -> Colouring:
    """The file in ONNX Runtime: L (1, 1, H, W) -> ab (1, 2, H, W), without hints."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    others = [entry.name for entry in session.get_inputs() if entry.name != "L"]

    def colour(L: Tensor) -> Tensor:
        none = {name: L.new_zeros(1, 3, *L.shape[2:]).numpy() for name in others}
        return torch.from_numpy(session.run(["ab"], {"L": L.numpy(), **none})[0])

    return colour


def _traced(graph: Graph) -> Any:
    """An onnx.ModelProto for any height and width, under those names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program, ins, outs = graph.program(), graph.inputs, graph.outputs
        made = torch.onnx.export(program, input_names=ins, output_names=outs, dynamo=True, verbose=False)
    assert made is not None
    model = made.model_proto
    named = {side.dim_param: word for side, word in zip(_sides(model.graph.input[0]), SIDES, strict=True)}
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        for side in _sides(value):
            side.dim_param = re.sub(r"\w+", lambda word: named.get(word[0], word[0]), side.dim_param)
    return model


def _sides(value: Any) -> list[Any]:
    """Those of a tensor's sizes that are not numbers."""
    return [side for side in value.type.tensor_type.shape.dim if side.dim_param]


def _quantised(model: Any, shown: Tensor) -> Any:
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        """One picture after the other."""

        def __init__(self) -> None:
            self.left = iter(shown)

        def get_next(self) -> dict[str, Any] | None:
            L = next(self.left, None)
            return None if L is None else {"L": L[None].numpy()}

    with tempfile.TemporaryDirectory() as folder:
        before, after = (Path(folder) / name for name in ("float.onnx", "int8.onnx"))
        onnx.save(model, before)
        logging.disable(logging.WARNING)  # it asks for what torch.onnx has done already
        try:
            quantize_static(
                before, after, Reader(), per_channel=True, op_types_to_quantize=["Conv"],
                nodes_to_exclude=_spared(model),
                weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8,
            )  # fmt: skip
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(after)


def _spared(model: Any) -> list[str]:
    """The first convolution, those that no other follows, and those of each channel by itself.

    The last have few weights, and 8 bits hurt them most: of box they would cost as much again.
    """
    followed: set[str] = set()
    spared = []
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    for node in reversed(model.graph.node):
        reaches = not followed.isdisjoint(node.output)
        if node.op_type == "Conv" and (not reaches or node.name == first.name or _groups(node) > 1):
            spared.append(node.name)
        if reaches or node.op_type == "Conv":
            followed.update(node.input)
    return spared


def _groups(node: Any) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
