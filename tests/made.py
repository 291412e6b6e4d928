"""Scored runs as `evaluate` leaves them, made in a moment: numbers with known differences, small pictures."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from colorization.report.comparison import CEILINGS, FLOORS

UNITS = {"psnr": "dB", "ssim": "", "ciede2000": "dE00", "chroma": "CIE", "chroma_truth": "CIE", "fid": ""}
BETTER = {"psnr": "higher", "ssim": "higher", "ciede2000": "lower", "chroma": "none", "chroma_truth": "none",
          "fid": "lower"}  # fmt: skip


def scored_run(
    folder: Path,
    pictures: int = 40,
    gain: float = 0.0,
    noise: float = 0.1,
    seed: int = 0,
    size: int = 24,
    config: dict[str, Any] | None = None,
    extra: dict[str, np.ndarray] | None = None,
) -> Path:
    """A run folder whose PSNR is `gain` dB above that of another, give or take `noise` per picture.

    Args:
        folder: where; its name is the run's.
        pictures: how many; every eighth has no colour of its own.
        gain, noise: mean and standard deviation of its PSNR against a run of gain 0.
        seed: of the noise and in the configuration; the pictures are the same for every seed.
        size: pixels per side.
        config: what its configuration says beside the seed.
        extra: more metrics, (pictures,) each.
    """
    table = folder / "evaluation" / "made_test"
    for kind in ("truth", "predictions", "baselines"):
        (table / kind).mkdir(parents=True)
    names = [f"sub/{i:04}.jpg" for i in range(pictures)]
    shared, own = np.random.default_rng(0), np.random.default_rng([seed, abs(hash(gain)) % 1000])
    hard = shared.normal(24, 3, pictures)
    truth_chroma = shared.gamma(4, 3, pictures) + 2
    columns = numbers(hard + gain + own.normal(0, noise, pictures), truth_chroma, 0.6)
    write_table(table / "pictures.csv", names, columns | (extra or {}))
    for i, name in enumerate([*FLOORS, *CEILINGS]):
        column = numbers(hard - 1 + 2 * i, truth_chroma, i / 8)
        write_table(table / "baselines" / f"{name}.csv", names, column)
    write_pictures(table, names, size, 0.4 + gain / 10)
    (table / "summary.json").write_text(json.dumps(summary(pictures, columns)), encoding="utf-8")
    settings = {"seed": seed, "model": {"width": 8}, "budget": {"time": None}} | (config or {})
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(record(folder.name, seed)), encoding="utf-8")
    rows = [f"{i},0,{i * 100},{i},{20 + gain + i / 10}\n" for i in range(5)]
    (folder / "metrics.csv").write_text(
        "step,epoch,pictures,seconds,val/psnr\n" + "".join(rows), encoding="utf-8"
    )
    return folder


def numbers(psnr: np.ndarray, chroma_truth: np.ndarray, colour: float) -> dict[str, np.ndarray]:
    return {
        "psnr": psnr, "ssim": 0.9 + psnr / 1000, "ciede2000": 34 - psnr, "chroma": colour * chroma_truth,
        "chroma_truth": chroma_truth,
    }  # fmt: skip


def write_table(path: Path, names: list[str], columns: dict[str, np.ndarray]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "grey", *columns])
        for i, name in enumerate(names):
            writer.writerow([name, int(i % 8 == 7), *(f"{column[i]:.6f}" for column in columns.values())])


def write_pictures(table: Path, names: list[str], size: int, colour: float) -> None:
    rows = ["name,file,sha256"]
    for i, name in enumerate(names):
        smooth = np.random.default_rng(i).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        truth = Image.fromarray(smooth).resize((size, size), Image.Resampling.BICUBIC)
        grey = truth.convert("L").convert("RGB")
        file = name.replace("/", "__").replace(".jpg", ".png")
        truth.save(table / "truth" / file, compress_level=1)
        Image.blend(grey, truth, colour).save(table / "predictions" / file, compress_level=1)
        rows.append(f"{name},{file},0")
    (table / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def summary(pictures: int, columns: dict[str, np.ndarray]) -> dict[str, Any]:
    counted = np.arange(pictures) % 8 != 7
    means = {name: float(column[counted].mean()) for name, column in columns.items()}
    return {
        "protocol": "v1", "data": "made", "split": "test", "fingerprint": "f" * 16, "pictures": pictures,
        "grey_pictures": int((~counted).sum()), "metrics": means, "set_metrics": {"fid": 50.0}, "absent": {},
        "baselines": {name: {"metrics": {}, "set_metrics": {"fid": 90.0}} for name in (*FLOORS, *CEILINGS)},
        "units": UNITS, "better": BETTER, "checkpoint": None,
    }  # fmt: skip


def record(name: str, seed: int) -> dict[str, Any]:
    """run.json, of a run of experiments/mine."""
    overrides = ["experiment=mine", f"seed={seed}", "data.root=PHOTOS", f"run.dir={name}"]
    return {
        "git": {"commit": "0" * 40, "dirty": False}, "versions": {"torch": "2"},
        "hardware": {"cpu": "made", "cores": 1, "gpu": None}, "name": name, "overrides": overrides,
        "command": " ".join(["python -m colorization.train", *overrides]), "seed": seed, "parameters": 10,
        "data": {"name": "made", "fingerprint": {"train": "a", "val": "b"}},
        "seconds": 60.0, "pictures_seen": 100, "status": "finished", "wandb_id": None,
    }  # fmt: skip
