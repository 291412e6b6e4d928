"""Score predictions picture by picture: the one evaluation that every number comes from."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from rich.table import Table
from torch import Tensor

from colorization import run
from colorization.callback.panel import picture
from colorization.color import lab
from colorization.data.module import PictureData
from colorization.metric.base import Metric, Pair
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
        pictures = torch.from_numpy(np.array(pack.pictures[start : start + batch_size])).movedim(-1, 1)
        pair = colorizer.colour(pictures.to(colorizer.device), start)
        rows += measured(colorizer.metrics, names, pair)
        floor += measured(colorizer.metrics, names, Pair(grey(pair.truth_lab), pair.truth))
        for kind, batch in (("predictions", pair.predicted), ("truth", pair.truth)):
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


def measured(metrics: dict[str, Metric], names: list[str], pair: Pair) -> Iterator[Row]:
    """One row of metrics per picture."""
    columns = {name: metric(pair).tolist() for name, metric in metrics.items()}
    colourless = is_grey(pair).tolist()
    for i, name in enumerate(names):
        yield {"name": name, "grey": int(colourless[i])} | {k: round(v[i], 6) for k, v in columns.items()}


def means(rows: list[Row]) -> dict[str, float]:
    """Means over the pictures that have colour (over all, if none has)."""
    counted = [row for row in rows if not row["grey"]] or rows
    return {k: float(np.mean([row[k] for row in counted])) for k in rows[0] if k not in ("name", "grey")}


def grey(truth_lab: Tensor) -> Tensor:
    """The grey prediction (true lightness, ab = 0) as 8-bit sRGB: (B, 3, H, W) Lab -> (B, 3, H, W)."""
    L, ab = truth_lab.split([1, 2], dim=1)
    return lab.quantize(lab.merge(L, torch.zeros_like(ab)))


def file_name(name: str) -> str:
    """The PNG that a picture's prediction is saved as."""
    return name.replace("/", "__").rsplit(".", 1)[0] + ".png"


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def summary_table(summary: dict[str, Any], name: str) -> Table:
    """The means of a scored run beside the grey floor, one row per metric."""
    marks = {"higher": "↑", "lower": "↓", "none": " "}
    table = Table(
        title=f"{summary['data']} {summary['split']}: {summary['pictures']} pictures", title_justify="left"
    )
    for column in ("metric", "unit"):
        table.add_column(column)
    for column in ("grey (ab = 0)", name):
        table.add_column(column, justify="right", overflow="fold")
    for metric, value in summary["metrics"].items():
        floor, mark = summary["baselines"]["grey"][metric], marks[summary["better"][metric]]
        table.add_row(f"{mark} {metric}", summary["units"][metric], f"{floor:.3f}", f"{value:.3f}")
    if summary["grey_pictures"]:
        table.caption = f"means leave out {summary['grey_pictures']} pictures that have no colour themselves"
    return table
