"""Drawn colourings: their numbers, what steps are worth, and how they stand to the truth of scenes."""

import time
from types import MappingProxyType

import numpy as np
import pytest
import torch

from colorization import build
from colorization.color import lab
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.scenes.dataset import Scenes
from colorization.hints.none import Nothing
from colorization.metric.base import Pair
from colorization.metric.psnr import psnr
from colorization.module import Colorizer
from colorization.objective.base import Losses, Needs, Objective
from colorization.objective.regression import Regression
from colorization.protocol import Protocol
from colorization.scoring.known import Known
from colorization.scoring.predictions import Coloured
from colorization.scoring.several import columns, several
from colorization.scoring.steps import by_steps
from tests.objective.fixed import Fixed

PROTOCOL = Protocol(name="v1")


def noise(count=2, size=16):
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8)


def test_the_truth_among_the_samples_is_the_best_of_them_and_covers_itself():
    truth = noise()
    L, ab = lab.split(truth)
    drawn = torch.stack([ab, 0 * ab, ab / 2])
    found = several(drawn, L, truth, PROTOCOL)
    assert set(found) == set(columns(3)) and all(values.shape == (2,) for values in found.values())
    assert "psnr_best_of_5" not in found and {"psnr_best_of_5", "psnr_best_of_10"} <= set(columns(10))
    assert (found["coverage"] == 1).all()
    each = torch.stack([psnr(Pair(PROTOCOL.rgb(L, one), truth / 255)) for one in drawn])
    torch.testing.assert_close(found["psnr_best_of_1"], each.mean(dim=0))
    assert not columns(0)


class Slower(Objective):
    """Comes nearer to the truth with every step, and takes longer."""

    needs = Needs(out=2)
    decoding = MappingProxyType({"steps": "how many"})
    steps = 3

    def loss(self, network, batch, turn="network"):
        return Losses(torch.zeros(()), lambda: batch.ab)

    def predict(self, network, given):
        return self.sample(network, given, 1)[0]

    def sample(self, network, given, n):
        time.sleep(0.02 * self.steps)
        chance = [given.numbers(f"sample {k}").normal(2, *given.L.shape[-2:]) for k in range(n)]
        return 40 / self.steps * torch.stack(chance)


def test_each_number_of_steps_has_its_numbers_and_its_time():
    colorizer = Colorizer(Fixed(torch.zeros(1, 2, 8, 8)), Slower(), Nothing())
    grey = torch.full((3, 3, 8, 8), 120, dtype=torch.uint8)
    curve = by_steps(colorizer, PROTOCOL, 4, [(torch.arange(3), grey)], counts=(1, 2, 8))
    assert list(curve) == [1, 2, 8] and colorizer.objective.steps == 3
    assert curve[1]["energy_score"] > curve[2]["energy_score"] > curve[8]["energy_score"] > 0
    assert curve[1]["diversity"] > curve[8]["diversity"]
    for steps, numbers in curve.items():
        assert 0.02 * steps / 12 <= numbers["seconds"] < 0.02 * steps / 12 + 0.05


def test_steps_are_compared_where_there_are_steps_and_samples():
    plain = Colorizer(Fixed(torch.zeros(1, 2, 8, 8)), Regression(), Nothing())
    with pytest.raises(ConfigError, match="steps_curve=true: Regression takes no steps"):
        by_steps(plain, PROTOCOL, 4, [])
    drawn = Colorizer(Fixed(torch.zeros(1, 2, 8, 8)), Slower(), Nothing())
    with pytest.raises(ConfigError, match="samples=1: steps_curve=true compares distributions"):
        by_steps(drawn, PROTOCOL, 1, [])


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return Scenes(
        image_size=48, pictures=1, val_pictures=1, test_pictures=40, cache_dir=tmp_path_factory.mktemp("c")
    )


def known(scenes, draw):
    """Scenes coloured by a function of their truth, eight times each."""

    def colour(index, truth):
        made = [np.stack([draw(scenes.truth("test", int(i)), k) for i in index]) for k in range(8)]
        drawn = torch.from_numpy(np.stack(made)).movedim(-1, 2)
        return Coloured(drawn[0], drawn=drawn)

    beside, distances = Known(colour, scenes, "test", PROTOCOL), []
    for start in range(0, 40, 20):
        index = torch.arange(start, start + 20)
        pictures = np.stack([scenes.truth("test", int(i)).picture() for i in index])
        truth = torch.from_numpy(pictures).movedim(-1, 1)
        distances.append(beside(index, truth).columns["energy_distance"])
    return beside, torch.cat(distances)


def test_the_truth_itself_is_at_no_distance_has_its_proportions_and_is_calibrated(scenes):
    rng = np.random.default_rng(7)
    beside, distance = known(scenes, lambda truth, k: truth.sample(rng))
    assert distance.mean().abs() < 4 * distance.std() / 40**0.5
    objects = beside.told()["objects"]
    assert {"balloon", "tree"} <= set(objects) and all(of["p"] > 1e-3 for of in objects.values())
    assert sum(objects["balloon"]["share"].values()) == pytest.approx(1)
    assert objects["balloon"]["true"]["red"] == pytest.approx(0.5, abs=0.01)
    forecast, true, count = map(np.array, zip(*beside.calibration(), strict=True))
    assert np.corrcoef(forecast, true)[0, 1] > 0.8 and count.sum() == len(beside.forecasts)


def test_one_colour_for_all_is_far_off_and_overconfident(scenes):
    beside, distance = known(scenes, lambda truth, k: truth.colour([0] * len(truth.objects)))
    assert distance.mean() > 1
    assert beside.objects()["balloon"]["p"] < 1e-3
    assert all(0.1 < true < 0.9 for forecast, true, _ in beside.calibration() if forecast > 0.95)


def test_evaluate_tells_of_scenes_and_steps(scenes, tmp_path):
    from colorization.evaluation import subject
    from colorization.released import save

    pictures = [f"data.{name}=4" for name in ("pictures", "val_pictures", "test_pictures")]
    small = ["data=scenes", "data.image_size=32", "model=unet", "model.width=8", "model.depth=1"]
    small += ["validate.pictures=4"]
    cfg = composed("train", [*small, *pictures, "objective=flow", f"data.cache_dir={tmp_path}"])
    save(cfg, Colorizer(*build.parts(cfg)).eval(), tmp_path / "flow.ckpt")
    asked = [f"run={tmp_path}/flow.ckpt", "samples=2", "steps_curve=true", "leaks=false", f"out={tmp_path}"]
    evaluation = composed("evaluate", asked)
    summary = subject(evaluation, build.protocol(evaluation)).scoring.write(tmp_path)
    assert {"energy_distance", "energy_score", "psnr_best_of_2"} <= summary["metrics"].keys()
    assert list(summary["steps_curve"]) == ["1", "2", "4", "8", "16"] and summary["samples"] == 2
    assert all(of["drawn"] > 0 for of in summary["objects"].values())
    kept = sorted(path.stem for path in tmp_path.glob("evaluation/*/samples/*.png"))
    truths = sorted(path.stem for path in tmp_path.glob("evaluation/*/truth/*.png"))
    assert kept == [f"{name}_{k}" for name in truths for k in (1, 2)]  # for compare's page
