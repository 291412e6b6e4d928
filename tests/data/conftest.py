import io

import numpy as np
import pytest
from PIL import Image


def picture(seed, size=(60, 40)):
    """A smooth picture in colour: JPEG keeps it nearly as it is."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def encoded(seed, kind="jpeg", **settings):
    file = io.BytesIO()
    picture(seed).save(file, kind, **settings)
    return file.getvalue()


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A folder of 120 pictures, some below."""
    root = tmp_path_factory.mktemp("pictures")
    (root / "below").mkdir()
    for i in range(120):
        name = f"below/{i:03}.png" if i % 10 == 0 else f"{i:03}.jpg"
        (root / name).write_bytes(encoded(i, "png" if name.endswith("png") else "jpeg"))
    (root / ".hidden.jpg").write_bytes(b"")
    (root / "notes.txt").write_text("not a picture", encoding="utf-8")
    return root
