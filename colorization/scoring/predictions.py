"""Where the colours that are scored come from: a trained network, any tool's pictures, or nowhere."""

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from colorization.color import lab
from colorization.config import ConfigError
from colorization.data.batch import NONE, Batch
from colorization.data.decode import EXTENSIONS, V1, Geometry, open_picture, open_square
from colorization.data.module import PictureData
from colorization.data.pack import Pack
from colorization.data.source import Tree
from colorization.module import Colorizer
from colorization.objective.base import Column
from colorization.protocol import Protocol
from colorization.scoring import manifest
from colorization.scoring.baselines import MEAN_GAIN
from colorization.scoring.manifest import Pictures, some
from colorization.scoring.several import columns as several_columns
from colorization.scoring.several import several


class Coloured(NamedTuple):
    """Predictions, ab (B, 2, H, W) or 8-bit sRGB (B, 3, H, W) 0..1; beside them numbers (B,), floors, and
    what was drawn of several, ab (n, B, 2, H, W).
    """

    colours: Tensor
    columns: Mapping[str, Tensor] = NONE
    floors: Mapping[str, Tensor] = NONE
    drawn: Tensor | None = None


# Positions (B,) of pictures and their truth, uint8 sRGB (B, 3, H, W) -> how they are coloured.
Colour = Callable[[Tensor, Tensor], Coloured]


def by_run(
    colorizer: Colorizer, protocol: Protocol, samples: int = 0, extra: Mapping[str, np.ndarray] = NONE
) -> Colour:
    """A trained network's colours; with samples, also so many drawn ones and their numbers.

    `extra` is what the data set has beside its pictures; see `PictureData.extra`.
    """
    objective = colorizer.objective

    @torch.no_grad()
    def colour(index: Tensor, truth: Tensor) -> Coloured:
        truth = truth.to(colorizer.device)
        L, ab = lab.split(truth)
        beside = {name: torch.from_numpy(rows[index.numpy()]).to(L.device) for name, rows in extra.items()}
        batch = colorizer.seen(Batch(L, ab, index.to(L.device), extra=beside))
        losses = objective.loss(colorizer.network, batch)
        columns = dict(losses.measured())
        if samples:
            drawn = objective.chroma * losses.samples(samples)
            columns |= several(drawn, L, truth, protocol)
        fitted, accurate = objective.vividness, losses.accurate or losses.ab
        floors = {MEAN_GAIN: fitted.gain * accurate()} if fitted else {}
        return Coloured(objective.shown(losses), columns, floors, drawn if samples else None)

    return colour


def columns_of(colorizer: Colorizer, samples: int = 0) -> dict[str, Column]:
    """Unit and direction of what `by_run` tells beside its colours."""
    return {**colorizer.objective.columns, **several_columns(samples)}


def in_grey(index: Tensor, truth: Tensor) -> Coloured:
    """No colour at all: a table of floors and ceilings alone."""
    return Coloured(torch.zeros(len(truth), 2, *truth.shape[-2:]))


def by_tool(predicted: Pictures) -> Colour:
    """Pictures that some tool has coloured, as they are."""

    def colour(index: Tensor, truth: Tensor) -> Coloured:
        return Coloured(torch.stack([tensor(predicted[int(i)]) for i in index]) / 255)

    return colour


@dataclass(frozen=True)
class PackPictures:
    """The pictures of a pack."""

    pack: Pack

    @property
    def names(self) -> Sequence[str]:
        """The name of each."""
        return self.pack.names

    def __getitem__(self, index: int) -> np.ndarray:
        return self.pack.pictures[index]

    def position(self, index: int) -> int:
        """Where a picture stands in its split."""
        return index


@dataclass(frozen=True)
class FilePictures:
    """Pictures in files.

    Attributes:
        names: of the pictures.
        paths: of the files.
        size: pixels per side that they are brought to, by `geometry`; None leaves them as they are.
    """

    names: Sequence[str]
    paths: Sequence[Path]
    size: int | None
    geometry: Geometry

    def __getitem__(self, index: int) -> np.ndarray:
        if self.size is None:
            return np.asarray(open_picture(self.paths[index]))
        return open_square(self.paths[index], self.size, geometry=self.geometry)[0]

    def position(self, index: int) -> int:
        """Where a picture stands among the others."""
        return index


def of_split(
    data: PictureData, split: str, protocol: Protocol, most: int | None = None
) -> tuple[Pictures, dict[str, Any]]:
    """The pictures of a split that a protocol scores, and what they are called: see `Scoring`.

    Args:
        data: shows the split as the protocol does.
        split: "test", "val" or "train".
        protocol: may name the pictures.
        most: at most so many, the first by a hash of their names; None: all.

    Raises:
        ConfigError: training pictures are not shown as the protocol does.
    """
    if split == "train" and (protocol.size or protocol.geometry != V1):
        raise ConfigError([f"split=train: {protocol.name} shows pictures otherwise; score under protocol=v1"])
    pack = data.pack(split)
    given: Pictures = manifest.selected(PackPictures(pack), protocol.manifest)
    pictures, total = manifest.limited(given, most), len(given.names)
    whole = isinstance(pictures, PackPictures)
    known = pack.fingerprint if whole else manifest.fingerprint(pictures)
    called = {"data": data.name, "loader": data.loader, "split": split}
    return pictures, called | {"fingerprint": known, "of": total}


def reference(folder: Path, protocol: Protocol, most: int | None = None) -> tuple[Pictures, dict[str, Any]]:
    """The truth in a folder, or in an evaluation's folder under its own names, and what it is called."""
    called: dict[str, Any] = {"data": folder.resolve().name, "split": "all"}
    if is_evaluation(folder):
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        called |= {key: summary[key] for key in called}
        listed = manifest.rows(folder / "manifest.csv")
        names = [row["name"] for row in listed]
        paths = [folder / "truth" / row["file"] for row in listed]
    else:
        names = listed_in(folder, "reference")
        paths = [folder / name for name in names]
    given = manifest.selected(FilePictures(names, paths, protocol.size, protocol.geometry), protocol.manifest)
    pictures = manifest.limited(given, most)
    as_they_were = is_evaluation(folder) and isinstance(pictures, FilePictures) and not protocol.size
    known = summary["fingerprint"] if as_they_were else manifest.fingerprint(pictures)
    return pictures, called | {"fingerprint": known, "of": len(given.names)}


def matched(folder: Path, truth: Pictures, size: int | None, geometry: Geometry) -> FilePictures:
    """The predictions in a folder, one for each true picture: of the same name but for its extension.

    True pictures whose names differ in the extension alone need predictions that tell them apart: of the same
    names, or NAME.EXTENSION.png, as evaluations save them.

    Raises:
        ConfigError: naming the pictures that have none, or several, or that cannot be told apart.
    """
    inside = folder / "predictions" if is_evaluation(folder) else folder
    named, stems = dict[str, Path](), dict[str, list[Path]]()
    for name in listed_in(inside, "predictions"):
        named[flat(name)] = inside / name
        stems.setdefault(stem(name), []).append(inside / name)
    alike: dict[str, list[str]] = {}
    for name in truth.names:
        alike.setdefault(stem(name), []).append(flat(name))

    def places(name: str) -> list[Path]:
        others = alike[stem(name)]
        if len(others) == 1:
            return stems.get(stem(name), [])
        if all(other in stems for other in others):
            return stems[flat(name)]
        return [named[flat(name)]] if all(other in named for other in others) else []

    found = {name: places(name) for name in truth.names}
    lost = [name for name in truth.names if not found[name]]
    missing = [name for name in lost if len(alike[stem(name)]) == 1]
    unclear = [name for name in lost if len(alike[stem(name)]) > 1]
    doubled = [str(paths[1]) for paths in found.values() if len(paths) > 1]
    faults = [
        f"predictions={folder}: {fault}: {some(names)}"
        for names, fault in (
            (missing, f"no picture for {len(missing)} of {len(truth.names)}"),
            (unclear, "originals differ in their ending alone; name their predictions NAME.ENDING.png"),
            (doubled, "more than one picture for a name"),
        )
        if names
    ]
    if faults:
        raise ConfigError(faults)
    return FilePictures(truth.names, [found[name][0] for name in truth.names], size, geometry)


def changed_lightness(truth: Pictures, predicted: FilePictures, most: float) -> dict[str, float]:
    """The pictures whose lightness a tool has changed, by more than `most`, with the mean of |dL| of each.

    Raises:
        ConfigError: naming the pictures whose size differs from the truth's.
    """
    changed: dict[str, float] = {}
    sizes: list[str] = []
    for i, name in enumerate(truth.names):
        right, other = truth[i], predicted[i]
        if right.shape != other.shape:
            (H, W, _), (h, w, _) = right.shape, other.shape
            sizes.append(f"{name} has {w} x {h} pixels and should have {W} x {H}")
            continue
        L, other_L = (lab.split(tensor(picture)[None])[0] for picture in (right, other))
        if (apart := float((L - other_L).abs().mean())) > most:
            changed[name] = apart
    if sizes:
        message = f"{len(sizes)} of {len(truth.names)} predictions have another size: {some(sizes)}"
        raise ConfigError([f"{message}; protocol.size=256 brings both to squares of 256 pixels"])
    return changed


def is_evaluation(folder: Path) -> bool:
    """Whether a folder is what evaluate writes."""
    return (folder / "manifest.csv").is_file() and (folder / "summary.json").is_file()


def listed_in(folder: Path, setting: str) -> list[str]:
    """The names of the pictures in a folder tree."""
    if not folder.is_dir():
        raise ConfigError([f"{setting}={folder}: no such folder of pictures"])
    return Tree(folder).names


def flat(name: str) -> str:
    """A name without folders, as evaluations save it, whichever way its accents are encoded."""
    return unicodedata.normalize("NFC", name.replace("/", "__"))


def stem(name: str) -> str:
    """What a prediction and its truth have in common: sub/photo.jpg is sub__photo."""
    whole = PurePath(flat(name))
    return whole.stem if whole.suffix.lower() in EXTENSIONS else whole.name


def tensor(picture: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W)."""
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)
