"""Any tree of pictures."""

from dataclasses import dataclass
from pathlib import Path

from colorization.data.module import PictureData
from colorization.data.source import Files, Source, held_out, shuffled


@dataclass(kw_only=True, eq=False)
class Folder(PictureData):
    """Pictures of any format in a folder tree, a .zip or a .tar.

    Args:
        root: the folder or archive.
        val_root: another one to score on, as COCO's val2017; null holds a tenth of root out for that.
        val_size: training pictures held out to choose checkpoints by; at most a tenth.
    """

    root: str | None = None
    val_root: str | None = None
    val_size: int = 500

    def sources(self) -> dict[str, Source]:
        files = listed(self.root, "data.root")
        names, test = list(files.names), None
        if self.val_root:
            test = listed(self.val_root, "data.val_root")
        else:
            names, scored = held_out(names, max(len(names) // 10, 1), "test")
            test = files.only(scored)
        names, val = held_out(names, min(self.val_size, max(len(names) // 10, 1)), "val")
        if not names:
            raise ValueError(f"data.root={self.root}: {len(files.names)} pictures are too few for three splits")
        return {"train": files.only(shuffled(names)), "val": files.only(val), "test": test}


def listed(root: str | None, setting: str, prefix: str = "") -> Files:
    """The pictures of a place, or an error that says what to pass."""
    if root is None or not Path(root).expanduser().exists():
        given = f"{setting}={root}: no such folder" if root else f"{setting} is not given"
        raise FileNotFoundError(f"{given}; pass a folder of pictures, {setting}=PATH, or try data=scenes, which needs none")
    files = Files(Path(root).expanduser(), prefix)
    if not files.names:
        raise ValueError(f"{setting}={root}: no pictures in there")
    return files
