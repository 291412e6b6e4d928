"""Each protocol gives the numbers of its paper's own code, on pictures of awkward sizes."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.color import lab2rgb

from colorization.config import options
from tests.scoring.papers import FACTORS, ct2, decibel, ours, theirs

SIZES = [(500, 375), (333, 500), (217, 332)]

# Of the means over the pictures, with the truth as it is stored.
WITHIN = {"psnr": 0.005, "ssim": 1e-4, "ciede2000": 1e-3, "colorfulness": 0.02}


def made(width, height, chroma):
    """Blots of soft colours, and fine texture."""
    random = np.random.default_rng(width * height)
    lightness = gaussian_filter(random.normal(size=(height, width)), 12)
    lightness = 55 + 20 * lightness / lightness.std() + random.normal(0, 3, (height, width))
    ab = gaussian_filter(random.normal(size=(height, width, 2)), (20, 20, 0))
    colours = np.concatenate([lightness[..., None].clip(15, 95), chroma * ab / ab.std()], axis=-1)
    return np.rint(255 * lab2rgb(colours).clip(0, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two with colour, and one that is nearly grey."""
    folder = tmp_path_factory.mktemp("made")
    for i, (size, chroma) in enumerate(zip(SIZES, (12, 10, 0.3), strict=True)):
        Image.fromarray(made(*size, chroma)).save(folder / f"{i}.png")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("name", options("protocol"))
def test_numbers_are_those_of_the_papers_code(name, pictures):
    for factor in FACTORS:
        right = theirs(name, pictures, factor, stored=True)
        for key, value in ours(name, pictures, factor, right).items():
            assert value == pytest.approx(right[key], abs=WITHIN[key]), (factor, key)


@pytest.mark.parametrize(
    ("name", "most"), [("ctest10k_256", 0.15), ("chromagan_224", 0.1), ("ddcolor_256", 0.02)]
)
def test_a_truth_that_is_converted_too_moves_little(name, most, pictures):
    """docs/protocol.md says how much, on photos; here where there is colour."""
    for factor in FACTORS:
        right = theirs(name, pictures[:2], factor)["psnr"]
        assert 0 < abs(ours(name, pictures[:2], factor, ["psnr"])["psnr"] - right) < most, factor


def test_the_files_that_ct2_writes_are_scored(pictures, command, tmp_path):
    """JPEG of quality 75, whose lightness is 1 unit off."""
    for folder in ("theirs", "right"):
        (tmp_path / folder).mkdir()
    expected = []
    for path in pictures[:2]:
        shutil.copy(path, tmp_path / "right")
        predicted, truth = ct2(path, 0.5)
        saved = tmp_path / "theirs" / f"{path.stem}.JPEG"
        Image.fromarray(predicted).save(saved, "jpeg", quality=75)
        expected.append(decibel(np.asarray(Image.open(saved)), truth))
    settings = ("predictions=theirs", "reference=right", "protocol=val5k_256", "metric=[]", "out=out")
    done = command("evaluate", *settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out/evaluation/right_all_val5k_256"
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["metrics"]["psnr"] == pytest.approx(np.mean(expected), abs=1e-4)
    assert "lightness" not in summary
