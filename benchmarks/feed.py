"""(L, ab) batches per second: python -m benchmarks.feed [ZIP] [PICTURES] [ROUNDS]."""

import sys
import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from skimage.color import rgb2lab
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.pictures import photos
from benchmarks.timing import markdown, medians
from colorization.color.fast import uint8_to_lab
from colorization.data.feed import crop
from colorization.data.folder import Folder

SIZE, BATCH = 128, 64


class Tutorial(Dataset):
    """A picture at a time with PIL and scikit-image, as tutorials write it."""

    def __init__(self, paths: list[Path]):
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        picture = Image.open(self.paths[i]).convert("RGB").resize((SIZE, SIZE))
        lab = torch.from_numpy(rgb2lab(np.asarray(picture)).astype(np.float32)).movedim(-1, 0)
        return lab[:1], lab[1:]


class OpenCV(Tutorial):
    """A picture at a time with OpenCV, as DDColor reads them."""

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        picture = cv2.resize(cv2.imread(str(self.paths[i])), (SIZE, SIZE)).astype(np.float32) / 255
        lab = torch.from_numpy(cv2.cvtColor(picture, cv2.COLOR_BGR2LAB)).movedim(-1, 0)
        return lab[:1], lab[1:]


def main(archive: str | None = None, pictures: str = "1280", rounds: str = "5") -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)  # its OpenMP threads and those of the others' libraries spin against each other
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "photos"
        with zipfile.ZipFile(archive or photos(Path(temporary), int(pictures))) as packed:
            chosen = [name for name in packed.namelist() if name.endswith(".jpg")][: int(pictures)]
            packed.extractall(root, chosen)
        paths = sorted(root.rglob("*.jpg"))
        data = Folder(root=str(root), cache_dir=f"{temporary}/cache", image_size=SIZE, batch_size=BATCH)
        data.prepare_data()
        count = len(data.train_dataloader()) * BATCH
        candidates = {
            "floor: gather alone": lambda: [len(batch["index"]) for batch in data.train_dataloader()],
            "this project": lambda: [delivered(data, batch) for batch in data.train_dataloader()],
            "this project, by table": lambda: [
                uint8_to_lab(crop(batch["picture"], batch["crop"], SIZE).movedim(-1, 1))
                for batch in data.train_dataloader()
            ],
        }
        for name, kind in (("PIL and scikit-image", Tutorial), ("OpenCV", OpenCV)):
            for workers in (0, 2):
                loader = DataLoader(kind(paths[:count]), BATCH, shuffle=True, num_workers=workers)
                candidates[f"{name}, {workers} workers"] = lambda loader=loader: [len(L) for L, _ in loader]
        spans = medians(candidates, int(rounds))
        against = "PIL and scikit-image, 2 workers"
        print(markdown(f"(L, ab) batches of {BATCH} at {SIZE} px, warm", spans, count, against))


def delivered(data: Folder, batch: dict[str, Tensor]) -> int:
    return len(data.on_after_batch_transfer(batch, 0).L)


if __name__ == "__main__":
    main(*sys.argv[1:])
