"""A model card, made of a run: what it is, how it was trained, what it scores."""

import json
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from colorization.config import DISTRIBUTION, command_line
from colorization.reopen import Run
from colorization.weights import file as weights

COLUMNS = {"psnr": "PSNR, dB ↑", "ssim": "SSIM ↑", "ciede2000": "CIEDE2000 ↓", "colorfulness": "colorfulness"}
APACHE = "apache-2.0"
SHOWN = ("model", "objective", "hints", "loss", "data", "budget", "optimizer", "schedule", "seed")
PLACES = ("root", "val_root", "cache_dir")  # of data: somebody's disk


def card(run: Run, name: str, files: list[str], licence: str | None) -> str:
    """README.md of a repository on the hub.

    Args:
        run: what is pushed.
        name: OWNER/NAME.
        files: what the repository holds beside this card.
        licence: of the weights, as the hub spells it; None: what comes with the package has its own; of
            others the card says that none is given.
    """
    packaged = run.checkpoint.parent == weights.FOLDER
    licence = licence or (APACHE if packaged else None)
    head = ["---", *([f"license: {licence}"] if licence else []), "library_name: colorization",
            "pipeline_tag: image-to-image", "tags: [colorization]", "---"]  # fmt: skip
    own = run.checkpoint.with_suffix(".md")
    body = own.read_text(encoding="utf-8") if packaged and own.is_file() else _told(run)
    terms = [] if licence else ["", "No licence is given: all rights are reserved by its owner."]
    return "\n".join([*head, "", body.strip(), *terms, "", _use(name, files)]) + "\n"


def _told(run: Run) -> str:
    return "\n\n".join(filter(None, [f"# {run.name}", _recipe(run), *_scores(run.folder)]))


def _recipe(run: Run) -> str:
    """Its settings and its code."""
    kept: Any = OmegaConf.to_container(run.config)
    shown = {key: kept[key] for key in SHOWN if kept.get(key)}
    for place in PLACES:
        shown.get("data", {}).pop(place, None)
    git = run.state["colorization"].get("git") or {}
    changed = " and changes that are not in it" if git.get("dirty") else ""
    code = f"Made by commit {git['commit']}{changed}.\n\n" if git else ""
    return f"## Recipe\n\n{code}```yaml\n{OmegaConf.to_yaml(OmegaConf.create(shown))}```"


def _scores(folder: Path) -> list[str]:
    """A table for each evaluation in the run's folder."""
    found = sorted(folder.glob("evaluation/*/summary.json"))
    return [_table(json.loads(path.read_text(encoding="utf-8"))) for path in found]


def _table(summary: dict[str, Any]) -> str:
    rows = {"this network": summary["metrics"]}
    rows |= {name: numbers["metrics"] for name, numbers in summary.get("baselines", {}).items()}
    names = [name for name in COLUMNS if name in summary["metrics"]]
    lines = [f"| | {' | '.join(COLUMNS[n] for n in names)} |", f"|---|{'---:|' * len(names)}"]
    for title, numbers in rows.items():
        cells = (f"{numbers[n]:.3f}" if n in numbers else "" for n in names)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    pictures = f"{summary['pictures']} pictures of {summary['data']} {summary['split']}"
    return f"## Scores\n\nProtocol {summary['protocol']}, {pictures}:\n\n" + "\n".join(lines)


def _use(name: str, files: list[str]) -> str:
    code = [
        "```python", f"import colorization  # pip install {DISTRIBUTION}", "",
        f'model = colorization.load("hf://{name}")', 'coloured = model("photo.jpg")', "```",
    ]  # fmt: skip
    command = command_line("predict", "photo.jpg", f"run=hf://{name}")
    others = ", ".join(f"`{each}`" for each in files if each != "model.safetensors")
    extra = [f"\nFor other programs: {others}, whose metadata says what goes in and out."] if others else []
    return "\n".join(["## Use", "", *code, "", f"or `{command}`.", *extra])
