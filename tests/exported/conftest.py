"""A small network of box's kind, as a checkpoint and as ONNX."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from colorization import build
from colorization.compose import composed
from colorization.exported.job import export
from colorization.module import Colorizer
from colorization.released import save
from colorization.reopen import open_run

BOX = [
    "model=encoder_unet", "model.encoder=test_efficientnet", "model.weights=none", "model.width=8",
    "model.classes=529", "objective=joint", "objective.kernel=3", "hints=points",
]  # fmt: skip
FEW = ("pictures=2", "size=64")


def saved(path: Path, *settings: str) -> Path:
    """A checkpoint of a network with random weights, under which signals neither die nor explode."""
    torch.manual_seed(0)
    cfg = composed("train", [*settings, "data=scenes", "logger=csv"])
    colorizer = Colorizer(*build.parts(cfg))
    if not colorizer.objective.needs.time:
        for module in colorizer.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0  # its statistics become those of one batch
        with torch.no_grad():
            colorizer.train()(100 * torch.rand(4, 1, 64, 64))
    colorizer.eval()
    save(cfg, colorizer, path)
    return path


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("small") / "small.ckpt", *BOX)


@pytest.fixture(scope="session")
def colorizer(small: Path) -> Colorizer:
    return open_run(small).colorizer()


@pytest.fixture(scope="session")
def exports() -> Callable[..., Path]:
    """Export as the command does."""
    return lambda run, out, *settings: export(
        composed("export", [f"run={run}", f"out={out}", *FEW, *settings])
    )


@pytest.fixture(scope="session")
def onnx_file(small: Path, exports: Callable[..., Path]) -> Path:
    pytest.importorskip("onnxruntime")
    return exports(small, small.with_name("small.onnx"))
