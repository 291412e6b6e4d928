"""start=RUN: what a network takes from a trained one, and what it cannot."""

import pytest
import torch

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.reopen import open_run
from colorization.start import start
from tests.conftest import Trains

STILL = ("budget.steps=1", "schedule=constant", "optimizer.lr=0", "optimizer.weight_decay=0")


def network(*settings: str) -> torch.nn.Module:
    return build.parts(composed("train", ["data=scenes", "model=unet", "model.width=8", *settings]))[0]


def test_training_begins_with_the_weights_of_the_run(trains: Trains, trained):
    job = trains(*STILL, f"start={trained}", "seed=5", "run.dir=again")
    before, after = open_run(trained).colorizer().network, job.colorizer.network
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        assert torch.equal(old, new.cpu()), name


def test_the_first_channels_of_a_wider_head_and_of_more_inputs_are_the_runs(monkeypatch):
    few, more = network(), network("objective.kernel=3", "hints=points")
    many = network("hints=points")
    for target in (more, many):
        monkeypatch.setattr("colorization.start.open_run", lambda name: Stored(few))
        start(target, "few")
    ours, theirs = more.state_dict(), few.state_dict()
    assert [key for key in ours if ours[key].shape != theirs[key].shape] == ["head.2.weight", "head.2.bias"]
    for key, stored in theirs.items():
        assert torch.equal(ours[key][: len(stored)] if stored.dim() else ours[key], stored), key
    first = next(iter(theirs))
    assert many.state_dict()[first].shape[1] == 4
    assert torch.equal(many.state_dict()[first][:, :1], theirs[first])


def test_another_network_is_refused_before_anything_is_written(trains: Trains, trained, tmp_path):
    with pytest.raises(
        ConfigError, match=r"start=.*: its network is another one: .* x .* for .*config\.yaml"
    ):
        trains(*STILL, f"start={trained}", "model.width=16", "run.dir=other")
    with pytest.raises(ConfigError, match=r"start=.*: its network is another one; it is a UNet"):
        start(build.parts(composed("train", ["data=scenes", "model=cnn"]))[0], str(trained))
    with pytest.raises(ConfigError, match="nowhere"):
        trains(*STILL, "start=nowhere", "run.dir=other")
    assert not (tmp_path / "other").exists()


class Stored:
    """What `start` asks of a run."""

    name, folder = "few", None

    def __init__(self, of: torch.nn.Module):
        self.state = {"state_dict": {f"network.{key}": value for key, value in of.state_dict().items()}}
        self.config = composed("train", ["model=unet"])
