"""Every recipe composes, explains itself, and takes a step."""

import json
import re

import pytest
import torch

from colorization import build
from colorization.compose import composed
from colorization.config import EXPERIMENTS, options
from colorization.data.batch import Batch
from colorization.score import sha256


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


@pytest.mark.parametrize(
    "path", sorted(EXPERIMENTS.glob("*/results.json")), ids=lambda path: path.parent.name
)
def test_recorded_results_are_of_the_recipe_as_it_is(path):
    results = json.loads(path.read_text())
    assert results["recipe_sha256"] == sha256(path.parent / "recipe.yaml"), (
        "run the recipe again, or undo its change"
    )
    assert results["run"]["git"]["commit"] and not results["run"]["git"]["dirty"]


def test_only_a_run_of_the_recipe_is_recorded(trained, command, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.yaml").write_text("seed: 1\n")
    done = command("evaluate", f"run={trained}", "record=mine", cwd=tmp_path)
    assert (
        done.returncode == 1 and "was run by" in done.stderr and not (tmp_path / "mine/results.json").exists()
    )
