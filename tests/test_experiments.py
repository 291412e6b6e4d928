"""Every recipe composes, explains itself, and takes a step."""

import re

import pytest
import torch

from colorization import build
from colorization.compose import composed
from colorization.config import EXPERIMENTS, options
from colorization.data.batch import Batch
from colorization.study import outdated, read_results


@pytest.mark.parametrize("name", options("experiment"))
def test_a_recipe_opens_with_what_it_asks(name):
    head = [
        line
        for line in (EXPERIMENTS / name / "recipe.yaml").read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    ]
    text = "\n".join(head)
    for word in ("Question", "Command", "Hours", "Expected"):
        assert re.search(rf"# {word}: +\S", text), f"experiments/{name}/recipe.yaml lacks '# {word}:'"


NARROW = {  # for the sake of seconds
    "chromagan": [
        "model.weights=none", "model.width=8",
        "objective.generator.classifier=tf_efficientnet_lite0", "objective.generator.weights=package",
    ],
    "deoldify_artistic": ["model.encoder=resnet10t", "model.factor=0.5", "objective.critic.width=32"],
    "deoldify_stable": ["model.encoder=resnet10t", "model.factor=0.25", "objective.critic.width=32"],
}  # fmt: skip


@pytest.mark.parametrize("name", options("experiment"))
def test_a_recipe_trains_a_step(name):
    config = composed("train", [f"experiment={name}", *NARROW.get(name, [])])
    build.budget(config)
    colorizer = build.colorizer(config)
    generator = torch.Generator().manual_seed(0)
    L = 100 * torch.rand(2, 1, 32, 32, generator=generator)
    batch = Batch(L, 30 * torch.randn(2, 2, 32, 32, generator=generator), torch.arange(2))
    loss = colorizer.objective.loss(colorizer.network, colorizer.seen(batch, epoch=0)).total
    loss.backward()
    assert loss.isfinite()
    optimizer = colorizer.configure_optimizers()[0][0]
    optimizer.step()
    assert all(p.isfinite().all() for p in colorizer.network.parameters())


RECORDED = sorted(path.parent for path in EXPERIMENTS.glob("*/results.json"))


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_recorded_results_are_of_the_recipe_as_it_is(folder):
    assert not outdated(folder), "run the recipe again, or undo its change"


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_recorded_results_say_what_made_them(folder):
    """And can be run again: every recorded run's settings still compose."""
    entries = read_results(folder)["runs"]
    assert entries
    for name, entry in entries.items():
        scores = entry["scores"]
        assert entry["evaluated"]["commit"] and scores["fingerprint"] and scores["protocol"], name
        assert all(low <= scores["metrics"][m] <= high for m, (low, high) in scores["intervals"].items()), (
            name
        )
        if entry["run"]:
            assert entry["run"]["git"]["commit"] and not entry["run"]["git"]["dirty"], name
            assert composed("train", entry["run"]["overrides"]).seed == entry["run"]["seed"], name


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_the_readme_of_a_study_has_its_numbers(folder):
    """What compare wrote is of the scores that are recorded now."""
    results = read_results(folder)
    if "comparison" in results:
        text = (folder / "README.md").read_text(encoding="utf-8")
        for name, entry in results["runs"].items():
            assert f"| {name} | {entry['scores']['metrics']['psnr']:.3f} ±" in text, name


def test_only_a_run_of_the_recipe_is_recorded(trained, command, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.yaml").write_text("seed: 1\n", encoding="utf-8")
    done = command("evaluate", f"run={trained}", "metric=[]", "record=mine", cwd=tmp_path)
    assert (
        done.returncode == 1
        and "was trained by" in done.stderr
        and not (tmp_path / "mine/results.json").exists()
    )
