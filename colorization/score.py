"""Score colourings picture by picture: the one evaluation that every number comes from."""

import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor

from colorization.callback.panel import picture
from colorization.color import lab
from colorization.data.module import PictureData
from colorization.files import sha256, write_csv, write_json
from colorization.metric.base import Pair
from colorization.module import Colorizer
from colorization.objective.base import Column
from colorization.objective.colours import MeanColour
from colorization.protocol import Measure, Protocol
from colorization.run import made_by
from colorization.scorer import MODEL, Row, Scorer, Scores, gathered, place
from colorization.scoring import manifest
from colorization.scoring.baselines import MEAN_GAIN, NAMES, colourings
from colorization.scoring.kept import Kept, digest
from colorization.scoring.manifest import Pictures
from colorization.scoring.predictions import Colour, by_run, columns_of, flat, of_split, stem, tensor

PIXELS = 2**22  # that are scored together, at most
SHOWN = 12  # pictures whose samples are kept


@dataclass
class Scoring:
    """Pictures, how they are coloured, and the protocol that says what is measured.

    Under several processes each colours and measures its share of the batches; all have to call the same
    methods.

    Args:
        protocol: how pictures are scored.
        pictures: the truth.
        colour: how each is coloured.
        called: what the pictures are called: "data", "split", "fingerprint", "of" how many they are, and the
            "loader" of a data set.
        training: gives the mean colours of the training pictures, or the reason why they are not known.
        more: what is measured of the model and of grey alone, beside the protocol's metrics.
        batch_size: pictures at a time.
        about: what else the summary tells, such as the checkpoint.
        columns: unit and direction of what `colour` tells beside its colours.
        decoding: what was set of the objective's decoding; it stands in the evaluation's name.
        baselines: names of the floors and ceilings.
        after: gives, once all is measured, what else the summary tells.
        keep: the folder in which numbers of floors and ceilings are kept; None: nowhere.
        no_gain: why there is no floor of the accurate colours times a factor; "": `colour` gives it.
    """

    protocol: Protocol
    pictures: Pictures
    colour: Colour
    called: Mapping[str, Any]
    training: Callable[[], MeanColour | str]
    more: Mapping[str, Measure] = field(default_factory=dict)
    batch_size: int = 32
    about: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    decoding: Mapping[str, Any] = field(default_factory=dict)
    baselines: Sequence[str] = NAMES
    after: Callable[[], Mapping[str, Any]] = dict
    no_gain: str = "needs a run"
    keep: Path | None = None

    def __post_init__(self) -> None:
        self.files = file_names(self.pictures.names)
        # batches are then the same ones when the saved pictures are scored again, and so is the last digit
        self.order = sorted(range(len(self.files)), key=self.files.__getitem__)

    @property
    def name(self) -> str:
        """The evaluation's folder: DATA_SPLIT, and whatever is not as usual: protocol, count, decoding."""
        count = len(self.pictures.names)
        parts = [self.called["data"], self.called["split"]]
        parts += [self.protocol.name] if self.protocol.name != "v1" else []
        parts += [f"first{count}"] if count < self.called.get("of", count) else []
        return "_".join([*parts, *(f"{name}{value}" for name, value in self.decoding.items())])

    def write(self, folder: Path) -> dict[str, Any]:
        """Score, and write FOLDER/evaluation/NAME/ whole or not at all. Returns its summary."""
        target = folder / "evaluation" / self.name
        partial = target.with_name(target.name + ".partial")
        rank, _ = place()
        if rank == 0:
            shutil.rmtree(partial, ignore_errors=True)
            for kind in ("predictions", "truth", "baselines"):
                (partial / kind).mkdir(parents=True)
        gathered(None)
        scorer, listed = self.scorer(), dict[int, Row]()
        for index, pair, drawn in self.measured(scorer):
            if drawn is not None:
                self._keep_samples(partial / "samples", index, drawn, pair.truth)
            for i, predicted, truth in zip(index, pair.predicted, pair.truth, strict=True):
                file = self.files[i]
                for kind, rgb in (("predictions", predicted), ("truth", truth)):
                    picture(rgb).save(partial / kind / file, compress_level=1)
                digest = manifest.pixel_hash(self.pictures[i])
                listed[i] = {"name": self.pictures.names[i], "file": file, "sha256": digest}
        scores = self.result(scorer)
        listed = {i: row for part in gathered(listed) for i, row in part.items()}
        summary = self.summary(scorer, scores)
        if rank == 0:
            write_csv(partial / "manifest.csv", [listed[i] for i in self.order])
            write_csv(partial / "pictures.csv", self.rows(scores, MODEL))
            for name in (*scorer.baselines, *scorer.beside):
                write_csv(partial / "baselines" / f"{name}.csv", self.rows(scores, name))
            summary |= {"manifest_sha256": sha256(partial / "manifest.csv"), **self.about, **self.after()}
            summary["evaluated"] = made_by()
            write_json(partial / "summary.json", summary)
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
        return summary

    def scored(self) -> dict[str, Any]:
        """Score without writing anything: the summary."""
        scorer = self.scorer()
        for _ in self.measured(scorer):
            pass
        return self.summary(scorer, self.result(scorer))

    def scorer(self) -> Scorer:
        """What measures the model and its baselines."""
        needed = {"mean_ab", "mean_ab_given_L"} & set(self.baselines)
        trained = self.training() if needed else "not asked for"
        known = colourings(None if isinstance(trained, str) else trained)
        self.unknown = {name: str(trained) for name in self.baselines if name not in known}
        chosen = {name: known[name] for name in self.baselines if name in known}
        if self.no_gain:
            self.unknown[MEAN_GAIN] = self.no_gain
        beside = () if self.no_gain else (MEAN_GAIN,)
        measures = {**self.more, **self.protocol.metrics}
        self.kept = self._kept(measures, trained)
        kept = gathered(self.kept.read() if self.kept else {})[0]  # as the first process finds them
        if kept.keys() != chosen.keys():
            kept = {}
        return Scorer(self.protocol, measures, self.columns, chosen, beside, kept)

    def result(self, scorer: Scorer) -> Scores:
        """The numbers of all pictures; those of floors and ceilings are kept."""
        scores = scorer.result()
        if self.kept and not scorer.kept and scores.parts and place()[0] == 0:
            self.kept.write(scores.parts)
        return scores

    def _kept(self, measures: Mapping[str, Measure], trained: MeanColour | str) -> Kept | None:
        """Where the numbers of these floors and ceilings are, once measured; None where they are not kept."""
        if not self.keep:
            return None
        colours = trained if isinstance(trained, str) else [part.tolist() for part in trained]
        names = [self.pictures.names[i] for i in self.order]
        about = (self.called["fingerprint"], names, self.batch_size, tuple(self.baselines), colours)
        found = digest(self.protocol, measures, *about)
        return Kept(self.keep, found) if found else None

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Where the pictures stand in their split, (B,), and the pictures, (B, 3, H, W) uint8."""
        for index, truth in batched(self.pictures, self.order, self.batch_size):
            yield torch.tensor([self.pictures.position(i) for i in index]), truth

    def measured(self, scorer: Scorer) -> Iterator[tuple[list[int], Pair, Tensor | None]]:
        """Measure this process's share; yields of every batch the positions, the 8-bit pictures, and what
        was drawn of several, ab (n, B, 2, H, W).
        """
        rank, world = place()
        with Progress(transient=True, disable=rank > 0) as bar:
            task = bar.add_task(f"score {self.called['split']}", total=len(self.order))
            for turn, (index, truth) in enumerate(batched(self.pictures, self.order, self.batch_size)):
                if turn % world == rank:
                    places = torch.tensor([self.pictures.position(i) for i in index])
                    coloured = self.colour(places, truth)
                    made, columns, floors, drawn = coloured
                    yield index, scorer.add(index, truth, made, columns, floors), drawn
                bar.advance(task, len(index))

    def _keep_samples(self, folder: Path, index: Sequence[int], drawn: Tensor, truth: Tensor) -> None:
        """Save those of an even choice of pictures, FILE_1.png and on, for compare's page."""
        shown = set(self.order[:: max(len(self.order) // SHOWN, 1)][:SHOWN])
        folder.mkdir(exist_ok=True)
        for k in [k for k, i in enumerate(index) if i in shown]:
            L, _ = lab.split(truth[k : k + 1])
            rgb = self.protocol.rgb(L.expand(len(drawn), -1, -1, -1), drawn[:, k].to(L))
            for number, sample in enumerate(rgb, 1):
                picture(sample).save(folder / f"{Path(self.files[index[k]]).stem}_{number}.png")

    def summary(self, scorer: Scorer, scores: Scores) -> dict[str, Any]:
        """Means, counts and what is absent, as plain data."""
        scored = {
            name: {"metrics": numbers.means, "set_metrics": numbers.sets}
            for name, numbers in scores.colourings.items()
        }
        model, rows = scored.pop(MODEL), scores.model.rows
        described = {name: scorer.described(name) for part in model.values() for name in part}
        return {
            "protocol": self.protocol.name,
            "grey": self.protocol.grey,
            **self.called,
            "pictures": len(rows),
            "grey_pictures": sum(row["grey"] for row in rows),
            **model,
            "absent": dict(sorted({**scores.absent, **self.unknown}.items())),
            "undefined": dict(scores.undefined),
            "baselines": scored,
            "reported": dict(self.protocol.reported),
            "decoding": dict(self.decoding),
            "units": {name: unit for name, (unit, _) in described.items()},
            "better": {name: better for name, (_, better) in described.items()},
            "checkpoint": None,
        }

    def rows(self, scores: Scores, colouring: str) -> list[Row]:
        """One per picture, in the model's columns; NaN where only a model has a number."""
        blank = dict.fromkeys(scores.model.rows[0], math.nan)
        by_index = {row["index"]: blank | row for row in scores.colourings[colouring].rows}
        return [{"name": self.pictures.names[i]} | without_index(by_index[i]) for i in self.order]


def without_index(row: Row) -> Row:
    """A row that says which picture it is of by the picture's name alone."""
    return {name: value for name, value in row.items() if name != "index"}


def of_network(
    colorizer: Colorizer,
    protocol: Protocol,
    data: PictureData,
    split: str,
    checkpoint: Path,
    samples: int = 0,
    most: int | None = None,
    **settings: Any,
) -> Scoring:
    """A trained network on a split: what train does at its end, and evaluate with any run.

    Args:
        colorizer: the network, its objective and hints.
        protocol: how pictures are scored.
        data: shows the split as the protocol does.
        split: "test", "val" or "train".
        checkpoint: the file that the weights come from.
        samples: colourings drawn of each picture.
        most: how many pictures at most; None: all.
        settings: of `Scoring`.
    """
    pictures, called = of_split(data, split, protocol, most)
    about = {
        "checkpoint": {"file": checkpoint.name, "sha256": sha256(checkpoint)},
        **settings.pop("about", {}),
    }
    colour, columns = by_run(colorizer, protocol, samples, data.rows(split)), columns_of(colorizer, samples)
    fitted = colorizer.objective.vividness
    if fitted:
        about["vividness"] = fitted._asdict()
    if samples:
        about["samples"] = samples
    no_gain = "" if fitted else "no factor was fitted on validation photos"
    return Scoring(
        protocol, pictures, colour, called, columns=columns, about=about, no_gain=no_gain,
        keep=data.cache / "floors" / colorizer.device.type, **settings,
    )  # fmt: skip


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
    stems = [stem(name) for name in names]
    count = Counter(stems)
    return [f"{s if count[s] == 1 else flat(name)}.png" for name, s in zip(names, stems, strict=True)]
