"""A studio whose network is small and follows points by kriging."""

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from colorization import build
from colorization.compose import composed
from colorization.desk.sitting import Studio
from colorization.module import Colorizer
from colorization.objective.vivid import Vividness
from colorization.painter import Painter

JOINT = ("model=unet", "model.width=8", "objective=joint", "hints=points")


def studio_of(*settings: str, samples: int = 2) -> Studio:
    torch.manual_seed(0)
    colorizer = Colorizer(*build.parts(composed("train", ["data=scenes", *settings]))).eval()
    return Studio("small", Painter(colorizer, 32), samples)


@pytest.fixture
def studio() -> Studio:
    made = studio_of(*JOINT, "objective.kernel=4")
    made.painter.colorizer.objective.vividness = Vividness(1.5, 1.3)
    return made


@pytest.fixture
def photo(tmp_path):
    """A grey photo of 16 bits, which says who took it."""
    grey = np.asarray(Image.fromarray(skimage.data.coffee()).convert("L").resize((90, 60)))
    exif = Image.Exif()
    exif[0x013B] = "A. Person"
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "café.png", exif=exif, dpi=(300, 300))
    return tmp_path / "café.png"
