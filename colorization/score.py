"""Score colourings picture by picture: the one evaluation that every number comes from."""

import hashlib
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from rich.table import Table
from torch import Tensor

from colorization import run
from colorization.callback.panel import picture
from colorization.metric.base import Pair
from colorization.metric.chroma import is_grey
from colorization.protocol import Measure, Protocol
from colorization.report.comparison import CEILINGS, FLOORS
from colorization.scoring import manifest
from colorization.scoring.baselines import NAMES, MeanColour, colourings
from colorization.scoring.manifest import Pictures
from colorization.scoring.predictions import Colour, stem, tensor
from colorization.scoring.tally import Row, Tally

MODEL = "model"
WHOLE = (MODEL, "grey")  # of which all is measured
PIXELS = 2**22  # that are scored together, at most
ARROWS = {"higher": "↑", "lower": "↓", "none": ""}
TITLES = FLOORS | CEILINGS

# Unit and direction of the columns that are no metrics; see `predictions.by_run`.
TOLD = {
    "bits_per_pixel": ("bits", "lower"), "top1": ("", "higher"), "top5": ("", "higher"),
    "best_of": ("dB", "higher"), "diversity": ("CIE", "none"),
}  # fmt: skip


@dataclass
class Scoring:
    """Pictures, how they are coloured, and the protocol that says what is measured.

    Args:
        protocol: how pictures are scored.
        pictures: the truth.
        colour: how each is coloured.
        called: what the pictures are called: "data", "split" and "fingerprint".
        training: gives the mean colours of the training pictures, or the reason why they are not known.
        more: what is measured of the model and of grey alone, beside the protocol's metrics.
        batch_size: pictures at a time.
        about: what else the summary tells, such as the checkpoint.
    """

    protocol: Protocol
    pictures: Pictures
    colour: Colour
    called: Mapping[str, str]
    training: Callable[[], MeanColour | str]
    more: Mapping[str, Measure] = field(default_factory=dict)
    batch_size: int = 32
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The evaluation's folder: DATA_SPLIT, and the protocol's name unless it is v1."""
        suffix = "" if self.protocol.name == "v1" else f"_{self.protocol.name}"
        return f"{self.called['data']}_{self.called['split']}{suffix}"

    def write(self, folder: Path) -> dict[str, Any]:
        """Score, and write FOLDER/evaluation/NAME/ whole or not at all. Returns its summary."""
        target = folder / "evaluation" / self.name
        partial = target.with_name(target.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for kind in ("predictions", "truth", "baselines"):
            (partial / kind).mkdir(parents=True)
        numbers, listed = Numbers(self), list[Row]()
        for index, pair in numbers.measured():
            for i, predicted, truth in zip(index, pair.predicted, pair.truth, strict=True):
                file = numbers.files[i]
                for kind, rgb in (("predictions", predicted), ("truth", truth)):
                    picture(rgb).save(partial / kind / file, compress_level=1)
                shown = manifest.sha256(self.pictures[i])
                listed.append({"name": self.pictures.names[i], "file": file, "sha256": shown})
        run.write_csv(partial / "manifest.csv", listed)
        summary = numbers.summary() | {"manifest_sha256": sha256(partial / "manifest.csv"), **self.about}
        run.write_csv(partial / "pictures.csv", numbers.tallies[MODEL].rows)
        for name in numbers.baselines:
            run.write_csv(partial / "baselines" / f"{name}.csv", numbers.rows(name))
        run.write_json(partial / "summary.json", summary)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
        return summary


class Numbers:
    """The numbers of one scoring: the model's and the baselines', made in one pass over the pictures."""

    def __init__(self, scoring: Scoring, baselines: Sequence[str] = NAMES):
        self.scoring, self.protocol = scoring, scoring.protocol
        trained = scoring.training() if {"mean_ab", "mean_ab_given_L"} & set(baselines) else "not asked for"
        made = colourings(None if isinstance(trained, str) else trained)
        self.baselines = {name: made[name] for name in baselines if name in made}
        self.absent = {name: str(trained) for name in baselines if name not in made}
        self.metrics = {**scoring.more, **self.protocol.metrics}
        self.tallies = {
            name: Tally(self.protocol, self.metrics if name in WHOLE else self.protocol.metrics, self.absent)
            for name in (MODEL, *self.baselines)
        }
        self.files = file_names(scoring.pictures.names)

    def measured(self) -> Iterator[tuple[list[int], Pair]]:
        """Measure; yields the positions and the 8-bit pictures of every batch.

        Pictures come in the order of their file names: batches are then the same ones when the saved
        pictures are scored again, and so is the last digit.
        """
        scoring = self.scoring
        chosen = sorted(range(len(self.files)), key=self.files.__getitem__)
        with Progress(transient=True) as bar:
            task = bar.add_task(f"score {scoring.called['split']}", total=len(chosen))
            for index, truth in batched(scoring.pictures, chosen, scoring.batch_size):
                coloured = scoring.colour(torch.tensor(index), truth)
                pair = Pair(coloured.rgb, truth.to(coloured.rgb.device) / 255)
                self._add(index, pair, coloured.columns)
                yield index, pair
                bar.advance(task, len(index))

    def summary(self) -> dict[str, Any]:
        """Means, counts and what is absent, as plain data."""
        sets = {name: tally.set_metrics() for name, tally in self.tallies.items()}
        means = {name: tally.means() for name, tally in self.tallies.items()}
        undefined = {name for name, value in means[MODEL].items() if math.isnan(value)}
        self.absent.update(dict.fromkeys(undefined, "not defined for any of these pictures"))
        scored = {
            name: {
                "metrics": {k: v for k, v in means[name].items() if k not in self.absent},
                "set_metrics": {k: v for k, v in sets[name].items() if k not in self.absent},
            }
            for name in self.tallies
        }
        model, rows = scored.pop(MODEL), self.tallies[MODEL].rows
        units, better = self._described([*model["metrics"], *model["set_metrics"]])
        return {
            "protocol": self.protocol.name,
            "grey": self.protocol.grey,
            **self.scoring.called,
            "pictures": len(rows),
            "grey_pictures": sum(row["grey"] for row in rows),
            **model,
            "absent": dict(sorted(self.absent.items())),
            "baselines": scored,
            "reported": dict(self.protocol.reported),
            "units": units,
            "better": better,
            "checkpoint": None,
        }

    def rows(self, baseline: str) -> list[Row]:
        """A baseline's rows in the model's columns; NaN where only a model has a number."""
        blank = dict.fromkeys(self.tallies[MODEL].rows[0], math.nan)
        return [blank | row for row in self.tallies[baseline].rows]

    def _add(self, index: Sequence[int], pair: Pair, columns: Mapping[str, Tensor]) -> None:
        names, grey = [self.scoring.pictures.names[i] for i in index], is_grey(pair)
        self.tallies[MODEL].add(names, pair, grey, columns)
        L, ab = pair.truth_lab.split([1, 2], dim=1)
        for name, colouring in self.baselines.items():
            rgb = self.protocol.rgb(*colouring(L, ab))
            self.tallies[name].add(names, Pair(rgb, pair.truth), grey, {})

    def _described(self, names: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Units and directions, by name."""
        made = TOLD | {name: (metric.unit, metric.better) for name, metric in self.metrics.items()}
        told = {
            name: made.get("best_of" if name.startswith("best_of") else name, ("", "none")) for name in names
        }
        return {k: unit for k, (unit, _) in told.items()}, {k: better for k, (_, better) in told.items()}


def batched(pictures: Pictures, chosen: Sequence[int], batch_size: int) -> Iterator[tuple[list[int], Tensor]]:
    """Positions and uint8 pictures (B, 3, H, W): neighbours of one size together, fewer of large ones."""
    index: list[int] = []
    batch: list[Tensor] = []
    for i in chosen:
        rgb = tensor(pictures[i])
        full = len(batch) >= min(batch_size, max(1, PIXELS // rgb[0].numel()))
        if batch and (full or rgb.shape != batch[0].shape):
            yield index, torch.stack(batch)
            index, batch = [], []
        index.append(i)
        batch.append(rgb)
    if batch:
        yield index, torch.stack(batch)


def file_names(names: Sequence[str]) -> list[str]:
    """The PNG that each picture is saved as: sub/photo.jpg as sub__photo.png.

    Where sub/photo.png is there, too, it is sub__photo.jpg.png.
    """
    flat = [name.replace("/", "__") for name in names]
    stems = [stem(name) for name in names]
    count = Counter(stems)
    return [f"{s if count[s] == 1 else name}.png" for name, s in zip(flat, stems, strict=True)]


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def summary_table(summary: dict[str, Any], name: str) -> Table:
    """A scored model between its floors and its ceilings, in what the protocol reports."""
    reported, better = summary["reported"], summary["better"]
    shown = {short: metric for short, metric in reported.items() if metric in better}
    columns = [f"{short} {ARROWS[better[metric]]}".strip() for short, metric in shown.items()]
    what, count = f"{summary['data']} {summary['split']}", summary["pictures"]
    title = f"{what}, protocol {summary['protocol']}: {count} pictures"
    table = Table(title=title, title_justify="left", caption=_notes(summary), caption_justify="left")
    table.add_column("", overflow="fold")
    for column in columns:
        table.add_column(column, justify="right")
    rows = {TITLES[key]: numbers for key, numbers in summary["baselines"].items()}
    for key in FLOORS:
        if TITLES[key] in rows:
            table.add_row(TITLES[key], *_cells(rows.pop(TITLES[key]), shown.values()))
    table.add_section()
    table.add_row(f"[bold]{name}", *_cells(summary, shown.values()))
    table.add_section()
    for title, numbers in rows.items():
        table.add_row(title, *_cells(numbers, shown.values()))
    return table


def protocols_table(summaries: Mapping[str, dict[str, Any]], name: str) -> tuple[Table, list[Row]]:
    """One row per protocol: a model and grey in the numbers that each reports; and the same as plain rows."""
    shorts = list(dict.fromkeys(short for summary in summaries.values() for short in summary["reported"]))
    table = Table(title=f"{name} | grey (ab = 0), by protocol", title_justify="left")
    table.add_column("protocol", overflow="fold")
    for short in shorts:
        table.add_column(short, justify="right")
    rows: list[Row] = []
    for protocol, summary in summaries.items():
        pair = []
        for colouring, numbers in ((name, summary), ("grey", summary["baselines"]["grey"])):
            pair.append({short: number(numbers, summary["reported"].get(short, "")) for short in shorts})
            rows.append({"protocol": protocol, "colouring": colouring, **pair[-1]})
        table.add_row(protocol, *(f"{pair[0][short]:.3f} | {pair[1][short]:.3f}" for short in shorts))
    return table, rows


def number(scored: Mapping[str, Any], metric: str) -> float:
    """A mean or a number of the whole set; NaN where there is none."""
    return (scored["metrics"] | scored["set_metrics"]).get(metric, math.nan)


def _cells(scored: Mapping[str, Any], metrics: Any) -> list[str]:
    return [f"{number(scored, metric):.3f}" for metric in metrics]


def _notes(summary: dict[str, Any]) -> str:
    """What the columns leave out."""
    numbers = summary["metrics"] | summary["set_metrics"]
    others = [name for name in numbers if name not in summary["reported"].values()]
    lines = [", ".join(f"{k} {numbers[k]:.3f} {summary['units'].get(k, '')}".strip() for k in others)]
    if summary["grey_pictures"]:
        apart = summary["grey_pictures"]
        lines.append(f"{apart} of the pictures have no colour themselves")
    lines += [f"no {name}: {reason}" for name, reason in summary["absent"].items()]
    return "\n".join(line for line in lines if line)
