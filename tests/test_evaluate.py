"""Scores: those of a run, of its saved pictures, of other tools and of a second implementation agree."""

import csv
import json
import re
import shutil
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.evaluate import main
from colorization.evaluation import hints_curve
from colorization.reopen import open_run
from colorization.score import Scoring
from colorization.scoring.predictions import by_run
from colorization.scoring.stability import size_difference


def table(path):
    with path.open(encoding="utf-8") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def summary(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture
def evaluate(monkeypatch, capsys):
    """The command, in this process, without metrics that would download weights."""

    def run(*arguments, cwd, columns="160"):
        monkeypatch.chdir(cwd)
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setattr(sys, "argv", ["evaluate", "metric=[]", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        shown, code = capsys.readouterr(), end.value.code
        said = shown.err + (code if isinstance(code, str) else "")
        return SimpleNamespace(returncode=1 if isinstance(code, str) else code, stdout=shown.out, stderr=said)

    return run


@pytest.fixture(scope="module")
def scored(trained):
    """The evaluation that a finished run comes with."""
    return trained / "evaluation" / "folder_test"


def test_every_number_can_be_had_from_the_saved_pictures(scored):
    rows = table(scored / "pictures.csv")
    files = {row["name"]: row["file"] for row in table(scored / "manifest.csv").values()}
    assert len(rows) == summary(scored)["pictures"] > 3
    for name, row in rows.items():
        predicted, truth = (
            np.asarray(Image.open(scored / kind / files[name])) / 255 for kind in ("predictions", "truth")
        )
        psnr = peak_signal_noise_ratio(truth, predicted, data_range=1)
        assert float(row["psnr"]) == pytest.approx(psnr, abs=1e-3)
        expected = deltaE_ciede2000(rgb2lab(truth), rgb2lab(predicted)).mean()
        assert float(row["ciede2000"]) == pytest.approx(expected, abs=2e-3)


def test_scoring_the_saved_pictures_agrees_to_the_last_digit(scored, evaluate, tmp_path):
    settings = [f"predictions={scored / 'predictions'}", f"reference={scored}", "out=tool"]
    done = evaluate(*settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = tmp_path / "tool" / "evaluation" / "folder_test"
    for file in ("pictures.csv", "baselines/grey.csv", "baselines/round_trip.csv", "manifest.csv"):
        assert (again / file).read_bytes() == (scored / file).read_bytes(), file
    one, two = summary(scored), summary(again)
    assert one["metrics"] == two["metrics"] and one["fingerprint"] == two["fingerprint"]
    assert "mean_ab" in two["absent"] and "mean_ab" in one["baselines"]
    assert two["checkpoint"] is None and len(one["checkpoint"]["sha256"]) == 64


def test_pictures_whose_names_have_no_ending_are_matched(trained, scored, evaluate, tmp_path):
    """As those of data=scenes and Hugging Face."""
    bare = tmp_path / "bare"
    shutil.copytree(scored, bare)
    manifest = (bare / "manifest.csv").read_text(encoding="utf-8")
    (bare / "manifest.csv").write_text(
        re.sub(r"^(\S+?)\.png,", r"\1,", manifest, flags=re.M), encoding="utf-8"
    )
    done = evaluate(f"predictions={bare / 'predictions'}", f"reference={bare}", "out=again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_means_leave_out_grey_pictures(scored):
    rows = [row for row in table(scored / "pictures.csv").values() if row["grey"] == "0"]
    mean = np.mean([float(row["psnr"]) for row in rows])
    assert summary(scored)["metrics"]["psnr"] == pytest.approx(mean, rel=1e-12)


def test_floors_and_ceilings_stand_in_order(scored):
    told = summary(scored)["baselines"]
    psnr = {name: numbers["metrics"]["psnr"] for name, numbers in told.items()}
    assert list(psnr) == ["grey", "mean_ab", "mean_ab_given_L", "half_saturation", "ab_4x4", "ab_16x16",
                          "ab_32x32", "round_trip", "mean_gain"]  # fmt: skip
    assert psnr["grey"] < psnr["half_saturation"] < psnr["round_trip"]
    assert psnr["ab_4x4"] < psnr["ab_16x16"] < psnr["ab_32x32"]
    assert told["grey"]["metrics"]["chroma"] < 0.5
    assert table(scored / "baselines" / "grey.csv").keys() == table(scored / "pictures.csv").keys()


def test_evaluating_again_gives_the_same_table(trained, scored, command):
    before = (scored / "pictures.csv").read_text(encoding="utf-8")
    done = command("evaluate", f"run={trained}", "metric=[]", cwd=trained.parent, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert (scored / "pictures.csv").read_text(encoding="utf-8") == before and "grey (ab = 0)" in done.stdout
    shown = [line for line in done.stdout.splitlines() if "tables and pictures" not in line]
    assert max(map(len, shown)) <= 80 and "truth, 8-bit Lab" in done.stdout


def test_other_pictures_can_be_scored(trained, evaluate, photos, tmp_path):
    """Pictures that were trained on are scored, and told."""
    done = evaluate(f"run={trained}", "data=folder", f"data.root={photos / 'part0'}",
                   "data.image_size=48", f"data.cache_dir={tmp_path}", "out=other", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "are among the training pictures" in done.stderr
    assert summary(tmp_path / "other/evaluation/folder_test")["leaks"]


def test_floors_and_ceilings_need_no_run(evaluate, small, tmp_path):
    done = evaluate(*[s for s in small if s.startswith("data")], "leaks=false", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = summary(tmp_path / "runs/grey/evaluation/folder_test")
    assert told["metrics"] == told["baselines"]["grey"]["metrics"] and told["checkpoint"] is None


def test_every_protocol_is_one_table(scored, evaluate, tmp_path):
    settings = [f"predictions={scored}", f"reference={scored}", "every_protocol=true", "out=."]
    done = evaluate(*settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "evaluation" / "protocols.csv").open(encoding="utf-8") as file:
        rows = {(row["protocol"], row["colouring"]): row for row in csv.DictReader(file)}
    told = summary(scored)
    assert float(rows["v1", "run"]["psnr"]) == told["metrics"]["psnr"]
    assert float(rows["v1", "grey"]["psnr"]) == told["baselines"]["grey"]["metrics"]["psnr"]
    pooled = np.mean([(np.asarray(Image.open(file)) / 255.0 - np.asarray(
        Image.open(scored / "truth" / file.name)) / 255.0) ** 2
        for file in sorted((scored / "predictions").iterdir())])  # fmt: skip
    assert float(rows["pooled", "run"]["psnr"]) == pytest.approx(-10 * np.log10(pooled), abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run=nowhere"], "no run"),
        ([], "run="),
        (["run=pyproject.toml"], "no run"),
        (["run=RUN", "split=all"], "train, val, test"),
        (["run=RUN", "predictions=x"], "both given"),
        (["run=RUN", "hints_curve=true"], "hints=points"),
        (["run=RUN", "points=0"], "hints=points"),
        (["run=RUN", "points=-1"], "points=-1"),
        (["run=RUN", "stability=true", "split=train"], "split=test or split=val"),
        (["run=RUN", "samples=2"], "this objective gives one colouring"),
        (["predictions=RUN"], "reference=DIR"),
        (["predictions=nowhere", "reference=RUN"], "nowhere: no such folder"),
        (["run=RUN", "protocol.cap=99"], "at most 60 dB"),
        (["run=RUN", "protocol=v2"], "choose from"),
    ],
)
def test_mistakes_are_sentences(trained, evaluate, arguments, said, tmp_path):
    arguments = [a.replace("RUN", str(trained)) for a in arguments]
    done = evaluate(*arguments, cwd=tmp_path)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr


def test_a_file_that_is_no_checkpoint_is_named(evaluate, tmp_path):
    (tmp_path / "x.ckpt").write_bytes(b"not a checkpoint")
    done = evaluate("run=x.ckpt", cwd=tmp_path)
    assert (
        done.returncode == 1 and "x.ckpt: not a checkpoint" in done.stderr and "Traceback" not in done.stderr
    )


def network(*overrides):
    return build.colorizer(composed("train", ["model.width=8", "model.depth=1", *overrides])).eval()


def noise(count=3, size=24):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8)


def test_distributions_tell_more_and_samples_are_measured():
    colorizer = network("objective=classification")
    torch.manual_seed(0)
    columns = by_run(colorizer, build.protocol(composed("evaluate")), samples=3)(
        torch.arange(3), noise()
    ).columns
    best = {"psnr_best_of_1", "psnr_best_of_2", "ciede2000_best_of_1", "ciede2000_best_of_2"}
    assert {"bits_per_pixel", "top1", "top5", *best, "diversity", "energy_score"} <= columns.keys()
    assert all(values.shape == (3,) and values.isfinite().all() for values in columns.values())
    assert columns["diversity"].min() > 0 and (columns["psnr_best_of_2"] > columns["psnr_best_of_1"]).all()


class Few:
    """Pictures of noise."""

    names = ("a.png", "b.png", "c.png")

    def __getitem__(self, index):
        return noise()[index].movedim(0, -1).numpy()

    def position(self, index):
        return index


def curve(colorizer, name):
    protocol = build.protocol(composed("evaluate", [f"protocol={name}"]))
    return hints_curve(colorizer, Scoring(protocol, Few(), None, {}, None, batch_size=2))


def test_the_hints_curve_is_of_runs_with_points():
    found = curve(network("hints=points"), "v1")
    assert list(found)[:3] == ["0", "1", "2"] and all(0 < value < 60 for value in found.values())
    with pytest.raises(ConfigError, match="hints=points"):
        curve(network(), "v1")


def test_the_hints_curve_follows_the_protocol():
    """Colours are clipped or kept, 8 bits cut off or rounded, PSNR is of each picture or of all."""
    colorizer = network("hints=points")
    found = [tuple(curve(colorizer, name).values()) for name in ("v1", "pooled", "val5k_256")]
    assert len(set(found)) == 3


def test_few_pictures_are_counted_and_named(trained, evaluate, tmp_path):
    """Those of fewer are among those of more, and the same picture has the same numbers."""
    rows = {}
    for count in (3, 5):
        done = evaluate(f"run={trained}", f"pictures={count}", "out=few", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        folder = tmp_path / f"few/evaluation/folder_test_first{count}"
        told, rows[count] = summary(folder), table(folder / "pictures.csv")
        assert told["pictures"] == len(rows[count]) == count and told["of"] == 16
        assert f"{count} of 16 pictures" in done.stdout
        assert len(table(folder / "baselines/grey.csv")) == len(list((folder / "truth").iterdir())) == count
    whole = summary(trained / "evaluation/folder_test")
    assert rows[3].keys() < rows[5].keys() and told["fingerprint"] != whole["fingerprint"]
    for name, row in rows[3].items():
        assert float(row["psnr"]) == pytest.approx(float(rows[5][name]["psnr"]), abs=1e-3)


def test_stability_is_a_column_and_moves_no_other_number(trained, scored, evaluate, tmp_path):
    """Of the pictures as they are read from their files at 320 pixels, not of those that are packed."""
    done = evaluate(f"run={trained}", "pictures=3", "stability=true", "out=stable", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "stable/evaluation/folder_test_first3"
    rows, told = table(folder / "pictures.csv"), summary(folder)
    values = [float(row["size_difference"]) for row in rows.values() if row["grey"] == "0"]
    assert all(value > 0 for value in values) and "size_difference" in done.stdout
    assert told["metrics"]["size_difference"] == pytest.approx(np.mean(values))
    assert (told["units"]["size_difference"], told["better"]["size_difference"]) == ("dE00", "lower")
    before = table(scored / "pictures.csv")
    for name, row in rows.items():
        assert float(row["psnr"]) == pytest.approx(float(before[name]["psnr"]), abs=1e-3)
    opened = open_run(trained)
    large = replace(build.protocol(composed("evaluate")), size=320)
    pack = opened.data(large).pack("test")
    name = next(iter(rows))
    place = pack.names.index(name)
    picture = torch.from_numpy(pack.pictures[[place]]).movedim(-1, 1)
    found = size_difference(opened.colorizer(), large, torch.tensor([place]), picture)
    assert float(rows[name]["size_difference"]) == pytest.approx(found.item(), abs=1e-3)


@pytest.fixture
def folders(photos, tmp_path):
    """Three originals in sub-folders, and a tool's copies of them."""
    for part, number in (("part0", "000"), ("part1", "001"), ("part0", "002")):
        for kind in ("right", "tool"):
            (tmp_path / kind / part).mkdir(parents=True, exist_ok=True)
            shutil.copy(photos / part / f"{number}.png", tmp_path / kind / part)
    return tmp_path


def evaluated(evaluate, folder, *more):
    settings = ("predictions=tool", "reference=right", "out=out", *more)
    return evaluate(*settings, cwd=folder)


def test_any_tools_pictures_are_matched_by_name(evaluate, folders):
    """Sub-folders, or their names in front, and any extension."""
    picture = Image.open(folders / "tool/part0/000.png")
    picture.save(folders / "tool/part0__000.tif")
    (folders / "tool/part0/000.png").unlink()
    done = evaluated(evaluate, folders)
    assert done.returncode == 0, done.stderr
    rows = table(folders / "out/evaluation/right_all/pictures.csv")
    assert list(rows) == ["part0/000.png", "part0/002.png", "part1/001.png"]
    assert all(float(row["psnr"]) == 60 for row in rows.values())


def test_missing_and_unfitting_pictures_are_named(evaluate, folders):
    (folders / "tool/part0/000.png").unlink()
    done = evaluated(evaluate, folders)
    assert done.returncode == 1 and "no picture for 1 of 3: part0/000.png" in done.stderr
    Image.new("RGB", (8, 9)).save(folders / "tool/part0/000.png")
    done = evaluated(evaluate, folders)
    assert done.returncode == 1 and "part0/000.png has 8 x 9 pixels and should have 90 x 80" in done.stderr
    assert "Traceback" not in done.stderr and not (folders / "out").exists()


def test_a_changed_lightness_is_told(evaluate, folders):
    path = folders / "tool/part1/001.png"
    Image.fromarray((np.asarray(Image.open(path)) * 0.8).astype(np.uint8)).save(path)
    done = evaluated(evaluate, folders)
    assert done.returncode == 1 and "1 of 3 predictions have another lightness" in done.stderr
    done = evaluated(evaluate, folders, "lightness=any")
    assert done.returncode == 0 and "another lightness" in done.stderr, done.stderr
    told = summary(folders / "out/evaluation/right_all")["lightness"]
    assert told["changed"] == 1 and told["picture"] == "part1/001.png" and told["most"] > 5


def test_originals_that_differ_in_their_ending_alone_are_told_apart(evaluate, folders):
    """Where predictions tell them apart, too: otherwise both would be scored against one."""
    for kind in ("right", "tool"):
        shutil.rmtree(folders / kind / "part1")
        (folders / kind / "part0/000.png").rename(folders / kind / "part0/a.png")
        Image.open(folders / kind / "part0/002.png").save(folders / kind / "part0/a.tif")
        (folders / kind / "part0/002.png").unlink()
    done = evaluated(evaluate, folders)
    assert done.returncode == 0, done.stderr
    rows = table(folders / "out/evaluation/right_all/pictures.csv")
    assert list(rows) == ["part0/a.png", "part0/a.tif"]
    assert all(float(row["psnr"]) == 60 for row in rows.values())
    done = evaluate("predictions=out/evaluation/right_all/truth", "reference=right", "out=again", cwd=folders)
    assert done.returncode == 0, done.stderr  # part0__a.png.png and part0__a.tif.png
    (folders / "tool/part0/a.tif").rename(folders / "tool/part0/a_tif.png")
    done = evaluated(evaluate, folders)
    assert done.returncode == 1 and "name their predictions NAME.ENDING.png" in done.stderr


def test_accents_may_be_encoded_in_two_ways(evaluate, folders):
    (folders / "right/part0/000.png").rename(folders / "right/part0/caf\u00e9.png")
    (folders / "tool/part0/000.png").rename(folders / "tool/part0/cafe\u0301.png")
    done = evaluated(evaluate, folders)
    assert done.returncode == 0, done.stderr


def test_a_small_picture_among_larger_ones_takes_no_metric_from_them(evaluate, folders):
    for kind in ("right", "tool"):
        Image.open(folders / kind / "part0/000.png").resize((8, 8)).save(folders / kind / "small.png")
    done = evaluated(evaluate, folders)
    assert done.returncode == 0, done.stderr
    told = summary(folders / "out/evaluation/right_all")
    assert told["metrics"]["ssim"] == 1 and "ssim" not in told["absent"]
    assert told["undefined"]["ssim"].startswith("1 of 4 pictures have none (pictures of 8 pixels")
    rows = table(folders / "out/evaluation/right_all/pictures.csv")
    assert rows["small.png"]["ssim"] == "nan" and rows["small.png"]["psnr"] != "nan"
    assert "1 of 4 pictures have none" in done.stdout
