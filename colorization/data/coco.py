"""COCO 2017 (Lin et al. 2014, arXiv:1405.0312)."""

from dataclasses import dataclass
from pathlib import Path

from colorization.data.folder import files_at
from colorization.data.module import SPLITS, PictureData
from colorization.data.remote_zip import RemoteZip
from colorization.data.source import Files, Part, Source


@dataclass(kw_only=True, eq=False)
class COCO(PictureData):
    """COCO's own layout: train2017 and val2017, as folders or as the .zip files that COCO publishes.

    Without a root of one's own, the pictures that are wanted are read out of the published .zip
    files in place: `subset=20000` moves about 3 of 18 GB.

    val2017 is the test split: it is scored and never chooses anything. Checkpoints are chosen on
    `val_size` pictures held out of train2017.

    Args:
        root: the folder with train2017/ and val2017/, or train2017.zip and val2017.zip.
        url: where zips/train2017.zip and zips/val2017.zip are published, for when the default root
            has none; null: do not ask.
        val_size: training pictures held out to choose checkpoints by; at most a tenth.
    """

    root: str = "data/coco"
    url: str | None = "http://images.cocodataset.org"
    val_size: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.val_size < 1:
            raise ValueError(f"data.val_size={self.val_size}: must be at least 1")

    def sources(self) -> dict[str, Source]:
        """Two parts of train2017, and val2017."""
        train = self._part("train2017")
        parts: dict[str, Source] = {s: Part(train, s, (("val", self.val_size),)) for s in SPLITS}
        return parts | {"test": self._part("val2017")}

    def _part(self, name: str) -> Files:
        root = Path(self.root).expanduser()
        for path in (root / name, root / f"{name}.zip"):
            if path.exists():
                return files_at(str(path), "data.root", inside=f"{name}/", fixed=True)
        if self.url and self.root == COCO.root:
            return RemoteZip(f"{self.url.rstrip('/')}/zips/{name}.zip", inside=f"{name}/", fixed=True)
        raise FileNotFoundError(
            f"data.root={self.root}: neither {name}/ nor {name}.zip is there; pass the folder that holds "
            "train2017 and val2017, data.root=PATH, or try data=scenes, which needs no download"
        )
