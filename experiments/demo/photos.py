"""Write the photos that ship inside scikit-image to a folder, stripped of their colour."""

import sys
from pathlib import Path

import skimage.data
from PIL import Image

NAMES = ("astronaut", "chelsea", "coffee")


def main(folder: Path) -> None:
    """Each photo as a grey PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        Image.fromarray(getattr(skimage.data, name)()).convert("L").save(folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
