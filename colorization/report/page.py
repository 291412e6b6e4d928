"""A comparison as one self-contained HTML page."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from colorization.color.lab import rgb_to_lab
from colorization.report.comparison import FLOORS, Comparisons, all_columns
from colorization.report.gallery import gallery, jpeg, photos_of, samples_of
from colorization.report.pictures import has_pictures, pictures_of
from colorization.report.reading import Scored
from colorization.report.settings import setting_differences

TEMPLATE, STYLE, SCRIPT = (Path(__file__).with_name(f"page.{kind}") for kind in ("html", "css", "js"))
GRID = 48  # pictures in the grid, at most: failures of each kind, where runs differ most, an even sample
BYTES = 5_000_000  # of all pictures in the page, at most: many runs or large pictures mean fewer
POINTS = 1000  # pictures whose numbers are in the page, at most
GAMUT = 110  # ab units to each side of the histograms
BINS = 44
HISTOGRAM = 300  # pictures in a histogram, at most
LONGEST = 400  # points per curve


def page(runs: Sequence[Scored], table: Comparisons) -> str:
    """The page: pictures, samples, photos, tables, settings that differ, curves, scatter, maps of ab."""
    pictures = _pictures(runs)
    about = ("protocol", "data", "split", "fingerprint", "pictures", "grey_pictures")
    positions = _positions(len(runs[0].names), list(pictures))
    place = {i: k for k, i in enumerate(positions)}
    data = {
        "metrics": table.metrics,
        "units": table.units,
        "better": table.better,
        "baseline": table.baseline,
        "grey": FLOORS["grey"],
        "runs": [run.name for run in runs],
        "cells": {name: {m: asdict(c) for m, c in cells.items()} for name, cells in table.cells.items()},
        "kinds": table.kinds,
        "seeds": table.seeds,
        "methods": {name: {m: asdict(c) for m, c in cells.items()} for name, cells in table.methods.items()},
        "pairs": [asdict(c) for c in table.contrasts if c.run in table.methods],
        "settings": setting_differences(runs),
        "curves": {run.name: {k: _thin(points) for k, points in run.curves.items()} for run in runs},
        "hints": {run.name: run.summary["hints_curve"] for run in runs if "hints_curve" in run.summary},
        "names": [runs[0].names[i] for i in positions],
        "values": _values(runs, table, positions),
        "pictures": [{"index": place[i], "images": images} for i, images in pictures.items()],
        "samples": gallery(samples_of(runs)),
        "photos": gallery(photos_of(runs)),
        "gamut": _histograms(runs),
        "about": {key: runs[0].summary[key] for key in about},
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    page, style, script = (path.read_text(encoding="utf-8") for path in (TEMPLATE, STYLE, SCRIPT))
    return page.replace("/*STYLE*/", style).replace("/*SCRIPT*/", script.replace("/*DATA*/null", text))


def selection(runs: Sequence[Scored], among: Sequence[int], count: int = GRID) -> list[int]:
    """Positions of the pictures in the grid.

    The worst, most over-saturated and greyest of each run, those where runs differ most, and an even sample
    of the rest.
    """
    rankings = []
    for run in runs:
        rankings.append(run.values["psnr"])
        if {"chroma", "chroma_truth"} <= run.values.keys():
            excess = run.values["chroma"] - run.values["chroma_truth"]
            rankings += [-excess, excess]
    for run in runs[1:]:
        rankings.append(-np.abs(run.values["psnr"] - runs[0].values["psnr"]))
    places = np.array([i for i in among if runs[0].coloured[i]], dtype=int)
    orders = [places[np.argsort(ranking[places], kind="stable")] for ranking in rankings]
    extremes: dict[int, None] = {}
    for nth in range(len(places)):
        for order in orders:
            if len(extremes) < 2 * count // 3:
                extremes.setdefault(int(order[nth]))
    rest = [i for i in among if i not in extremes]
    step = max(len(rest) // max(count - len(extremes), 1), 1)
    return [*extremes, *rest[::step][: count - len(extremes)]]


def _positions(count: int, pictures: Sequence[int]) -> list[int]:
    """Positions of the pictures whose numbers are in the page: those of the grid, and an even sample."""
    even = range(0, count, -(-count // POINTS))
    return sorted({*pictures, *even})


def _values(
    runs: Sequence[Scored], table: Comparisons, positions: Sequence[int]
) -> dict[str, dict[str, list[float | None]]]:
    return {
        name: {m: [_short(v) for v in column[m][positions]] for m in column if m in table.metrics}
        for name, column in all_columns(runs).items()
    }


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _pictures(runs: Sequence[Scored]) -> dict[int, dict[str, str]]:
    """Position -> column -> JPEG as a data URL, as many as BYTES allow."""
    among = [i for i in range(len(runs[0].names)) if has_pictures(runs, i)]
    if not among:
        return {}
    first = sum(len(jpeg(image)) for image in pictures_of(runs, among[0]).values())
    grid: dict[int, dict[str, str]] = {}
    left = BYTES
    for i in selection(runs, among, min(GRID, max(BYTES // first, 1))):
        images = {name: jpeg(image) for name, image in pictures_of(runs, i).items()}
        left -= sum(map(len, images.values()))
        if left < 0 and grid:
            break
        grid[i] = images
    return grid


def _histograms(runs: Sequence[Scored]) -> dict[str, list[int]]:
    """Counts of ab, BINS x BINS over -GAMUT..GAMUT with b downwards, for the truth and each run."""
    places = {"truth": runs[0].folder / "truth"} | {run.name: run.folder / "predictions" for run in runs}
    return {name: _histogram(place) for name, place in places.items() if place.is_dir()}


def _histogram(folder: Path) -> list[int]:
    files = sorted(folder.glob("*.png"))
    total = np.zeros((BINS, BINS), dtype=np.int64)
    for file in files[:: max(len(files) // HISTOGRAM, 1)]:
        pixels = np.asarray(Image.open(file).convert("RGB"))[::3, ::3]
        _, a, b = rgb_to_lab(torch.from_numpy(pixels.copy()).movedim(-1, 0)[None])[0].flatten(1).numpy()
        total += np.histogram2d(-b, a, bins=BINS, range=[[-GAMUT, GAMUT]] * 2)[0].astype(np.int64)
    return total.ravel().tolist()


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float | None]]:
    step = max(len(points) // LONGEST, 1)
    return [(x, _short(y)) for x, y in points[::step]]
