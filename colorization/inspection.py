"""What --cfg, --info and --shell-completion print of a command's configuration, as Hydra prints it."""

import sys
from collections.abc import Sequence

from hydra._internal.hydra import Hydra
from omegaconf import Container, OmegaConf, open_dict

from colorization.compose import hydra_resolved, unresolved
from colorization.config import ConfigError, groups, is_group
from colorization.loader import loader
from colorization.request import Request


def configuration(request: Request) -> str:
    """The composed and checked configuration as YAML, or a part of it (--cfg, --package, --resolve)."""
    request.composed()
    flags = request.flags
    config = unresolved(request.command, request.overrides, flags.config_name)
    with hydra_resolved(config):
        if flags.resolve:
            OmegaConf.resolve(config)
        with open_dict(config):
            kept = ["hydra"] if flags.cfg == "hydra" else [str(key) for key in config if key != "hydra"]
        view = config if flags.cfg == "all" else OmegaConf.masked_copy(config, kept)
        part = view if flags.package in (None, "_global_") else OmegaConf.select(view, flags.package)
    if part is None:
        raise ConfigError([f"--package {flags.package}: no such part of the configuration"])
    return OmegaConf.to_yaml(part) if isinstance(part, Container) else f"{part}\n"


def composition(request: Request) -> None:
    """Print the defaults, the search path and the plugins that a configuration comes of (--info)."""
    request.composed()
    file = request.flags.config_name or request.command
    hydra = Hydra(task_name=request.command, config_loader=loader())
    hydra.show_info(request.flags.info, config_name=file, overrides=_hydras_own(request.overrides, file))


def completion(request: Request) -> None:
    """Print what a shell runs to complete options and settings (--shell-completion install=bash)."""
    sys.argv[0] = f"colorization-{request.command}"  # what is completed is the console script
    try:
        hydra = Hydra(task_name=request.command, config_loader=loader())
        hydra.shell_completion(request.command, list(request.overrides))
    except ValueError as error:
        remedy = f'eval "$({sys.argv[0]} --shell-completion install=bash)"'
        raise ConfigError([f"--shell-completion: {error}; type {remedy}"]) from error


def _hydras_own(overrides: Sequence[str], file: str) -> list[str]:
    """Overrides as Hydra's own command line takes them: settings that no YAML lists want ++."""
    lines = []
    for line in overrides:
        group = line.lstrip("+~").partition("=")[0].partition("@")[0]
        if group in groups(file) or line.startswith(("+", "~", "hydra")):
            lines.append(line)
        elif not is_group(group):
            lines.append(f"++{line}")
    return lines
