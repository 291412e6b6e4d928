"""A researcher's own package with its own folder of YAML, written somewhere else than this project."""

from pathlib import Path

NETWORK = '''
from torch import nn
from colorization.model.base import Network
from colorization.model.units import Units

class Tiny(Network):
    """One convolution."""
    def __init__(self, in_channels: int, out_channels: int, width: int = 8):
        super().__init__()
        if width < 1:
            raise ValueError(f"width={width}: choose 1 or more")
        self.units = Units()
        self.layers = nn.Sequential(nn.Conv2d(in_channels, width, 3, padding=1), nn.ReLU(),
                                    nn.Conv2d(width, out_channels, 1))
    def forward(self, x):
        return self.layers(x)
'''
OBJECTIVE = '''
from colorization.objective.regression import Regression

class Vivid(Regression):
    """Regression whose colours may be amplified when a picture is coloured."""
    decoding = {"gain": "factor of the chroma, 1: none"}
    def __init__(self, gain: float = 1.0):
        super().__init__()
        self.gain = gain
    def predict(self, network, given):
        return self.gain * super().predict(network, given)
'''
DATA = '''
from dataclasses import dataclass
from colorization.data.scenes.dataset import Scenes

@dataclass(kw_only=True, eq=False)
class Few(Scenes):
    """Scenes, and few of them."""
    pictures: int = 16
    val_pictures: int = 4
    test_pictures: int = 4
'''
CONF = {
    "model/tiny.yaml": "_target_: mylab.network.Tiny\nwidth: 8\n",
    "objective/vivid.yaml": "_target_: mylab.objective.Vivid\ngain: 1.0\n",
    "data/few.yaml": "_target_: mylab.data.Few\nimage_size: 32\nload_size: null\nsubset: null\n"
    "batch_size: 8\nflip: true\ncache_dir: ~/.cache/colorization\nseed: ${seed}\n",
    "experiment/first.yaml": "# @package _global_\ndefaults:\n  - override /model: tiny\n"
    "  - override /objective: vivid\n  - override /data: few\n  - override /logger: [csv]\n  - _self_\n"
    "model: {width: 16}\nbudget: {epochs: null, steps: 2}\n",
}


def write(place: Path) -> tuple[Path, Path]:
    """Write package and YAML below a folder: (entry of PYTHONPATH, entry of COLORIZATION_CONF)."""
    code = {"__init__": "", "network": NETWORK, "objective": OBJECTIVE, "data": DATA}
    for name, text in code.items():
        path = place / "code" / "mylab" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, text in CONF.items():
        path = place / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return place / "code", place / "conf"
