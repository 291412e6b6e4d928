"""A run becomes a file for other programs, held against PyTorch, and goes to the hub."""

import logging
import tempfile
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from colorization.color import lab
from colorization.config import ConfigError
from colorization.exported import onnx_file, parity, torchscript_file
from colorization.exported.card import card
from colorization.exported.facts import facts
from colorization.files import replaced
from colorization.graph import Graph
from colorization.module import Colorizer
from colorization.objective.adversarial import alone
from colorization.reopen import Run, newest_run, open_run
from colorization.weights import file as weights
from colorization.weights import hub

SUFFIXES = {"onnx": ".onnx", "torchscript": ".pt", "safetensors": weights.SUFFIX}
PRECISIONS = {
    "onnx": ("float32", "float16", "int8"),
    "torchscript": ("float32", "float16"),
    "safetensors": ("float32", "float16"),
}

log = logging.getLogger(__name__)


def export(cfg: DictConfig) -> Path:
    """Write the file, tell what it is and what it loses, and push it where that is asked.

    Raises:
        ConfigError: the settings contradict each other, the network has no such form, or the file gives other
            colours than the network.
    """
    check(cfg)
    run = open_run(cfg.run or newest_run() or weights.BOX)
    out = Path(cfg.out or f"{run.name}{SUFFIXES[cfg.format]}").expanduser()
    if out.exists():
        raise ConfigError([f"out={out}: is there already; choose another name or remove it"])
    if out.suffix != SUFFIXES[cfg.format]:
        raise ConfigError([f"out={out}: format={cfg.format} is a {SUFFIXES[cfg.format]} file; name it so"])
    size = run.config.data.image_size if cfg.size == "auto" else cfg.size
    colorizer = run.colorizer()
    colorizer.objective.decode(**cfg.decoding)
    shown, truth = parity.pictures(cfg.photos, size, cfg.pictures)
    with replaced(out) as partial:
        made = partial.with_name(partial.name + out.suffix)  # open_run goes by it
        try:
            colour = written(cfg, run, colorizer, size, shown, made)
            found = parity.parity(colorizer, colour, truth)
            if cfg.precision == "float32" and not found.most <= parity.LIMIT:
                fault = f"its colours are up to {found.most:g} units of ab from PyTorch's"
                raise ConfigError([f"format={cfg.format}: {fault}; this network does not survive it"])
            made.replace(partial)
        finally:
            made.unlink(missing_ok=True)
    log.info("%s: %.1f MB, %s\n%s", out, out.stat().st_size / 1e6, cfg.precision, found.told())
    if cfg.push:
        address = pushed(cfg, run, size, out)
        log.info('pushed: %s; load it by colorization.load("hf://%s")', address, cfg.push)
    return out


def check(cfg: DictConfig) -> None:
    """Raise ConfigError where settings contradict each other, or a library is missing."""
    if cfg.format not in PRECISIONS:
        raise ConfigError([f"format={cfg.format}: choose {', '.join(PRECISIONS)}"])
    faults = []
    if cfg.precision not in PRECISIONS[cfg.format]:
        allowed = " or ".join(PRECISIONS[cfg.format])
        faults.append(f"precision={cfg.precision}: format={cfg.format} has {allowed}; int8 is format=onnx's")
    if cfg.decoding and cfg.format == "safetensors":
        asked = " ".join(f"{name}={value}" for name, value in cfg.decoding.items())
        faults.append(f"{asked}: a {weights.SUFFIX} keeps every way of decoding; ask predict for it")
    if cfg.pictures is None:
        faults.append("pictures=null: give how many are measured on, such as 64")
    if faults:
        raise ConfigError(faults)
    if cfg.push:
        hub.repository(cfg.push, "push")
    if cfg.format == "onnx":
        onnx_file.check()


def written(
    cfg: DictConfig, run: Run, colorizer: Colorizer, size: int, shown: Tensor, path: Path
) -> parity.Colouring:
    """Write the file, and give what it colours."""
    if cfg.format == "safetensors":
        half = cfg.precision == "float16"
        weights.write(alone(run.state), path, colorizer.hints.silent, size, half)
        return open_run(path).colorizer()
    network: Any = colorizer.network
    if cfg.format == "torchscript" and cfg.precision == "float16":
        network = torchscript_file.Half(network)
    graph = Graph(network, colorizer.objective, colorizer.hints, everything=True)
    known = facts(run.name, size, graph, cfg.precision, dict(cfg.decoding))
    try:
        if cfg.format == "torchscript":
            torchscript_file.write(graph, path, known)
            return torchscript_file.runs(path)
        onnx_file.write(graph, path, known, lab.split(shown)[0])
        return onnx_file.runs(path)
    except (RuntimeError, torch.onnx.OnnxExporterError) as error:
        kind = type(colorizer.network).__name__
        line = str(error).strip().splitlines()[0]
        raise ConfigError([f"format={cfg.format}: {kind} cannot be written so: {line}"]) from error


def pushed(cfg: DictConfig, run: Run, size: int, out: Path) -> str:
    """Send the file, the weights and a card to the hub; gives the address of the commit."""
    with tempfile.TemporaryDirectory() as folder:
        files = {hub.MODEL: Path(folder) / hub.MODEL, f"model{out.suffix}": out}
        if out.suffix != weights.SUFFIX:
            weights.write(alone(run.state), files[hub.MODEL], run.colorizer().hints.silent, size)
        name, _ = hub.repository(cfg.push, "push")
        return hub.push(name, files, card(run, name, list(files), cfg.licence), cfg.private)
