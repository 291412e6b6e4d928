"""Every command that a document shows is one that the program takes."""

import json
import re
import shlex
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image

from colorization import build
from colorization.compose import composed
from colorization.data.batch import Given
from colorization.trials.question import question

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE = ["settings.md"]  # by docs/site.py
MODULES = sorted((ROOT / "colorization").glob("*.py"))
RECIPES = sorted((ROOT / "experiments").glob("*/recipe.yaml"))


def commands() -> list[tuple[str, str]]:
    found = []
    for path in [*DOCUMENTS, *MODULES, *RECIPES]:
        for line in path.read_text(encoding="utf-8").splitlines():
            for match in re.finditer(
                r"python -m colorization\.([a-z]+)((?: +(?:'[^'`]*'|[^\s`\"'{}]+))*)", line
            ):
                words = re.split(r" {2,}|#", match.group(2).strip())[0]
                found.append((match.group(1), words))
    return sorted(set(found))


@pytest.mark.parametrize(("name", "arguments"), commands())
def test_a_shown_command_is_understood(name, arguments):
    settings = [word for word in shlex.split(arguments) if "=" in word]
    resumed = any(word.startswith("resume=") for word in settings)
    if name == "train" and not resumed:
        assert question(settings).examples
    else:
        composed(name, [] if resumed else settings)


def type_in(place: Path) -> dict[str, str]:
    """CONTRIBUTING.md's examples as files of a package "shown" and a folder of YAML; their names by kind."""
    names = {}
    for section in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        blocks = re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.S)
        if blocks:
            code, config = blocks
            kind, name = re.search(r"colorization/(\w+)/(\w+)\.py", section).groups()
            names[kind] = name
            for file, text in ((f"shown/{kind}.py", code), (f"conf/{kind}/{name}.yaml", config)):
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                text = text.replace(f"colorization.{kind}.{name}", f"shown.{kind}")
                (place / file).write_text(text, encoding="utf-8")
    return names


def test_what_contributing_shows_is_typed_in_and_trains(tmp_path, monkeypatch, cache):
    assert type_in(tmp_path) == {
        "model": "mine", "objective": "mine", "loss": "mine", "hints": "mine", "metric": "exact",
        "data": "mine",
    }  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COLORIZATION_CONF", str(tmp_path / "conf"))
    for split, label in product(("train", "val", "test"), ("cats", "dogs")):
        folder = tmp_path / "pictures" / split / label
        folder.mkdir(parents=True)
        for i in range(4):
            noise = np.random.default_rng(i).integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / f"{i}.png")
    cfg = composed("train", [
        "model=mine", "model.width=8", "objective=mine", "loss=[mine]", "hints=mine",
        "metric=[default,exact]", "data=mine", f"data.root={tmp_path}/pictures", "data.image_size=32",
        "data.batch_size=4", f"data.cache_dir={cache}", "trainer.accelerator=cpu", "watch=distance",
    ])  # fmt: skip
    colorizer, data = build.colorizer(cfg), build.data(cfg, build.protocol(cfg))
    trainer = pl.Trainer(
        max_epochs=1, num_sanity_val_steps=0, logger=False, enable_checkpointing=False, accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
    )  # fmt: skip
    trainer.fit(colorizer, data)
    logged = trainer.callback_metrics
    assert {"train/loss", "train/worst", "train/mine_loss", "val/distance", "val/exact"} <= logged.keys()
    assert [group["initial_lr"] / cfg.optimizer.lr for group in trainer.optimizers[0].param_groups] == [
        0.1,
        1,
    ]
    assert data.rows("val")["label"].tolist() == [name.startswith("dogs") for name in data.pack("val").names]
    given = Given(torch.rand(1, 1, 33, 20) * 100, colorizer.hints.blank(torch.zeros(1, 1, 33, 20)))
    ab = colorizer.objective.predict(colorizer.network, given)
    colorizer.objective.decode(gain=2.0)
    torch.testing.assert_close(colorizer.objective.predict(colorizer.network, given), 2 * ab)


def test_links_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            made = target in MADE and document.parent.name == "docs"
            assert made or (document.parent / target).exists(), f"{document.name}: {target}"


def rows() -> list[tuple[str, list[str]]]:
    """The README's rows that name a recorded study: (its folder, cells)."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    found = [(re.match(r"\| \[\w+\]\(experiments/(\w+)\)", line), line) for line in lines]
    return [(match[1], [cell.strip() for cell in line.split("|")[1:-1]]) for match, line in found if match]


@pytest.mark.parametrize(("study", "cells"), rows())
def test_the_readme_shows_what_is_recorded(study, cells):
    """PSNR, CIEDE2000 and colorfulness, to the last digit shown."""
    entries = json.loads((ROOT / "experiments" / study / "results.json").read_text(encoding="utf-8"))["runs"]
    (scores,) = [entry["scores"] for name, entry in entries.items() if f"[{name}]" in cells[0]]
    for cell, metric in zip(cells[-3:], ("psnr", "ciede2000", "colorfulness"), strict=True):
        mean, _, half = cell.partition(" ± ")
        low, high = scores["intervals"][metric]
        assert f"{scores['metrics'][metric]:.3f}" == mean, metric
        assert not half or f"{(high - low) / 2:.3f}" == half, metric


def test_make_lists_its_targets():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("setup", "demo", "test", "check", "bench", "docs"):
        assert re.search(rf"^{target}:.*## ", text, re.MULTILINE), target
