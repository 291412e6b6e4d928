"""Scores: those of a run, of its saved pictures, and of a second implementation agree."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio


def table(path):
    with path.open() as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_scoring_the_saved_pictures_gives_the_same_numbers(trained):
    folder = trained / "evaluation" / "folder_test"
    scored = table(folder / "pictures.csv")
    assert len(scored) == json.loads((folder / "summary.json").read_text())["pictures"] > 3
    for name, row in scored.items():
        file = name.replace("/", "__").rsplit(".", 1)[0] + ".png"
        predicted, truth = (
            np.asarray(Image.open(folder / kind / file)) / 255 for kind in ("predictions", "truth")
        )
        assert float(row["psnr"]) == pytest.approx(
            peak_signal_noise_ratio(truth, predicted, data_range=1), abs=1e-3
        )
        expected = deltaE_ciede2000(rgb2lab(truth), rgb2lab(predicted)).mean()
        assert float(row["ciede2000"]) == pytest.approx(expected, abs=2e-3)


def test_means_leave_out_grey_pictures(trained):
    folder = trained / "evaluation" / "folder_test"
    rows = [row for row in table(folder / "pictures.csv").values() if row["grey"] == "0"]
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["metrics"]["psnr"] == pytest.approx(np.mean([float(row["psnr"]) for row in rows]))
    floor = table(folder / "grey.csv")
    assert max(float(row["chroma"]) for row in floor.values()) < 0.5


def test_evaluating_again_gives_the_same_table(trained, command):
    file = trained / "evaluation" / "folder_test" / "pictures.csv"
    before = file.read_text()
    done = command("evaluate", f"run={trained}", cwd=trained.parent)
    assert done.returncode == 0, done.stderr
    assert file.read_text() == before and "grey (ab = 0)" in done.stdout


def test_other_pictures_can_be_scored(trained, command, photos, tmp_path):
    done = command("evaluate", f"run={trained}", "data=folder", f"data.root={photos / 'part0'}",
                   "data.image_size=48", f"data.cache_dir={tmp_path}", cwd=trained.parent)  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run=nowhere"], "no run"),
        ([], "run"),
        (["run=pyproject.toml"], "no run"),
        (["run=RUN", "split=all"], "train, val, test"),
    ],
)
def test_mistakes_are_sentences(trained, command, arguments, said, tmp_path):
    arguments = [a.replace("RUN", str(trained)) for a in arguments]
    done = command("evaluate", *arguments, cwd=tmp_path)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr


def test_a_file_that_is_no_checkpoint_is_named(command, tmp_path):
    (tmp_path / "x.ckpt").write_bytes(b"not a checkpoint")
    done = command("evaluate", "run=x.ckpt", cwd=tmp_path)
    assert (
        done.returncode == 1 and "x.ckpt: not a checkpoint" in done.stderr and "Traceback" not in done.stderr
    )
