"""The protocol does what docs/protocol.md says, and the document says all of it."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colorization import build
from colorization.color import lab
from colorization.compose import composed
from colorization.config import ConfigError, options
from colorization.metric.base import Absent, Metric, SetMetric
from colorization.protocol import Protocol
from colorization.score import Scoring, batched, file_names
from colorization.scorer import MODEL, mean
from colorization.scoring import manifest
from colorization.scoring.predictions import Coloured

DOC = (Path(__file__).parent.parent.parent / "docs" / "protocol.md").read_text(encoding="utf-8")
SETTINGS = ("size", "fit", "filter", "gamut", "rounding", "grey", "cap", "lightness")


@cache
def protocol(name):
    return build.protocol(composed("evaluate", [f"protocol={name}"]))


def rows_of(heading):
    """The first cells of the table under a heading of the document, and the whole rows."""
    part = DOC.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"
    ]
    return {row[0].strip("`"): row for row in rows[2:]}


@pytest.mark.parametrize("name", options("protocol"))
def test_the_document_states_every_setting_of_every_protocol(name):
    made, v1 = protocol(name), protocol("v1")
    told = [f"{key} {getattr(made, key):g}" if key in ("cap", "lightness") else f"{key} {getattr(made, key)}"
            for key in SETTINGS if getattr(made, key) != getattr(v1, key) or name == "v1"]  # fmt: skip
    told += [
        f"{short} is {metric}" for short, metric in made.reported.items() if v1.reported[short] != metric
    ]
    assert made.name == name
    expected = ", ".join(told).replace("size None", "size of the data")
    assert rows_of("Protocols")[name][1] == expected


def test_the_document_lists_exactly_the_metrics_of_v1():
    made, told = protocol("v1").metrics, rows_of("Metrics")
    assert list(told) == list(made)
    for name, metric in made.items():
        assert told[name][1] == (metric.unit or "-"), name
        assert told[name][2] == {"higher": "↑", "lower": "↓", "none": ""}[metric.better], name


@pytest.mark.parametrize(
    "field", ["fit=round", "rounding=up", "grey=no", "gamut=none", "size=0", "cap=61", "lightness=0"]
)
def test_wrong_settings_are_told(field):
    with pytest.raises(ConfigError, match=field.split("=")[0]):
        build.protocol(composed("evaluate", [f"protocol.{field}"]))


@given(st.integers(0, 2**32 - 1))
def test_rounding_and_gamut_are_as_named(seed):
    generator = torch.Generator().manual_seed(seed)
    L = 100 * torch.rand(1, 1, 4, 4, generator=generator)
    ab = 80 * torch.randn(1, 2, 4, 4, generator=generator)
    exact = lab.merge(L, ab, "clip").double() * 255
    nearest = Protocol(name="a", gamut="clip").rgb(L, ab).double() * 255
    cut = Protocol(name="b", gamut="clip", rounding="truncate").rgb(L, ab).double() * 255
    assert (nearest - exact).abs().max() <= 0.5 + 1e-4
    assert (exact - cut).min() >= -1e-4 and (exact - cut).max() < 1 + 1e-4
    codes = Protocol(name="d", gamut="clip", rounding="truncate_ab").rgb(L, ab)
    whole = lab.merge((L * 2.55).round() / 2.55, (ab.clamp(-128, 127) + 128).floor() - 128, "clip")
    assert torch.equal(codes, lab.quantize(whole))
    kept = lab.split(Protocol(name="c").rgb(L, ab))[0]
    assert (kept - L).abs().max() < 1  # towards grey at constant lightness, then 8 bits


class Whole(SetMetric):
    """How many pictures were taken in."""

    unit, better = "pictures", "none"
    state = ("seen",)

    def __init__(self):
        self.reset()

    def reset(self):
        self.seen = 0

    def update(self, pair):
        self.seen += len(pair.truth)

    def compute(self):
        return float(self.seen)


def absent(pair):
    raise Absent("no weights")


def undefined(pair):
    return torch.full((len(pair.truth),), torch.nan)


def brightest(pair):
    return pair.truth.amax(dim=(1, 2, 3))


def pictures():
    """Two colour pictures and a grey one, 12 x 12; the brightest value of each at its edge alone."""
    rgb = np.random.default_rng(0).integers(0, 200, (3, 12, 12, 3), np.uint8)
    rgb[1] = rgb[1, ..., :1]
    rgb[:, 0, 0] = [[255, 255, 255], [240, 240, 240], [225, 225, 225]]
    return rgb


class Given:
    """Pictures in memory."""

    names = ("z.jpg", "sub/a.jpg", "m.jpg")

    def __init__(self, rgb):
        self.rgb = rgb

    def __getitem__(self, index):
        return self.rgb[index]

    def position(self, index):
        return index


def certain(pair):
    return torch.full((len(pair.truth),), 60.0)


METRICS = {
    "brightest": Metric(brightest),
    "sure": Metric(certain, "dB"),
    "gone": Metric(absent),
    "undefined": Metric(undefined),
    "whole": Whole(),
}


def scored(**settings):
    """The truth scored against itself."""
    chosen = Protocol(name="mine", metrics=METRICS, **settings)
    called = {"data": "given", "split": "test", "fingerprint": "0"}
    truth = Given(pictures())
    scoring = Scoring(chosen, truth, lambda _, truth: Coloured(truth / 255), called, lambda: "unknown")
    scorer = scoring.scorer()
    for _ in scoring.measured(scorer):
        pass
    scores = scorer.result()
    return scoring.rows(scores, MODEL), scoring.summary(scorer, scores)


def test_grey_pictures_are_apart_or_counted():
    _, told = scored()
    assert told["pictures"] == 3 and told["grey_pictures"] == 1
    assert told["metrics"]["brightest"] == pytest.approx(np.mean([255, 225]) / 255, abs=1e-6)
    assert told["set_metrics"] == {"whole": 2.0}
    _, told = scored(grey="counted")
    assert told["metrics"]["brightest"] == pytest.approx(np.mean([255, 240, 225]) / 255, abs=1e-6)
    assert told["set_metrics"] == {"whole": 3.0}


def test_no_picture_counts_with_more_than_the_cap():
    assert scored()[1]["metrics"]["sure"] == 60 and scored(cap=50.0)[1]["metrics"]["sure"] == 50


def test_what_is_absent_has_a_reason_and_no_number():
    rows, told = scored()
    assert told["absent"] == {
        "gone": "no weights", "undefined": "not defined for any of these pictures",
        "mean_ab": "unknown", "mean_ab_given_L": "unknown", "mean_gain": "needs a run",
    }  # fmt: skip
    for part in (told, *told["baselines"].values()):
        assert part["metrics"].keys() == {"brightest", "sure"}
    assert rows[0].keys() == {"name", "grey", "brightest", "sure"}


def test_pictures_come_in_the_order_of_their_files():
    rows, _ = scored()
    assert [row["name"] for row in rows] == ["m.jpg", "sub/a.jpg", "z.jpg"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.randoms())
def test_a_mean_does_not_depend_on_order(values, random):
    shuffled = random.sample(values, len(values))
    assert mean([*values, float("nan")]) == mean(shuffled)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=9), st.integers(1, 4))
def test_batches_hold_pictures_of_one_size(sizes, most):
    given_ = Given([np.full((*size, 3), i, np.uint8) for i, size in enumerate(sizes)])
    batches = list(batched(given_, range(len(sizes)), most))
    assert [i for index, _ in batches for i in index] == list(range(len(sizes)))
    for index, batch in batches:
        assert len(index) == len(batch) <= most and batch[:, 0, 0, 0].tolist() == index


@given(
    st.lists(
        st.text("ab/.", min_size=1, max_size=6).filter(lambda name: not name.startswith("/")), unique=True
    )
)
def test_files_are_told_apart(names):
    names = [f"{name}.{kind}" for name in names for kind in ("jpg", "png")]
    plain = {name.replace("/", "__") for name in names}
    if len(plain) == len(names):  # a/b and a__b are the same file, whatever is done
        assert len(set(file_names(names))) == len(names)
    assert file_names(["sub/x.jpg", "y.png"]) == ["sub__x.png", "y.png"]


def written(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["name", "sha256"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_manifest_selects_and_checks(tmp_path):
    given_ = Given(pictures())
    rows = [{"name": name, "sha256": manifest.pixel_hash(given_[i])} for i, name in enumerate(given_.names)]
    chosen = manifest.selected(given_, written(tmp_path / "two.csv", [rows[2], rows[0]]))
    assert chosen.names == ["m.jpg", "z.jpg"] and (chosen[1] == given_[0]).all()
    assert manifest.selected(given_, None) is given_
    rows[1]["sha256"] = rows[0]["sha256"]
    wrong = written(tmp_path / "wrong.csv", [*rows, {"name": "new.jpg", "sha256": ""}])
    with pytest.raises(ConfigError) as error:
        manifest.selected(given_, wrong)
    assert "1 of 4 pictures are not there: new.jpg" in str(error.value)
    assert "1 of 4 pictures have other pixels: sub/a.jpg" in str(error.value)
    with pytest.raises(ConfigError, match="no such file"):
        manifest.selected(given_, tmp_path / "nowhere.csv")


def test_a_hash_is_of_pixels_and_shape():
    picture = pictures()[0]
    assert manifest.pixel_hash(picture) == manifest.pixel_hash(np.asfortranarray(picture))
    assert manifest.pixel_hash(picture) != manifest.pixel_hash(picture.reshape(6, 24, 3))
    assert manifest.fingerprint(Given(pictures())) != manifest.fingerprint(Given(pictures()[::-1]))
