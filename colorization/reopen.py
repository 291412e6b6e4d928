"""A run that was trained before, opened again from its checkpoint alone."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from colorization import build, trust
from colorization.config import ConfigError
from colorization.data.module import PictureData
from colorization.files import replaced
from colorization.hints.base import Hints
from colorization.model.base import Network
from colorization.module import LAYOUT, Colorizer
from colorization.objective.base import Objective
from colorization.objective.vivid import Vividness
from colorization.protocol import Protocol
from colorization.weights import file as weights
from colorization.weights import hub


@dataclass(frozen=True)
class Run:
    """A finished (or stopped) run.

    Attributes:
        checkpoint: the .ckpt or .safetensors file.
        folder: the run folder it lies in, or the folder of a lone file; of one that comes with the package
            runs/NAME, where what is made with it goes.
        config: the configuration that the checkpoint carries: data, in which text is text.
        state: the checkpoint, as `torch.load(..., weights_only=True)` gives it.
    """

    checkpoint: Path
    folder: Path
    config: DictConfig
    state: dict[str, Any]

    @property
    def name(self) -> str:
        """The folder's name, or the file's for a lone checkpoint."""
        of_folder = self.checkpoint.parent.name == "checkpoints" or self.checkpoint.name == hub.MODEL
        return self.folder.name if of_folder else self.checkpoint.stem

    def colorizer(self, own: bool = False) -> Colorizer:
        """The trained network with its objective and hints, on the CPU, in evaluation mode.

        `own` is for the process that has trained it: what it has built before it may build again.

        Raises:
            ConfigError: they are not trusted (see `trust`), or not those of the weights.
        """
        if not own:
            self._trusted("model", Network)
            self._trusted("objective", Objective)
            self._trusted("hints", Hints)
        network, objective, hints = build.parts(self.config)
        colorizer = Colorizer(network, objective, hints, record=self.state["colorization"])
        try:
            colorizer.load_state_dict(self.state["state_dict"])
        except RuntimeError as error:
            raise ConfigError(
                [f"{self.checkpoint}: not weights of {self.config.model._target_}: {error}"]
            ) from error
        colorizer.on_load_checkpoint(self.state)
        return colorizer.eval()

    def keep(self, vividness: Vividness) -> None:
        """Write what was fitted into the checkpoint, whole or not at all.

        Raises:
            ConfigError: it is a run's small file, which is made anew from the run.
        """
        if self.checkpoint.suffix == weights.SUFFIX:
            remedy = "give keep_vividness=true with the run itself, then colorization.convert run=RUN"
            raise ConfigError([f"{self.checkpoint}: holds a network alone; {remedy}"])
        self.state["colorization"]["vividness"] = vividness._asdict()
        with replaced(self.checkpoint) as partial, partial.open("wb") as file:
            torch.save(self.state, file)

    def data(self, protocol: Protocol | None = None) -> PictureData:
        """The pictures that it was trained on. Raises ConfigError where it does not name trusted ones."""
        if "_target_" not in self.config.data:
            fault = "holds a network alone; give the pictures, too, as in data=folder data.root=PHOTOS"
            raise ConfigError([f"{self.checkpoint}: {fault}"])
        self._trusted("data", PictureData)
        return build.data(self.config, protocol)

    def _trusted(self, name: str, kind: type) -> None:
        trust.check(self.state["colorization"]["config"].get(name), kind, self.checkpoint, name)


def open_run(path: str | Path) -> Run:
    """Open a run folder (its best checkpoint), a lone .ckpt or .safetensors, what comes with the package, or
    hf://OWNER/NAME on the hub.

    Raises:
        ConfigError: when there is no such run, or the file is not a checkpoint of this version.
    """
    on_hub = hub.is_address(str(path))
    checkpoint = hub.fetched(str(path)) if on_hub else find_checkpoint(Path(path).expanduser())
    try:
        state = weights.read(checkpoint) if checkpoint.suffix == weights.SUFFIX else _loaded(checkpoint)
        record = state["colorization"]
        config = OmegaConf.create(literal(record["config"]))
    except Exception as error:  # a damaged file fails in many ways; each means the same to the user
        raise ConfigError(
            [f"{checkpoint}: not a checkpoint of this project; give a run folder or its best.ckpt"]
        ) from error
    if record.get("layout") != LAYOUT:
        commit = (record.get("git") or {}).get("commit")
        remedy = f"open it with that, git checkout {commit}, or train again" if commit else "make it again"
        raise ConfigError([f"{checkpoint}: was written by another version of colorization; {remedy}"])
    folder = checkpoint.parent.parent if checkpoint.parent.name == "checkpoints" else checkpoint.parent
    if checkpoint.parent == weights.FOLDER:
        folder = Path("runs") / checkpoint.stem
    elif on_hub:
        folder = Path("runs") / hub.repository(str(path), "run")[0].rpartition("/")[2]
    return Run(checkpoint, folder, config, state)


def _loaded(checkpoint: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return state


def find_checkpoint(path: Path, names: tuple[str, ...] = ("best", "last")) -> Path:
    """The checkpoint that a run folder, a file or the name of what comes with the package stands for."""
    if path.is_file():
        return path
    if not path.exists() and (box := weights.packaged(str(path))):
        return box
    for name in names:
        if (found := path / "checkpoints" / f"{name}.ckpt").exists():
            return found
    if (found := path / hub.MODEL).exists():
        return found
    known = _by_age()
    hint = f"the newest run here is {known[-1]}" if known else "train one first: make demo"
    raise ConfigError([f"run={path}: no run with a checkpoint there; {hint}"])


def newest_run() -> Path | None:
    """The run in runs/ whose checkpoint is newest, if there is one."""
    known = _by_age()
    return known[-1] if known else None


def _by_age() -> list[Path]:
    """The runs in runs/, the one whose checkpoint is newest last."""
    files = sorted(Path("runs").glob("**/checkpoints/*.ckpt"), key=lambda file: file.stat().st_mtime)
    return [file.parent.parent for file in files]


def literal(node: Any) -> Any:
    """Plain data for OmegaConf, which would take ${...} in a text for an interpolation."""
    if isinstance(node, str):
        return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", node)
    if isinstance(node, dict):
        return {key: literal(value) for key, value in node.items()}
    return [literal(value) for value in node] if isinstance(node, list) else node
