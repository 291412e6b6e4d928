"""A comparison as one self-contained HTML page."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from colorization.color.lab import rgb_to_lab
from colorization.report.reading import Scored, differences
from colorization.report.tables import GREY, Comparisons

TEMPLATE = Path(__file__).with_name("page.html")
SHOWN = 36  # pictures in the grid: failures of each kind, where runs differ most, and an even sample
GAMUT = 110  # ab units to each side of the histograms
BINS = 44
QUALITY = 88  # of the JPEGs inside the page
LONGEST = 400  # points per curve


def page(runs: Sequence[Scored], table: Comparisons) -> str:
    """The page: table, settings that differ, curves, scatter, histograms of ab, grid of pictures."""
    data = {
        "metrics": table.metrics,
        "units": table.units,
        "better": table.better,
        "baseline": table.baseline,
        "runs": [run.name for run in runs],
        "cells": {
            name: {m: asdict(cell) for m, cell in cells.items()} for name, cells in table.cells.items()
        },
        "seeds": table.seeds,
        "settings": differences(runs),
        "curves": {run.name: {k: _thinned(points) for k, points in run.curves.items()} for run in runs},
        "names": runs[0].names,
        "values": _values(runs, table),
        "pictures": _pictures(runs),
        "gamut": _histograms(runs),
        "about": {
            k: runs[0].summary[k]
            for k in ("protocol", "data", "split", "fingerprint", "pictures", "grey_pictures")
        },
    }
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    return TEMPLATE.read_text().replace("/*DATA*/null", text)


def chosen(runs: Sequence[Scored], count: int = SHOWN) -> list[int]:
    """Positions of the pictures to show: the worst, most over-saturated and greyest of each run, those
    where runs differ most, and an even sample of the rest.
    """
    rankings = []
    for run in runs:
        rankings.append(run.values["psnr"])
        if {"chroma", "chroma_truth"} <= run.values.keys():
            excess = run.values["chroma"] - run.values["chroma_truth"]
            rankings += [-excess, excess]
    for run in runs[1:]:
        rankings.append(-np.abs(run.values["psnr"] - runs[0].values["psnr"]))
    orders = [np.argsort(ranking, kind="stable") for ranking in rankings]
    picked: dict[int, None] = {}
    for place in range(len(runs[0].names)):
        for order in orders:
            if len(picked) < 2 * count // 3 and runs[0].coloured[order[place]]:
                picked.setdefault(int(order[place]))
    rest = [i for i in range(len(runs[0].names)) if i not in picked]
    step = max(len(rest) // max(count - len(picked), 1), 1)
    return [*picked, *rest[::step][: count - len(picked)]]


def _values(runs: Sequence[Scored], table: Comparisons) -> dict[str, dict[str, list[float]]]:
    columns = {GREY: runs[0].floor} | {run.name: run.values for run in runs}
    return {
        name: {m: np.round(values[m], 4).tolist() for m in table.metrics} for name, values in columns.items()
    }


def _pictures(runs: Sequence[Scored]) -> list[dict[str, Any]]:
    shown = []
    for i in chosen(runs):
        file = runs[0].names[i].replace("/", "__").rsplit(".", 1)[0] + ".png"
        if not (runs[0].folder / "truth" / file).exists():
            continue
        truth = Image.open(runs[0].folder / "truth" / file).convert("RGB")
        images = {"grey": _jpeg(truth.convert("L")), "truth": _jpeg(truth)}
        for run in runs:
            images[run.name] = _jpeg(Image.open(run.folder / "predictions" / file).convert("RGB"))
        shown.append({"index": i, "images": images})
    return shown


def _jpeg(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _histograms(runs: Sequence[Scored]) -> dict[str, list[int]]:
    """Counts of ab, BINS x BINS over -GAMUT..GAMUT with b downwards, for the truth and each run."""
    places = {"truth": runs[0].folder / "truth"} | {run.name: run.folder / "predictions" for run in runs}
    return {name: _histogram(place) for name, place in places.items() if place.is_dir()}


def _histogram(folder: Path) -> list[int]:
    files = sorted(folder.glob("*.png"))
    total = np.zeros((BINS, BINS), dtype=np.int64)
    for file in files[:: max(len(files) // 300, 1)]:
        rgb = torch.from_numpy(np.asarray(Image.open(file).convert("RGB"))[::3, ::3].copy()).movedim(-1, 0)[
            None
        ]
        _, a, b = rgb_to_lab(rgb)[0].flatten(1).numpy()
        total += np.histogram2d(-b, a, bins=BINS, range=[[-GAMUT, GAMUT]] * 2)[0].astype(np.int64)
    return total.ravel().tolist()


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(len(points) // LONGEST, 1)
    return [(x, float(f"{y:.5g}")) for x, y in points[::step]]
