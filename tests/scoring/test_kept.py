"""Floors and ceilings are measured once for the same pictures, protocol and code."""

from dataclasses import replace

import pytest

from colorization import scorer
from colorization.metric.base import Metric
from colorization.metric.ciede2000 import ciede2000
from colorization.metric.psnr import Pooled, psnr
from colorization.metric.ssim import ms_ssim
from colorization.protocol import Protocol
from colorization.score import Scoring
from colorization.scoring import kept
from colorization.scoring.predictions import in_grey
from tests.scoring.test_shared import Photos

METRICS = {"psnr": psnr, "ms_ssim": ms_ssim, "ciede2000": ciede2000, "pooled": Pooled()}
MINE = Scoring(
    Protocol(name="v1", metrics=METRICS),
    Photos(),
    in_grey,
    {"data": "photos", "split": "test", "fingerprint": "0", "of": 5},
    lambda: "not known",
    batch_size=2,
)


@pytest.fixture
def counted(monkeypatch):
    """The colourings that are measured: a batch of each is one."""
    added, add = [], scorer.Tally.add
    monkeypatch.setattr(scorer.Tally, "add", lambda self, *given: (added.append(self), add(self, *given))[1])
    return added


def test_a_second_evaluation_writes_the_same_and_measures_the_model_alone(tmp_path, counted):
    first = replace(MINE, keep=tmp_path / "floors").write(tmp_path / "one")
    whole = len(counted)
    second = replace(MINE, keep=tmp_path / "floors").write(tmp_path / "two")
    assert first == second and len(counted) - whole == whole / (1 + len(first["baselines"]))
    written = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert any(path.parent.name == "baselines" for path in written)
    for path in written:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"called": MINE.called | {"fingerprint": "1"}},
        {"protocol": replace(MINE.protocol, gamut="clip")},
        {"protocol": replace(MINE.protocol, metrics={"psnr": psnr})},
        {"more": {"mine": Metric(lambda pair: psnr(pair) + 1)}},
        {"baselines": ("grey",)},
        "code",
        "damage",
    ],
    ids=["pictures", "gamut", "metrics", "more", "baselines", "code", "damage"],
)
def test_what_numbers_depend_on_is_measured_again(tmp_path, counted, monkeypatch, change):
    MINE_KEPT = replace(MINE, keep=tmp_path)
    MINE_KEPT.scored()
    whole = len(counted)
    if change == "code":
        monkeypatch.setattr(kept, "_code", lambda: "another")
    elif change == "damage":
        (file,) = tmp_path.iterdir()
        file.write_bytes(file.read_bytes()[:100])
    other = replace(MINE_KEPT, **change) if isinstance(change, dict) else MINE_KEPT
    summary = other.scored()
    batches = whole // (1 + len(MINE_KEPT.scored()["baselines"]))
    assert summary["baselines"] == replace(other, keep=None).scored()["baselines"]
    assert len(counted) - whole >= batches * (1 + len(summary["baselines"]))


def test_a_metric_without_a_number_is_not_kept(tmp_path):
    def absent(pair):
        from colorization.metric.base import Absent

        raise Absent("no weights")

    absent.__module__ = "colorization.metric.mine"
    replace(MINE, keep=tmp_path, more={"mine": Metric(absent)}).scored()
    assert not list(tmp_path.iterdir())
