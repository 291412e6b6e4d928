"""Every recipe composes, explains itself, and takes a step."""

import re
from pathlib import Path

import pytest
import torch

from colorization import build
from colorization.compose import composed
from colorization.config import EXPERIMENTS, options
from colorization.data.batch import Batch


@pytest.mark.parametrize("name", options("experiment"))
def test_a_recipe_opens_with_what_it_asks(name):
    head = [
        line for line in (EXPERIMENTS / name / "recipe.yaml").read_text().splitlines() if line.startswith("#")
    ]
    text = "\n".join(head)
    for word in ("Question", "Command", "Hours", "Expected"):
        assert re.search(rf"# {word}: +\S", text), f"experiments/{name}/recipe.yaml lacks '# {word}:'"


@pytest.mark.parametrize("name", options("experiment"))
def test_a_recipe_trains_a_step(name):
    config = composed("train", [f"experiment={name}"])
    build.budget(config)
    colorizer = build.colorizer(config)
    generator = torch.Generator().manual_seed(0)
    L = 100 * torch.rand(2, 1, 32, 32, generator=generator)
    batch = Batch(L, 30 * torch.randn(2, 2, 32, 32, generator=generator), torch.arange(2))
    loss = colorizer.objective.loss(colorizer.network, colorizer.hinted(batch, train=True))["loss"]
    loss.backward()
    assert loss.isfinite()
    optimizer = colorizer.configure_optimizers()["optimizer"]
    optimizer.step()
    assert all(p.isfinite().all() for p in colorizer.network.parameters())


def test_recorded_results_name_their_recipe():
    for results in EXPERIMENTS.glob("*/results.json"):
        assert (Path(results).parent / "recipe.yaml").exists(), results
