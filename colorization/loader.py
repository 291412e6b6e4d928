"""Hydra's reader of YAML files: over every folder of configurations, and the recorded experiments."""

import copy
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from colorization.config import EXPERIMENTS, folders

Stamps = tuple[tuple[Path, int, int], ...]


def load(file: str, choices: Sequence[str]) -> DictConfig:
    """FILE.yaml with these options chosen, before any setting; what was read once is copied."""
    read = _read(file, tuple(choices), Path.cwd(), _stamps())
    return copy.deepcopy(read)


@lru_cache(maxsize=32)
def _read(file: str, choices: tuple[str, ...], here: Path, stamps: Stamps) -> DictConfig:
    """In this folder, while no file changes."""
    return loader().load_configuration(file, list(choices), RunMode.RUN, from_shell=False)


def _stamps() -> Stamps:
    """When every file that may be read was last written, and its size."""
    files = [path for folder in folders() for path in Path(folder).rglob("*.yaml")]
    stats = [(path, path.stat()) for path in [*files, *EXPERIMENTS.glob("*/recipe.yaml")]]
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)


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
