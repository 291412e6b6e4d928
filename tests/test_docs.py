"""Every command that a document shows is one that the program takes."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
import torch
import yaml

from colorization import build
from colorization.compose import composed, trials
from colorization.config import ConfigError
from colorization.data.batch import Batch, Given

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted((ROOT / "colorization").glob("*.py"))
RECIPES = sorted((ROOT / "experiments").glob("*/recipe.yaml"))


def commands() -> list[tuple[str, str]]:
    found = []
    for path in [*DOCUMENTS, *MODULES, *RECIPES]:
        for line in path.read_text().splitlines():
            for match in re.finditer(
                r"python -m colorization\.([a-z]+)((?: +[^\s`\"'{}]+=?[^\s`\"'{}]*)*)", line
            ):
                words = re.split(r" {2,}|#", match.group(2).strip())[0]
                found.append((match.group(1), words))
    return sorted(set(found))


@pytest.mark.parametrize(("name", "arguments"), commands())
def test_a_shown_command_is_understood(name, arguments):
    settings = [word for word in shlex.split(arguments) if "=" in word]
    resumed = any(word.startswith("resume=") for word in settings)
    if name == "train" and not resumed:
        trials(settings)
    else:
        composed(name, [] if resumed else settings)


def test_the_shown_model_is_one(tmp_path, monkeypatch):
    """What CONTRIBUTING.md shows is typed into a file, and learns."""
    code, config = re.findall(r"```(?:python|yaml)\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)[
        :2
    ]
    (tmp_path / "shown.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    cfg = composed("train", ["model=cnn"])
    cfg.model = yaml.safe_load(config.replace("colorization.model.mine", "shown"))
    colorizer = build.colorizer(cfg)
    L, ab = torch.rand(2, 1, 33, 20) * 100, torch.zeros(2, 2, 33, 20)
    colorizer.objective.loss(colorizer.network, Batch(L, ab, torch.arange(2))).total.backward()
    assert colorizer.objective.predict(colorizer.network, Given(L)).shape == ab.shape
    (tmp_path / "shown.py").write_text(code.replace("Mine(Network)", "Mine(nn.Module)"))
    monkeypatch.delitem(sys.modules, "shown")
    with pytest.raises(ConfigError, match=r"should be a colorization\.model\.base\.Network"):
        build.colorizer(cfg)


def test_links_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def rows() -> list[tuple[str, list[str]]]:
    """The README's rows that name a recorded study: (its folder, cells)."""
    lines = (ROOT / "README.md").read_text().splitlines()
    found = [(re.match(r"\| \[\w+\]\(experiments/(\w+)\)", line), line) for line in lines]
    return [(match[1], [cell.strip() for cell in line.split("|")[1:-1]]) for match, line in found if match]


@pytest.mark.parametrize(("study", "cells"), rows())
def test_the_readme_shows_what_is_recorded(study, cells):
    """PSNR, CIEDE2000 and colorfulness, to the last digit shown."""
    entries = json.loads((ROOT / "experiments" / study / "results.json").read_text())["runs"]
    (scores,) = [entry["scores"] for name, entry in entries.items() if f"[{name}]" in cells[0]]
    for cell, metric in zip(cells[-3:], ("psnr", "ciede2000", "colorfulness"), strict=True):
        mean, _, half = cell.partition(" ± ")
        low, high = scores["intervals"][metric]
        assert f"{scores['metrics'][metric]:.3f}" == mean, metric
        assert not half or f"{(high - low) / 2:.3f}" == half, metric


def test_make_lists_its_targets():
    text = (ROOT / "Makefile").read_text()
    for target in ("setup", "demo", "test", "check", "bench", "docs"):
        assert re.search(rf"^{target}:.*## ", text, re.MULTILINE), target
