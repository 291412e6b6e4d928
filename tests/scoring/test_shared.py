"""An evaluation that several processes share writes what one alone writes."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import skimage.data
from torch import distributed

from colorization.metric.colorfulness import Difference
from colorization.metric.psnr import Pooled, psnr
from colorization.metric.ssim import ssim
from colorization.objective.colours import mean_colour
from colorization.protocol import Protocol
from colorization.score import Scoring
from colorization.scoring.predictions import in_grey
from tests.commands import together

METRICS = {"psnr": psnr, "ssim": ssim, "pooled": Pooled(), "difference": Difference()}


class Photos:
    """Parts of a photo, and a smaller one."""

    names = tuple(f"{i}.png" for i in (3, 1, 4, 0, 2))

    def __getitem__(self, index):
        side = 8 if index == 2 else 24
        return np.ascontiguousarray(
            skimage.data.astronaut()[40 * index : 40 * index + side, 100 : 100 + side]
        )

    def position(self, index):
        return index


def write(folder):
    photos = Photos()
    called = {"data": "photos", "split": "test", "fingerprint": "0", "of": 5}
    training = mean_colour(np.stack([photos[i] for i in (0, 1, 3)]))
    protocol = Protocol(name="v1", metrics=METRICS)
    return Scoring(protocol, photos, in_grey, called, lambda: training, batch_size=2).write(Path(folder))


def share(rank, store, folder):
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=timedelta(seconds=120)
    )
    write(folder)
    distributed.destroy_process_group()


def test_two_processes_write_what_one_does(tmp_path):
    alone = write(tmp_path / "one")
    assert alone["undefined"] == {
        "ssim": "1 of 5 pictures have none (pictures of 8 pixels: its window needs 11)"
    }
    together(share, str(tmp_path / "store"), str(tmp_path / "two"))
    written = {path.relative_to(tmp_path / "one"): path for path in (tmp_path / "one").rglob("*.*")}
    assert len([path for path in written if path.suffix == ".png"]) == 10
    for name, path in written.items():
        assert path.is_dir() or path.read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    assert not list(tmp_path.rglob("*.partial"))
