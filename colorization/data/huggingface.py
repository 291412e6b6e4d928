"""Data sets in the format of Hugging Face's `datasets` (Lhoest et al. 2021, arXiv:2109.02846)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorization.config import InputError, installation
from colorization.data.decode import UnreadablePicture
from colorization.data.module import SPLITS, PictureData
from colorization.data.source import Files, Part, Source

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

SCORED = ("test", "validation", "val")  # splits to score on, the first that is there


@dataclass(kw_only=True, eq=False)
class HuggingFace(PictureData):
    """A data set of the hub or of a folder, as `datasets` loads it.

    Training pictures are those of its split "train"; checkpoints are chosen on some held out of them.

    Args:
        root: a name on the hub, such as "zh-plus/tiny-imagenet"; a folder of Parquet files or pictures;
            or what `save_to_disk` wrote.
        config: which of the configurations of a data set that has several.
        column: where the pictures are; null takes the only column of pictures.
        test: the split to score on; null takes test or validation, or else holds a tenth of train out.
        val_size: training pictures held out to choose checkpoints by; at most a tenth.
    """

    root: str | None = None
    config: str | None = None
    column: str | None = None
    test: str | None = None
    val_size: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.val_size < 1:
            raise ValueError(f"data.val_size={self.val_size}: must be at least 1")

    def sources(self) -> dict[str, Source]:
        """Two parts of train and another split, or three of train."""
        train, scored = self._rows("train"), self._scored_split
        cuts = {"val": self.val_size} if scored else {"test": None, "val": self.val_size}
        parts: dict[str, Source] = {split: Part(train, split, tuple(cuts.items())) for split in SPLITS}
        if scored:
            parts["test"] = self._rows(scored)
        return parts

    @cached_property
    def loaded(self) -> "DatasetDict":
        """All the splits. Raises ValueError or FileNotFoundError, in words, where there are none."""
        if not self.root:
            settings = "data.root=NAME on the hub, or data.root=FOLDER"
            raise FileNotFoundError(f"data.root is not given; pass {settings}")
        try:
            import datasets
        except ImportError as error:
            extra = installation("huggingface")
            raise InputError(f"data=huggingface needs the datasets library: {extra}") from error
        try:
            return _load(datasets, self.root, self.config)
        except Exception as error:  # its loaders fail in every way that files and networks do
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise InputError(f"data.root={self.root}: datasets cannot load it: {reason[0]}") from error

    @property
    def _scored_split(self) -> str | None:
        if self.test and self.test not in self.loaded:
            raise InputError(f"data.test={self.test}: no such split; there are {', '.join(self.loaded)}")
        if self.test == "train":
            raise InputError("data.test=train: is trained on; name another split, or null for a tenth of it")
        return self.test or next((name for name in SCORED if name in self.loaded), None)

    def _rows(self, split: str) -> "HubPictures":
        if split not in self.loaded:
            there = ", ".join(self.loaded)
            raise InputError(f"data.root={self.root}: no split {split} to train on; there are {there}")
        return HubPictures(self.loaded[split], self.column or self._only_column(split), [self.root, split])

    def _only_column(self, split: str) -> str:
        from datasets import Image

        features = self.loaded[split].features
        found = [name for name, kind in features.items() if isinstance(kind, Image)]
        if len(found) == 1:
            return found[0]
        columns = f"{len(found)} columns of pictures among {', '.join(features)}"
        raise InputError(f"data.root={self.root} has {columns}; choose one, data.column=NAME")


class HubPictures(Files):
    """The encoded pictures of one split, named by their rows.

    Args:
        dataset: the split.
        column: where the pictures are.
        origin: what it is called.
    """

    def __init__(self, dataset: "Dataset", column: str, origin: list[Any]):
        from datasets import Image

        if not isinstance(dataset.features.get(column), Image):
            there = ", ".join(dataset.features)
            raise InputError(f"data.column={column}: not a column of pictures; there are {there}")
        self.dataset, self.origin = dataset.cast_column(column, Image(decode=False)), [*origin, column]
        self.column, self._fingerprint = column, dataset._fingerprint
        if not len(dataset):
            raise InputError(f"{' '.join(map(str, self.origin))}: a split without rows")

    @cached_property
    def names(self) -> list[str]:
        """The numbers of the rows."""
        return list(self.paths())

    def paths(self) -> Iterator[str]:
        """The same."""
        return (f"{row:08}" for row in range(len(self.dataset)))

    def read(self, name: str) -> bytes:
        """The bytes that a row holds, or those of the file that it names."""
        try:
            cell = self.dataset[int(name)][self.column]
            return cell["bytes"] or Path(cell["path"]).read_bytes()
        except TypeError as error:
            raise UnreadablePicture(name, "the row has no picture") from error
        except Exception as error:  # a damaged or missing file
            raise UnreadablePicture(name, str(error) or type(error).__name__) from error

    def place(self) -> list[Any]:
        """What it is called, and the fingerprint by which `datasets` tells versions apart."""
        return [*self.origin, self._fingerprint]


def _load(datasets: Any, root: str, config: str | None) -> "DatasetDict":
    """Through whichever of the library's loaders takes it; a lone split becomes "train"."""
    folder = Path(root).expanduser()
    saved = [folder / "dataset_dict.json", folder / "state.json"]
    if any(path.exists() for path in saved):
        loaded = datasets.load_from_disk(str(folder))
    else:
        loaded = datasets.load_dataset(str(folder) if folder.exists() else root, config)
    return loaded if isinstance(loaded, datasets.DatasetDict) else datasets.DatasetDict(train=loaded)
