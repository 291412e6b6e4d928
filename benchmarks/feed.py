"""(L, ab) batches per second, cold and warm: python -m benchmarks.feed [ZIP] [PICTURES] [ROUNDS].

Cold is the first epoch, with the packing of all three splits; the others decode in every epoch.

Every candidate lives in a process of its own: the thread pools of PyTorch, OpenCV and scikit-image spin
against each other where they meet.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.pictures import photos
from benchmarks.timing import markdown, medians
from colorization.data.folder import Folder

SIZE, BATCH = 128, 64
PIL, OPENCV = "PIL and scikit-image", "OpenCV"


class Tutorial(Dataset):
    """A picture at a time with PIL and scikit-image, as tutorials write it."""

    def __init__(self, paths: list[Path]):
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        from skimage.color import rgb2lab

        picture = Image.open(self.paths[i]).convert("RGB").resize((SIZE, SIZE))
        lab = torch.from_numpy(rgb2lab(np.asarray(picture)).astype(np.float32)).movedim(-1, 0)
        return lab[:1], lab[1:]


class OpenCV(Tutorial):
    """A picture at a time with OpenCV, as DDColor reads them."""

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        import cv2

        cv2.setNumThreads(1)
        picture = cv2.resize(cv2.imread(str(self.paths[i])), (SIZE, SIZE)).astype(np.float32) / 255
        lab = torch.from_numpy(cv2.cvtColor(picture, cv2.COLOR_BGR2LAB)).movedim(-1, 0)
        return lab[:1], lab[1:]


def rivals(root: Path, count: int) -> dict[str, Callable[[], object]]:
    """Both of them, with and without workers."""
    paths = sorted(root.rglob("*.jpg"))[:count]
    made = {}
    for name, kind in ((PIL, Tutorial), (OPENCV, OpenCV)):
        for workers in (0, 2):
            loader = DataLoader(kind(paths), BATCH, shuffle=True, num_workers=workers)
            made[f"{name}, {workers} workers"] = partial(exhaust, loader)
    return made


def ours(root: Path, cache: Path) -> dict[str, Callable[[], object]]:
    """The project's own feed, whole and in part."""

    def data(resident: bool, cache: Path = cache) -> Folder:
        return Folder(
            root=str(root), cache_dir=str(cache), image_size=SIZE, batch_size=BATCH, resident=resident
        )

    def delivered(data: Folder) -> None:
        exhaust(data.on_after_batch_transfer(batch, 0) for batch in data.train_dataloader())

    def cold() -> None:
        with tempfile.TemporaryDirectory() as empty:
            first = data(False, Path(empty))
            first.prepare_data()
            delivered(first)

    mapped = data(False)
    return {
        "this project, cold": cold,
        "this project": partial(delivered, mapped),
        "this project, pictures held in memory": partial(delivered, data(True)),
        "floor: gather alone": lambda: exhaust(mapped.train_dataloader()),
    }


def exhaust(batches: object) -> None:
    for _ in batches:
        pass


class Candidate:
    """A candidate in a process of its own, run once for each call."""

    def __init__(self, name: str, root: Path, cache: Path, count: int):
        command = [sys.executable, "-m", "benchmarks.feed", "--candidate", name, root, cache, str(count)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self) -> None:
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise RuntimeError(f"{self.process.args} died")

    def __enter__(self) -> "Candidate":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()


def serve(name: str, root: str, cache: str, count: str) -> None:
    """What a candidate's process does: run it for each line that comes."""
    run = (ours(Path(root), Path(cache)) | rivals(Path(root), int(count)))[name]
    for _ in sys.stdin:
        run()
        print(flush=True)


def main(archive: str | None = None, pictures: str = "1280", rounds: str = "5") -> None:
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        root, cache = Path(temporary) / "photos", Path(temporary) / "cache"
        with zipfile.ZipFile(archive or photos(Path(temporary), int(pictures))) as packed:
            chosen = [name for name in packed.namelist() if name.endswith(".jpg")][: int(pictures)]
            packed.extractall(root, chosen)
        data = Folder(root=str(root), cache_dir=str(cache), image_size=SIZE, batch_size=BATCH)
        data.prepare_data()
        count = len(data.train_dataloader()) * BATCH
        candidates = {
            name: stack.enter_context(Candidate(name, root, cache, count))
            for name in (*ours(root, cache), *rivals(root, count))
        }
        spans = medians(candidates, int(rounds))
        for against in (f"{PIL}, 2 workers", f"{OPENCV}, 2 workers"):
            print(markdown(f"(L, ab) batches of {BATCH} at {SIZE} px", spans, count, against))


if __name__ == "__main__":
    serve(*sys.argv[2:]) if sys.argv[1:2] == ["--candidate"] else main(*sys.argv[1:])
