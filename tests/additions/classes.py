"""A data set that carries a label beside each picture."""

from dataclasses import dataclass

import numpy as np

from colorization.data.folder import Folder
from colorization.data.module import SPLITS


@dataclass(kw_only=True, eq=False)
class Classes(Folder):
    """Pictures in folders that are their classes; "label" is the folder's place among all, (N,) int64."""

    def extra(self, split: str) -> dict[str, np.ndarray]:
        """The label of each picture of a split."""
        classes = sorted({folder(name) for part in SPLITS for name in self.pack(part).names})
        return {"label": np.array([classes.index(folder(name)) for name in self.pack(split).names])}


def folder(name: str) -> str:
    """The first folder of a relative path."""
    return name.partition("/")[0]
