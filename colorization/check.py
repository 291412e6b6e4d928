"""The constructor is the schema: hold every node of a configuration against what it builds."""

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from colorization.config import ConfigError, describe_target, locate, nearest, signature

PLAIN = (bool, int, float, str, list, dict, Path, type(None))
Whole = Annotated[int, 0]  # the least that it may be
Positive = Annotated[int, 1]

TABLES = ("page", "markdown", "latex", "csv")
PICTURES = ("same", "png", "jpg", "tiff", "webp")
NETWORKS = ("onnx", "torchscript", "safetensors")

# The commands' own settings, which belong to no constructor; each means the same wherever a command has it.
SETTINGS: dict[str, Any] = {
    "seed": Whole,
    "host": str,
    "port": Positive,
    "largest": Positive,
    "browser": bool,
    "find": Literal["lr", "batch_size"] | None,
    "samples": Whole,
    "points": Whole | None,
    "size": Positive | Literal["auto"],
    "pictures": Positive | None,
    "batch_size": Positive,
    "resamples": Positive,
    "device": Literal["auto", "cpu", "cuda"],
    "gamut": Literal["chroma", "clip"],
    "lightness": Literal["equal", "any"],
    "format": Literal[*TABLES, *PICTURES, *NETWORKS] | None,
    "precision": Literal["float32", "float16", "int8"],
    "quality": Annotated[int, 1],
    "subsampling": Literal["444", "422", "420"],
    "toned": Literal["recolour", "keep", "skip"],
    **dict.fromkeys(
        ("channels_last", "compile", "every_protocol", "hints_curve", "layer", "leaks", "list"), bool
    ),
    **dict.fromkeys(("private", "stability", "steps_curve"), bool),
}


def faults(node: Any, path: str = "") -> Iterator[str]:
    """Every fault of a plain configuration below `path`."""
    if not isinstance(node, Mapping):
        return
    if isinstance(node.get("_target_"), str):
        yield from _node_faults(node, path)
    if not path:
        yield from _settings_faults(node)
        yield from _metric_faults(node)
    for key, value in node.items():
        yield from faults(value, f"{path}.{key}" if path else str(key))


def _node_faults(node: Mapping[str, Any], path: str) -> Iterator[str]:
    target = node["_target_"]
    parameters, hints = signature(target), _hints(target)
    for key, value in node.items():
        if key.startswith("_"):
            continue
        name = f"{path}.{key}"
        if key not in parameters:
            yield f"{name}: no such setting{nearest(key, list(parameters))} ({describe_target(target)})"
        elif not fits(value, hints.get(key, Any)):
            yield f"{name}={value!r}: should be {spoken(hints[key])} ({describe_target(target)})"


def _settings_faults(node: Mapping[str, Any]) -> Iterator[str]:
    for name, hint in SETTINGS.items():
        if name in node and not fits(node[name], hint):
            yield f"{name}={node[name]!r}: should be {spoken(hint)}"


def _metric_faults(node: Mapping[str, Any]) -> Iterator[str]:
    """Metrics that a dotted name alone stands for, and that are not there."""
    measured = {"metric": node.get("metric"), "protocol.metrics": (node.get("protocol") or {}).get("metrics")}
    for path, metrics in measured.items():
        for name, target in (metrics or {}).items():
            try:
                if isinstance(target, str):
                    locate(target)
            except ConfigError as error:
                yield f"{path}.{name}: {error.faults[0]}"


def fits(value: Any, hint: Any) -> bool:
    """Whether a value from a YAML file or the command line is what a type hint asks for.

    Of hints beyond plain data (objects that build makes, callables) it is only known that no text and no
    number is one of them.
    """
    if hint is Any:
        return True
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return fits(value, args[0]) and value >= args[1]
    if origin in (Union, types.UnionType):
        return any(fits(value, arg) for arg in args)
    if origin is Literal:
        return any(value == arg and type(value) is type(arg) for arg in args)
    plain = origin or hint
    if isinstance(value, Mapping) and "_target_" in value:
        return True
    if plain not in PLAIN:
        scalar = isinstance(value, bool | int | float | str)
        return not (scalar and isinstance(plain, type)) or isinstance(value, plain)
    if plain in (int, float) and isinstance(value, bool):
        return False
    if plain is float:
        return isinstance(value, int | float)
    return isinstance(value, str if plain is Path else plain)


def spoken(hint: Any) -> str:
    """A type hint in words."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(spoken(arg) for arg in args)
    if origin is Literal:
        return " or ".join(repr(arg) for arg in args)
    if origin is Annotated:
        return f"{spoken(args[0])} from {args[1]}"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
    return names.get(origin or hint, getattr(hint, "__name__", str(hint)))


def _hints(target: str) -> dict[str, Any]:
    built = locate(target)
    try:
        return get_type_hints(getattr(built, "__init__") if isinstance(built, type) else built)  # noqa: B009
    except (NameError, TypeError):  # hints that name what their module imports for type checkers only
        return {}
