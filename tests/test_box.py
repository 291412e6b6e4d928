"""The network in the box: it is there, it is small, it colours."""

import numpy as np
from PIL import Image

from colorization.reopen import open_run
from colorization.weights import file
from tests.commands import command


def test_where_nothing_was_trained_the_box_colours(tmp_path):
    """The first command of a newcomer, in an empty folder."""
    rng = np.random.default_rng(0)
    grey = Image.fromarray(rng.integers(0, 255, (60, 90), dtype=np.uint8).repeat(4, 0).repeat(4, 1))
    grey.save(tmp_path / "old.png")
    done = command("predict", "old.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "box, the network that comes with colorization" in said and "box.md" in said
    rgb = np.asarray(Image.open(tmp_path / "colorized" / "old.png"))
    assert rgb.shape == (240, 360, 3) and np.ptp(rgb.astype(int), axis=2).max() > 5


def test_every_network_in_the_package_has_a_card_and_is_small():
    found = list(file.FOLDER.glob("*.safetensors"))
    assert file.BOX in {path.stem for path in found}
    for path in found:
        assert path.stat().st_size < 15e6 and path.with_suffix(".md").is_file()
        assert open_run(path.stem).checkpoint == path
