"""Hydra's reader of YAML files: over every folder of configurations, and the recorded experiments."""

from functools import cache
from pathlib import Path

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from omegaconf import OmegaConf

from colorization.config import EXPERIMENTS, folders


def loader() -> ConfigLoaderImpl:
    """The reader, as the folders are now."""
    setup_globals()
    Plugins.instance()
    for recipe in EXPERIMENTS.glob("*/recipe.yaml"):
        _register(recipe, recipe.stat().st_mtime_ns)
    path = ConfigSearchPathImpl()
    path.append("hydra", "pkg://hydra.conf")
    for folder in folders():
        path.append("main", f"file://{folder}")
    path.append("schema", "structured://")
    return ConfigLoaderImpl(path)


@cache
def _register(recipe: Path, changed: int) -> None:
    """Make a recorded study an option of `experiment`, once for each time that its recipe has changed."""
    node = OmegaConf.load(recipe)
    ConfigStore.instance().store(recipe.parent.name, node, group="experiment", package="_global_")
