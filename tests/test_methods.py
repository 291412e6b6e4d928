"""The table of methods agrees with experiments/; constants are those of the papers, told again here."""

import re
from pathlib import Path

import pytest
import yaml

from colorization import __version__
from colorization.compose import composed
from colorization.config import EXPERIMENTS, options

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
TABLE = TEXT.split("\n## ")[0]
ROWS = [line for line in TABLE.splitlines() if "recipe.yaml" in line]


def recipe_of(row):
    return re.search(r"\.\./experiments/(\w+)/recipe\.yaml", row)[1]


def cites(recipe):
    """Whether what a recipe opens with names a paper by its arXiv number or DOI."""
    return (
        re.search(r"^# .*(arXiv:|10\.\d{4}/)", recipe.read_text(encoding="utf-8"), re.MULTILINE) is not None
    )


def test_every_recipe_that_cites_a_paper_has_a_row_and_every_row_a_recipe():
    named = [recipe_of(row) for row in ROWS]
    assert len(named) == len(set(named)) and set(named) <= set(options("experiment"))
    assert {path.parent.name for path in EXPERIMENTS.glob("*/recipe.yaml") if cites(path)} <= set(named)


@pytest.mark.parametrize("row", ROWS, ids=recipe_of)
def test_a_row_cites_what_its_recipe_follows(row):
    """Its key has a BibTeX entry, whose number or address stands in the recipe or in what it chooses."""
    key, name = re.search(r"\[(\w+)\]\(#how-to-cite\)", row)[1], recipe_of(row)
    entry = re.search(rf"@\w+{{{key},.*?\n}}", TEXT, re.S)[0]
    cited = re.search(r"arXiv:([\d.]+)|doi = {(.+?)}|github.com/([\w/-]+)", entry)
    recipe = (EXPERIMENTS / name / "recipe.yaml").read_text(encoding="utf-8")
    chosen = re.findall(r"override /(model|objective|critic)\S*: (\w+)", recipe)
    files = [ROOT / "colorization" / group / f"{option}.py" for group, option in chosen]
    text = recipe + "".join(file.read_text(encoding="utf-8") for file in files)
    assert next(filter(None, cited.groups())) in text


@pytest.mark.parametrize("row", ROWS, ids=recipe_of)
def test_what_a_row_says_was_measured_is_recorded(row):
    """A dash where nothing is; else numbers that stand in the study's README."""
    measured, folder = row.split("|")[-2].strip(), EXPERIMENTS / recipe_of(row)
    assert (measured == "-") == (not (folder / "results.json").is_file())
    if measured != "-":
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert all(number in text for number in re.findall(r"\d+\.\d+(?= dB)", measured))


def test_the_citation_is_of_this_program():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["license"] == "Apache-2.0" and citation.get("version", __version__) == __version__


# Kang et al. 2022: train_ddcolor.yml of the authors. The losses are divided by the 0.1 of L1.
DDCOLOR = {
    "model.width": 512, "model.queries": 100, "model.layers": 9, "model.dim": 256, "model.heads": 8,
    "model.hidden": 2048, "model.stride": 1, "data.image_size": 256, "data.fit": "stretch",
    "data.batch_size": 4 * 4, "optimizer.lr": 1e-4, "optimizer.weight_decay": 0.01,
    "optimizer.betas": [0.9, 0.99],
    "objective.optimizer.lr": 1e-4, "objective.optimizer.betas": [0.9, 0.99], "objective.game": "vanilla",
    "objective.generator.loss": "l1", "objective.weight": 1 / 0.1, "loss.perceptual.weight": 5 / 0.1,
    "loss.perceptual.encoder": "vgg16_bn", "loss.perceptual.distance": "l1",
    "objective.critic.width": 64, "objective.critic.blocks": 3, "objective.critic.dropout": 0.0,
    "budget.steps": 400_000, "schedule.factor": 0.5,
    "schedule.at": [step / 400_000 for step in (80_000, *range(120_000, 360_001, 40_000))],
}  # fmt: skip

# Iizuka et al. 2016, the paper.
IIZUKA = {
    "model.classes": 205, "model.size": 224, "model.width": 64, "objective.classes": 205,
    "objective.weight": 1 / 300,
    "data.image_size": 224, "data.load_size": 256, "data.batch_size": 128, "budget.steps": 200_000,
    "optimizer._target_": "torch.optim.Adadelta",
}  # fmt: skip

# Larsson et al. 2016: train_vgg16.prototxt and solver_vgg16.prototxt of the authors; fading of the paper.
LARSSON = {
    "model.width": 64, "model.deep": 4096, "model.hidden": 1024, "model.dropout": 0.5, "objective.bins": 32,
    "objective.window": 7, "objective.hue_weight": 5.0, "objective.fading": 0.03,
    "objective.chroma_by": "median",
    "objective.hue_by": "expectation", "data.image_size": 352, "data.batch_size": 8, "optimizer.lr": 1e-3,
    "optimizer.momentum": 0.9, "optimizer.nesterov": False, "optimizer.weight_decay": 5e-4,
    "budget.steps": 2_000_000, "schedule.factor": 0.1, "schedule.at": [0.5, 0.75, 0.875],
}  # fmt: skip

# Kumar et al. 2021: coltran/configs/colorizer.py, what the small recipe keeps of it.
COLTRAN = {
    "objective.heads": 4, "objective.outer": 2, "objective.inner": 2, "objective.parallel": 0.01,
    "callback.ema.decay": 0.999,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "constants"),
    [("ddcolor", DDCOLOR), ("iizuka", IIZUKA), ("larsson", LARSSON), ("coltran_small", COLTRAN)],
)
def test_a_recipe_has_the_constants_of_its_paper(name, constants):
    cfg = composed("train", [f"experiment={name}"])
    for path, value in constants.items():
        node = cfg
        for key in path.split("."):
            node = node[key]
        assert (list(node) if isinstance(value, list) else node) == pytest.approx(value), path
