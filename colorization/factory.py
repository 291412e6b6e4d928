"""A node of a configuration -> the object that its `_target_` names."""

import dis
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from colorization.config import ConfigError, locate

# How a node is built; the last is Hydra's, and whatever is built here is given plain data.
WAYS = ("_partial_", "_recursive_", "_convert_")


def make(node: Any, **given: Any) -> Any:
    """Build a node and what lies inside it; `given` are further arguments.

    `_partial_: true` makes a callable that takes the rest, `_recursive_: false` leaves what lies inside as
    data. Interpolations are resolved once: what a resolved text holds is never read as another one.

    Raises:
        ConfigError: what a constructor refuses, in its own words.
    """
    if isinstance(node, DictConfig | ListConfig):
        node = OmegaConf.to_container(node, resolve=True)
    return _built({**node, **given} if isinstance(node, Mapping) else node)


def _built(node: Any) -> Any:
    if isinstance(node, list):
        return [_built(value) for value in node]
    if not isinstance(node, Mapping):
        return node
    deep = node.get("_recursive_", True)
    settings = {k: _built(v) if deep else v for k, v in node.items() if k not in ("_target_", *WAYS)}
    if "_target_" not in node:
        return settings
    target = locate(node["_target_"])
    return partial(target, **settings) if node.get("_partial_") else _called(target, settings)


def _called(target: Callable[..., Any], settings: dict[str, Any]) -> Any:
    super_first = f"{target.__name__}: its __init__ should begin with super().__init__()"
    try:
        instance = target(**settings)
    except ConfigError:
        raise
    except AttributeError as error:
        if "before Module.__init__() call" in str(error):
            raise ConfigError([super_first]) from error
        raise
    except (TypeError, ValueError, FileNotFoundError) as error:
        if _deliberate(error, target.__module__):
            raise ConfigError([str(error)]) from error
        raise
    if hasattr(instance, "register_module") and "_modules" not in vars(instance):  # a module of torch
        raise ConfigError([super_first])
    return instance


def _deliberate(error: Exception, module: str) -> bool:
    """Whether the call itself failed, or a `raise` in this project or in the target's package did it."""
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    if last is None or last is error.__traceback__:
        return True
    raised = last.tb_frame.f_code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    package = str(last.tb_frame.f_globals.get("__name__")).partition(".")[0]
    return raised and package in ("colorization", "lightning_fabric", module.partition(".")[0])
