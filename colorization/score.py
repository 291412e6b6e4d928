"""Score predictions picture by picture: the one evaluation that every number comes from."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.progress import track
from torch import Tensor

from colorization import run
from colorization.callback.panel import picture
from colorization.color import lab
from colorization.data.module import PictureData
from colorization.metric.base import Metric
from colorization.metric.chroma import is_grey
from colorization.module import Colorizer

PROTOCOL = "v1"
Row = dict[str, Any]


def score(
    colorizer: Colorizer, data: PictureData, split: str, folder: Path, checkpoint: Path, batch_size: int = 32
) -> dict[str, Any]:
    """Colour a split and write evaluation/DATA_SPLIT/ of a run whole or not at all.

    Beside the model's table stands the grey prediction's (ab = 0): PSNR and SSIM alone flatter.

    Returns:
        The summary: means over the pictures that have colour, and how many had none.
    """
    pack = data.pack(split)
    target = folder / "evaluation" / f"{data.name}_{split}"
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for kind in ("predictions", "truth"):
        (partial / kind).mkdir(parents=True)
    rows: list[Row] = []
    floor: list[Row] = []
    for start in track(range(0, len(pack.names), batch_size), description=f"score {split}", transient=True):
        names = pack.names[start : start + batch_size]
        pictures = np.ascontiguousarray(pack.pictures[start : start + batch_size])
        truth8 = torch.from_numpy(pictures).movedim(-1, 1).to(colorizer.device)
        predicted, truth = colorizer.colour(truth8)
        rows += measured(colorizer.metrics, names, predicted, truth)
        floor += measured(colorizer.metrics, names, grey(truth), truth)
        for kind, batch in (("predictions", predicted), ("truth", truth)):
            for name, rgb in zip(names, batch, strict=True):
                picture(rgb).save(partial / kind / file_name(name), compress_level=1)
    summary = {
        "protocol": PROTOCOL,
        "data": data.name,
        "split": split,
        "fingerprint": pack.fingerprint,
        "pictures": len(rows),
        "grey_pictures": sum(row["grey"] for row in rows),
        "metrics": means(rows),
        "baselines": {"grey": means(floor)},
        "units": {name: metric.unit for name, metric in colorizer.metrics.items()},
        "better": {name: metric.better for name, metric in colorizer.metrics.items()},
        "checkpoint": {"file": checkpoint.name, "sha256": sha256(checkpoint)},
    }
    run.write_csv(partial / "pictures.csv", rows)
    run.write_csv(partial / "grey.csv", floor)
    run.write_json(partial / "summary.json", summary)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return summary


def measured(metrics: dict[str, Metric], names: list[str], predicted: Tensor, truth: Tensor) -> Iterator[Row]:
    """One row per picture: predicted and truth are sRGB 0..1 on 8-bit levels, (B, 3, H, W)."""
    columns = {name: metric(predicted, truth).tolist() for name, metric in metrics.items()}
    colourless = is_grey(truth).tolist()
    for i, name in enumerate(names):
        yield {"name": name, "grey": int(colourless[i])} | {k: round(v[i], 6) for k, v in columns.items()}


def means(rows: list[Row]) -> dict[str, float]:
    """Means over the pictures that have colour (over all, if none has)."""
    counted = [row for row in rows if not row["grey"]] or rows
    return {k: float(np.mean([row[k] for row in counted])) for k in rows[0] if k not in ("name", "grey")}


def grey(rgb: Tensor) -> Tensor:
    """The grey prediction: true lightness, ab = 0, on 8-bit levels. (B, 3, H, W) -> (B, 3, H, W)."""
    L, ab = lab.split(rgb)
    return lab.quantize(lab.merge(L, torch.zeros_like(ab)))


def file_name(name: str) -> str:
    """The PNG that a picture's prediction is saved as."""
    return name.replace("/", "__").rsplit(".", 1)[0] + ".png"


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def summary_table(rows: dict[str, dict[str, float]], metrics: dict[str, Metric], title: str) -> Any:
    """A small Rich table: one row per prediction, one column per metric."""
    from rich.table import Table

    marks = {"higher": " ↑", "lower": " ↓", "none": ""}
    table = Table(title=title)
    table.add_column("")
    for name, metric in metrics.items():
        table.add_column(f"{name}{marks[metric.better]}" + (f"\n{metric.unit}" if metric.unit else ""), justify="right")
    for label, values in rows.items():
        table.add_row(label, *(f"{values[name]:.3f}" for name in metrics))
    return table


