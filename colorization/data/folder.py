"""Any pictures of your own."""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from colorization.config import InputError
from colorization.data.archive import Tar, Zip
from colorization.data.module import SPLITS, PictureData
from colorization.data.remote_tree import RemoteTree
from colorization.data.remote_zip import RemoteZip
from colorization.data.source import Files, Part, Source, Tree


@dataclass(kw_only=True, eq=False)
class Folder(PictureData):
    """Pictures of any format in a folder tree, a .zip or a .tar, here or at a URL.

    Args:
        root: the folder or archive; or the URL of a .zip (http://, s3://, ...) or of a folder whose
            server lists it (s3://, gs://, hf://).
        val_root: another one to score on, as COCO's val2017; null holds a tenth of root out for that.
        val_size: training pictures held out to choose checkpoints by; at most a tenth.
    """

    root: str | None = None
    val_root: str | None = None
    val_size: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.val_size < 1:
            raise ValueError(f"data.val_size={self.val_size}: must be at least 1")

    def sources(self) -> dict[str, Source]:
        """Three parts of root, or two and val_root."""
        files = files_at(self.root, "data.root")
        cuts = {"val": self.val_size} if self.val_root else {"test": None, "val": self.val_size}
        parts: dict[str, Source] = {split: Part(files, split, tuple(cuts.items())) for split in SPLITS}
        if self.root and self.val_root:
            if overlap(self.root, self.val_root):
                settings = f"data.root={self.root} data.val_root={self.val_root}"
                fault = "one lies in the other, so that pictures to score on would be trained on"
                raise InputError(f"{settings}: {fault}; put them side by side")
            parts["test"] = files_at(self.val_root, "data.val_root")
        return parts


def overlap(one: str, other: str) -> bool:
    """Whether two places are the same, or one lies in the other."""
    if "://" not in one + other:
        one, other = (str(Path(place).expanduser().resolve()) for place in (one, other))
    one, other = (place.rstrip("/") + "/" for place in (one, other))
    return one.startswith(other) or other.startswith(one)


def files_at(root: str | None, setting: str, inside: str = "", fixed: bool = False) -> Files:
    """The pictures of a place, or an error that says what to pass.

    Args:
        root: a folder, a .zip or a .tar.
        setting: what a user calls it.
        inside: the folder within an archive.
        fixed: see `Tree`.
    """
    if not root:
        raise FileNotFoundError(f"{setting} is not given; {_help(setting)}")
    if "://" in root:
        name = urlsplit(root).path.lower()
        if ".tar" in name[-7:]:
            raise InputError(f"{setting}={root}: only a .zip is read at a URL; move the tar here")
        return RemoteZip(root, inside) if name.endswith(".zip") else RemoteTree(root)
    path = Path(root).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{setting}={root}: no such folder or archive; {_help(setting)}")
    if path.is_dir():
        return Tree(path, fixed)
    if path.suffix.lower() == ".zip":
        return Zip(path, inside)
    if tarfile.is_tarfile(path):
        return Tar(path, inside)
    raise InputError(f"{setting}={root}: neither a folder nor a .zip or .tar; {_help(setting)}")


def _help(setting: str) -> str:
    places = f"pass a folder of pictures or a .zip or .tar of them, {setting}=PATH"
    return f"{places}, or try data=scenes, which needs none"
