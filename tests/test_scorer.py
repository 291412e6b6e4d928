"""The one scorer: in any order and on any number of processes it comes to the same numbers."""

import math
from datetime import timedelta

import numpy as np
import pytest
import skimage.data
import torch
from torch import distributed

from colorization.color import lab
from colorization.config import ConfigError
from colorization.metric.base import Absent, Metric, SetMetric
from colorization.metric.colorfulness import Difference
from colorization.metric.psnr import Pooled, psnr
from colorization.metric.ssim import ssim
from colorization.protocol import Protocol
from colorization.scorer import Scorer
from tests.commands import together

MINE = Protocol(name="mine")
METRICS = {"psnr": psnr, "ssim": ssim, "pooled": Pooled(), "difference": Difference()}


def photos(count=6, size=24):
    """Parts of a photo, (count, 3, size, size) uint8; the third one without colour."""
    whole = skimage.data.astronaut()
    parts = np.stack([whole[20 * i : 20 * i + size, 100 : 100 + size] for i in range(count)])
    parts[2] = parts[2].mean(axis=-1, keepdims=True)
    return torch.from_numpy(parts).movedim(-1, 1)


def faded(truth):
    """Half the colour, (B, 2, H, W)."""
    return lab.split(truth)[1] / 2


def fed(scorer, *batches):
    truth = photos()
    for index in batches:
        scorer.add(index, truth[list(index)], faded(truth[list(index)]))
    return scorer.result()


def test_a_colouring_is_measured_alike_in_any_batches():
    one, other = fed(Scorer(MINE, METRICS), range(6)), fed(Scorer(MINE, METRICS), (5, 0, 3), (2, 1), (4,))
    assert one.model.rows == other.model.rows and one.model.means == other.model.means
    assert [row["index"] for row in one.model.rows] == list(range(6))
    assert [row["grey"] for row in one.model.rows] == [0, 0, 1, 0, 0, 0]
    assert one.model.sets == pytest.approx(other.model.sets, rel=1e-9)
    assert one.model.means["psnr"] == pytest.approx(
        np.mean([row["psnr"] for row in one.model.rows if not row["grey"]]), abs=1e-9
    )


def test_colours_are_taken_as_ab_or_as_pictures():
    truth = photos()
    scorers = [Scorer(MINE, METRICS) for _ in range(2)]
    pair = scorers[0].add(range(6), truth, faded(truth))
    scorers[1].add(range(6), truth, pair.predicted)
    assert scorers[0].result().model == scorers[1].result().model
    assert torch.equal(pair.truth, truth / 255)
    assert torch.equal(pair.truth_lab, lab.rgb_to_lab(truth))


def test_a_protocol_rounds_caps_and_counts():
    truth = photos()
    scorer = Scorer(Protocol(name="x", grey="counted", cap=30.0, rounding="truncate"), METRICS)
    pair = scorer.add(range(6), truth, faded(truth))
    exact = lab.merge(*(pair.truth_lab[:, :1], faded(truth))) * 255
    assert torch.equal(pair.predicted * 255, exact.floor().clamp(0, 255).div(255) * 255)
    rows = scorer.result().model.rows
    assert max(row["psnr"] for row in rows) == 30
    assert scorer.result().model.means["psnr"] == pytest.approx(np.mean([r["psnr"] for r in rows]), abs=1e-9)


def test_pictures_of_grey_alone_all_count():
    scorer, truth = Scorer(MINE, METRICS), photos()[2:3]
    scorer.add([2], truth, faded(truth))
    assert scorer.result().model.means["psnr"] > 40


def test_a_picture_too_small_for_a_metric_is_left_out_of_that_mean_alone():
    scorer, truth = Scorer(MINE, METRICS), photos()
    scorer.add([0, 1], truth[:2], faded(truth[:2]))
    scorer.add([3], truth[3:4, :, :8, :8], faded(truth[3:4, :, :8, :8]))
    scores = scorer.result()
    assert scores.absent == {}
    assert scores.undefined == {
        "ssim": "1 of 3 pictures have none (pictures of 8 pixels: its window needs 11)"
    }
    assert math.isnan(scores.model.rows[2]["ssim"]) and not math.isnan(scores.model.rows[2]["psnr"])
    assert scores.model.means["ssim"] == pytest.approx(
        np.mean([row["ssim"] for row in scores.model.rows[:2]]), abs=1e-9
    )


def test_a_metric_that_all_pictures_are_too_small_for_is_absent():
    scorer, truth = Scorer(MINE, METRICS), photos()[:, :, :8, :8]
    scorer.add(range(6), truth, faded(truth))
    scores = scorer.result()
    assert scores.absent == {"ssim": "pictures of 8 pixels: its window needs 11"}
    assert scores.undefined == {} and "ssim" not in scores.model.means and "ssim" not in scores.model.rows[0]
    assert Scorer(MINE, METRICS).gaps(8) == scores.absent and Scorer(MINE, METRICS).gaps(16) == {}


def test_where_a_prediction_is_not_finite_no_mean_is():
    """Not even over the others: a network that fails now and then is not as good as when it does not."""
    scorer, truth = Scorer(MINE, METRICS), photos()
    ab = faded(truth)
    ab[4, 0, 3, 3] = math.inf
    scorer.add(range(6), truth, ab)
    scores = scorer.result()
    assert scores.broken == 1 and scores.absent == {}
    assert all(map(math.isnan, [*scores.model.means.values(), *scores.model.sets.values()]))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda pair: pair.truth.mean(), r"gives shape \(\)"),
        (lambda pair: pair.truth.mean(dim=(2, 3)), r"gives shape \(2, 3\)"),
        (lambda pair: 1.0, "gives float"),
    ],
)
def test_a_metric_that_gives_no_number_per_picture_is_told(function, said):
    with pytest.raises(ConfigError, match=said):
        Scorer(MINE, {"mine": Metric(function)}).gaps(16)


def test_columns_and_baselines_stand_beside_the_model():
    truth = photos()
    scorer = Scorer(
        Protocol(name="x", metrics={"psnr": psnr}), METRICS,
        columns={"bits": Metric(lambda pair: None, "bits", "lower")},
        baselines={"grey": lambda L, ab: (L, 0 * ab), "truth": lambda L, ab: (L, ab)},
    )  # fmt: skip
    scorer.add(range(6), truth, faded(truth), {"bits": torch.arange(6.0)})
    scores = scorer.result()
    assert list(scores.colourings) == ["model", "grey", "truth"]
    assert scores.model.means["bits"] == pytest.approx((0 + 1 + 3 + 4 + 5) / 5)
    assert scores.colourings["grey"].means.keys() == {"psnr", "ssim"}
    assert scores.colourings["truth"].means == {"psnr": pytest.approx(60, abs=12)}
    assert scores.colourings["grey"].means["psnr"] < scores.model.means["psnr"]
    assert scorer.described("bits") == ("bits", "lower") and scorer.described("psnr") == ("dB", "higher")


class Missing(SetMetric):
    """A metric whose weights only the first process has."""

    state = ("seen",)

    def __init__(self):
        self.reset()

    def reset(self):
        self.seen = 0

    def update(self, pair):
        unless_first()
        self.seen += len(pair.truth)

    def compute(self):
        return float(self.seen)


def unless_first():
    if distributed.is_initialized() and distributed.get_rank():
        raise Absent("the download failed")


def missing(pair):
    unless_first()
    return psnr(pair)


SHARED = METRICS | {"missing": Metric(missing), "missing_set": Missing()}


def share(rank, store, found):
    """What a process of two makes of its share of the pictures."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=timedelta(seconds=60)
    )
    scores = fed(
        Scorer(MINE, SHARED, baselines={"grey": lambda L, ab: (L, 0 * ab)}), *[(0, 1, 2), (3, 4, 5)][rank::2]
    )
    torch.save(
        (scores.colourings["model"]._asdict(), scores.colourings["grey"]._asdict(), scores.absent),
        f"{found}{rank}",
    )
    distributed.destroy_process_group()


def test_two_processes_come_to_the_numbers_of_one(tmp_path):
    """A metric that one of them lacks is absent for both: none waits for the other."""
    together(share, str(tmp_path / "store"), str(tmp_path / "found"))
    one, other = (torch.load(f"{tmp_path}/found{rank}", weights_only=False) for rank in (0, 1))
    assert one == other
    model, grey, absent = one
    assert absent == {"missing": "the download failed", "missing_set": "the download failed"}
    alone = fed(Scorer(MINE, METRICS, baselines={"grey": lambda L, ab: (L, 0 * ab)}), (0, 1, 2), (3, 4, 5))
    assert model["rows"] == alone.model.rows and model["means"] == alone.model.means
    assert model["sets"] == pytest.approx(alone.model.sets, rel=1e-12)
    assert grey["means"] == alone.colourings["grey"].means
