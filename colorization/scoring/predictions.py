"""Where the colours that are scored come from: a trained network, any tool's pictures, or nowhere."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from colorization.color import lab
from colorization.config import ConfigError
from colorization.data.batch import Batch
from colorization.data.decode import EXTENSIONS, Geometry, open_picture, open_square
from colorization.data.module import PictureData
from colorization.data.pack import Pack
from colorization.data.source import Tree
from colorization.metric.base import Pair
from colorization.metric.diversity import best_of, diversity
from colorization.metric.psnr import psnr
from colorization.module import Colorizer
from colorization.protocol import Protocol
from colorization.scoring import manifest
from colorization.scoring.manifest import Pictures, some


class Coloured(NamedTuple):
    """Predictions as 8-bit sRGB (B, 3, H, W) 0..1, and numbers that only their maker can tell, (B,)."""

    rgb: Tensor
    columns: Mapping[str, Tensor] = {}


# Positions (B,) of pictures and their truth, uint8 sRGB (B, 3, H, W) -> how they are coloured.
Colour = Callable[[Tensor, Tensor], Coloured]


def by_run(colorizer: Colorizer, protocol: Protocol, samples: int = 0) -> Colour:
    """A trained network's colours; with samples, also the best and the spread of so many drawn ones."""

    @torch.no_grad()
    def colour(index: Tensor, truth: Tensor) -> Coloured:
        truth = truth.to(colorizer.device)
        L, ab = lab.split(truth)
        batch = colorizer.seen(Batch(L, ab, index.to(L.device)))
        losses = colorizer.objective.loss(colorizer.network, batch)
        rgb = protocol.rgb(L, losses.ab())
        columns = dict(losses.measured())
        if samples:
            drawn = losses.samples(samples)
            each = torch.stack([psnr(Pair(protocol.rgb(L, ab), truth / 255)) for ab in drawn])
            columns |= {f"best_of_{samples}": best_of(each), "diversity": diversity(drawn)}
        return Coloured(rgb, columns)

    return colour


def in_grey(protocol: Protocol) -> Colour:
    """No colour at all: a table of floors and ceilings alone."""

    def colour(index: Tensor, truth: Tensor) -> Coloured:
        L, ab = lab.split(truth)
        return Coloured(protocol.rgb(L, torch.zeros_like(ab)))

    return colour


def by_tool(predicted: Pictures) -> Colour:
    """Pictures that some tool has coloured, as they are."""

    def colour(index: Tensor, truth: Tensor) -> Coloured:
        return Coloured(torch.stack([tensor(predicted[int(i)]) for i in index]) / 255)

    return colour


@dataclass(frozen=True)
class Packed:
    """The pictures of a pack."""

    pack: Pack

    @property
    def names(self) -> Sequence[str]:
        """The name of each."""
        return self.pack.names

    def __getitem__(self, index: int) -> np.ndarray:
        return self.pack.pictures[index]


@dataclass(frozen=True)
class Files:
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


def of_split(data: PictureData, split: str, protocol: Protocol) -> tuple[Pictures, dict[str, str]]:
    """The pictures of a split that a protocol scores, and what they are called: see `Scoring`."""
    pack = data.pack(split)
    pictures = manifest.selected(Packed(pack), protocol.manifest)
    known = manifest.fingerprint(pictures) if protocol.manifest else pack.fingerprint
    return pictures, {"data": data.name, "split": split, "fingerprint": known}


def reference(folder: Path, protocol: Protocol) -> tuple[Pictures, dict[str, str]]:
    """The truth in a folder, or in an evaluation's folder under its own names, and what it is called."""
    called = {"data": folder.resolve().name, "split": "all"}
    if is_evaluation(folder):
        told = json.loads((folder / "summary.json").read_text())
        called |= {key: told[key] for key in called}
        listed = manifest.rows(folder / "manifest.csv")
        names = [row["name"] for row in listed]
        paths = [folder / "truth" / row["file"] for row in listed]
    else:
        names = listed_in(folder, "reference")
        paths = [folder / name for name in names]
    pictures = manifest.selected(Files(names, paths, protocol.size, protocol.geometry), protocol.manifest)
    as_they_were = is_evaluation(folder) and not protocol.size and not protocol.manifest
    return pictures, called | {
        "fingerprint": told["fingerprint"] if as_they_were else manifest.fingerprint(pictures)
    }


def matched(folder: Path, truth: Pictures, size: int | None, geometry: Geometry) -> Files:
    """The predictions in a folder, one for each true picture: of the same name but for its extension.

    Raises:
        ConfigError: naming the pictures that have none, or several.
    """
    inside = folder / "predictions" if is_evaluation(folder) else folder
    places: dict[str, list[Path]] = {}
    for name in listed_in(inside, "predictions"):
        places.setdefault(stem(name), []).append(inside / name)
    missing = [name for name in truth.names if stem(name) not in places]
    doubled = [str(paths[1]) for paths in places.values() if len(paths) > 1]
    faults = [
        f"predictions={folder}: {fault}: {some(names)}"
        for names, fault in (
            (missing, f"no picture for {len(missing)} of {len(truth.names)}"),
            (doubled, "more than one picture for a name"),
        )
        if names
    ]
    if faults:
        raise ConfigError(faults)
    return Files(truth.names, [places[stem(name)][0] for name in truth.names], size, geometry)


def changed_lightness(truth: Pictures, predicted: Files, most: float) -> dict[str, float]:
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
        told = f"{len(sizes)} of {len(truth.names)} predictions have another size: {some(sizes)}"
        raise ConfigError([f"{told}; protocol.size=256 brings both to squares of 256 pixels"])
    return changed


def is_evaluation(folder: Path) -> bool:
    """Whether a folder is what evaluate writes."""
    return (folder / "manifest.csv").is_file() and (folder / "summary.json").is_file()


def listed_in(folder: Path, setting: str) -> list[str]:
    """The names of the pictures in a folder tree."""
    if not folder.is_dir():
        raise ConfigError([f"{setting}={folder}: no such folder of pictures"])
    return Tree(folder).names


def stem(name: str) -> str:
    """What a prediction and its truth have in common: sub/photo.jpg is sub__photo, as evaluations save it."""
    whole = PurePath(name.replace("/", "__"))
    return whole.stem if whole.suffix.lower() in EXTENSIONS else whole.name


def tensor(picture: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W)."""
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)
