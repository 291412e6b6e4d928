"""Draw docs/photos.jpg: python -m docs.photos. Photos that ship with scikit-image: grey, coloured, true."""

import subprocess
import sys
import tempfile
from pathlib import Path

import skimage.data
from PIL import Image

NAMES = ("chelsea", "coffee", "astronaut", "rocket")
SIDE = 240
GAP = 4


def main() -> None:
    """Colour them with the network in the box, at both ends of vivid, and lay them out in rows."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        truth = {name: square(Image.fromarray(getattr(skimage.data, name)())) for name in NAMES}
        (folder / "grey").mkdir()
        for name, picture in truth.items():
            picture.convert("L").save(folder / "grey" / f"{name}.png")
        for vivid in (0, 1):
            command = [sys.executable, "-m", "colorization.predict", str(folder / "grey"), "run=box"]
            subprocess.run([*command, f"vivid={vivid}", f"out={folder / str(vivid)}"], check=True)
        rows = [[Image.open(folder / part / f"{name}.png") for name in NAMES] for part in ("grey", "0", "1")]
        sheet([*rows, list(truth.values())]).save(Path(__file__).parent / "photos.jpg", quality=90)


def square(picture: Image.Image) -> Image.Image:
    """Its central square, at SIDE pixels."""
    side = min(picture.size)
    left, top = ((length - side) // 2 for length in picture.size)
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS, (left, top, left + side, top + side))


def sheet(rows: list[list[Image.Image]]) -> Image.Image:
    """The rows below each other."""
    step = SIDE + GAP
    whole = Image.new("RGB", (step * len(rows[0]) - GAP, step * len(rows) - GAP), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            whole.paste(picture.convert("RGB"), (x * step, y * step))
    return whole


if __name__ == "__main__":
    main()
