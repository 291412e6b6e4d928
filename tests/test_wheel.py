"""The wheel, built and used somewhere else: every command runs, every configuration is inside."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from colorization.config import groups, options

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder into which the wheel is unpacked, which is what installing a pure wheel does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(installed / "site"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=installed, env=environment, capture_output=True, text=True, check=False
    )


def test_configurations_and_experiments_are_inside(installed):
    inside = {
        str(p.relative_to(installed / "site" / "colorization")) for p in (installed / "site").rglob("*.yaml")
    }
    for folder in ("conf", "experiments"):
        expected = {str(p.relative_to(ROOT)) for p in (ROOT / folder).rglob("*.yaml")}
        assert expected and expected <= inside


def test_every_command_runs_from_the_wheel(installed):
    for name in ("train", "evaluate", "predict", "prepare", "compare", "export"):
        done = run(installed, "-m", f"colorization.{name}", "--help")
        assert done.returncode == 0 and "Settings" in done.stdout, done.stderr


def test_configurations_compose_from_the_wheel(installed):
    code = (
        "import colorization.config as c, colorization.compose as k;"
        "assert 'site' in str(c.CONF), c.CONF;"
        "print(k.composed('train', ['experiment=demo']).model._target_);"
        "print({g: c.options(g) for g in c.groups('train')})"
    )
    done = run(installed, "-c", code)
    assert done.returncode == 0, done.stderr
    target, named = done.stdout.strip().splitlines()
    assert target == "colorization.model.unet.UNet"
    assert named == str({group: options(group) for group in groups("train")})


def test_the_wheel_colours_a_photo(installed):
    """Nothing was trained and nothing is downloaded: the network in the box does it."""
    Image.linear_gradient("L").save(installed / "grey.png")
    done = run(installed, "-m", "colorization.predict", "grey.png")
    assert done.returncode == 0, done.stderr
    assert Image.open(installed / "colorized" / "grey.png").mode == "RGB"
