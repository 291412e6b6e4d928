"""COCO 2017 (Lin et al. 2014, arXiv:1405.0312)."""

from dataclasses import dataclass
from pathlib import Path

from colorization.data.folder import listed
from colorization.data.module import PictureData
from colorization.data.source import Files, Source, held_out, shuffled


@dataclass(kw_only=True, eq=False)
class COCO(PictureData):
    """COCO's own layout: train2017 and val2017, as folders or as the .zip files that COCO publishes.

    val2017 is the test split: it is scored and never chooses anything. Checkpoints are chosen on
    `val_size` pictures held out of train2017.

    Args:
        root: the folder with train2017/ and val2017/, or train2017.zip and val2017.zip.
        val_size: training pictures held out to choose checkpoints by.
    """

    root: str = "data/coco"
    val_size: int = 500

    def sources(self) -> dict[str, Source]:
        files = self._part("train2017")
        names, val = held_out(files.names, min(self.val_size, len(files.names) // 10), "val")
        return {"train": files.only(shuffled(names)), "val": files.only(val), "test": self._part("val2017")}

    def _part(self, name: str) -> Files:
        root = Path(self.root).expanduser()
        if (root / name).is_dir():
            return listed(str(root / name), f"data.root ({name})")
        if (root / f"{name}.zip").exists():
            return listed(str(root / f"{name}.zip"), f"data.root ({name}.zip)", prefix=f"{name}/")
        raise FileNotFoundError(
            f"data.root={self.root}: neither {name}/ nor {name}.zip is there; pass the folder that holds "
            "train2017 and val2017, data.root=PATH, or try data=scenes, which needs no download"
        )
