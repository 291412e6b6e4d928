"""Where flows begin: grey, the mean of each lightness, and the colours of a run that stays where it is."""

import shutil

import numpy as np
import pytest
import torch

from colorization import build
from colorization.chance import Chance
from colorization.color import lab
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.module import Colorizer
from colorization.objective.flow import Flow
from colorization.released import save
from colorization.reopen import open_run
from tests.objective.gaussian import Best

SMALL = ["model=unet", "model.width=8", "model.depth=1", "model.norm=group"]


class Pack:
    pictures = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)


def made(path, *overrides, seed=0):
    """A run with random weights, in a checkpoint."""
    torch.manual_seed(seed)
    cfg = composed("train", [*SMALL, *overrides])
    colorizer = Colorizer(*build.parts(cfg)).eval()
    colorizer.objective.prepare(Pack())
    for parameter in colorizer.network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(cfg, colorizer, path)
    return colorizer


def given(count=2, side=16):
    return Given(100 * torch.rand(count, 1, side, side), chance=Chance(torch.arange(count)))


@pytest.fixture
def run(tmp_path):
    return tmp_path / "runs" / "regression"


@pytest.fixture
def regression(run):
    return made(run / "checkpoints" / "best.ckpt", "objective=regression")


def test_grey_is_noise_about_no_colour():
    seen = given()
    noise = seen.numbers("a").normal(2, 16, 16)
    network = Best(None, None)
    torch.testing.assert_close(
        Flow(source="grey", sigma=0.2)._source(network, seen, seen.numbers("a")), 0.2 * noise
    )
    torch.testing.assert_close(
        Flow(source="noise", sigma=0.2)._source(network, seen, seen.numbers("a")), noise
    )


def test_the_mean_is_that_of_each_lightness():
    flow = Flow(source="mean", sigma=1e-6)
    flow.prepare(Pack())
    pictures = torch.from_numpy(Pack.pictures).movedim(-1, 1)
    L, ab = lab.split(pictures[:, :, ::4, ::4])
    level = int(L.round().flatten().mode().values)
    expected = ab.movedim(1, -1)[L[:, 0].round() == level].mean(dim=0)
    begun = flow._source(
        Best(None, None), Given(torch.full((1, 1, 4, 4), float(level))), Chance(torch.arange(1))
    )
    torch.testing.assert_close(begun[0, :, 0, 0] * flow.std, expected, atol=0.05, rtol=0)


def test_a_flow_begins_at_the_accurate_colours_of_a_run(run, regression):
    flow, seen = Flow(source=str(run), sigma=1e-6), given()
    network = Best(None, None)
    begun = flow._source(network, seen, seen.numbers("a"))
    with torch.no_grad():
        expected = regression.objective.predict(regression.network, seen)
    assert expected.std() > 0.1
    torch.testing.assert_close(begun * flow.scale, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("settings", [{"source": "noise"}, {"source": "mean"}])
def test_the_network_sees_the_mean_of_each_lightness_where_it_is_asked_to(settings):
    flow = Flow(condition="mean", **settings)
    assert flow.needs.extra_in == 4 and Flow(**settings).needs.extra_in == 2
    flow.prepare(Pack())
    mean = flow._mean(Best(None, None), given())
    assert mean.shape == (2, 2, 16, 16) and mean.abs().max() > 0
    assert Flow(**settings)._mean(Best(None, None), given()) is None


def test_the_run_is_no_part_of_the_checkpoint_and_is_found_again(run, regression, tmp_path):
    path = tmp_path / "flow.ckpt"
    colorizer = made(path, "objective=flow", f"objective.source={run}", "objective.condition=mean")
    kept = {
        name for name in torch.load(path, weights_only=True)["state_dict"] if name.startswith("objective")
    }
    assert kept == {"objective.std", "objective.begin.digest", "objective.mean.digest"}
    seen = given()
    expected = colorizer.objective.predict(colorizer.network, seen)
    again = open_run(path).colorizer()
    torch.testing.assert_close(again.objective.predict(again.network, seen), expected)
    assert not any(p.requires_grad for p in again.objective.begin.opened().parameters())


def test_another_run_in_its_place_is_refused(run, regression, tmp_path):
    path = tmp_path / "flow.ckpt"
    made(path, "objective=flow", f"objective.source={run}")
    made(run / "checkpoints" / "best.ckpt", "objective=regression", seed=1)
    other = open_run(path).colorizer()
    with pytest.raises(
        ConfigError, match=r"objective\.source=.*regression: its weights are not those that the"
    ):
        other.objective.predict(other.network, given())


def test_a_run_that_was_moved_is_named_again(run, regression, tmp_path):
    path = tmp_path / "flow.ckpt"
    colorizer, seen = made(path, "objective=flow", f"objective.source={run}"), given()
    expected = colorizer.objective.predict(colorizer.network, seen)
    shutil.move(run, tmp_path / "elsewhere")
    again = open_run(path).colorizer()
    with pytest.raises(ConfigError, match=r"no run with a checkpoint there, .* take source=runs/ITS_RUN"):
        again.objective.predict(again.network, seen)
    again.objective.decode(source=str(tmp_path / "elsewhere"))
    torch.testing.assert_close(again.objective.predict(again.network, seen), expected)
    with pytest.raises(ConfigError, match="source=x: this flow begins at no run's colours"):
        Flow().decode(source="x")
