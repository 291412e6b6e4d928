"""Pictures become squares as other protocols want them, in packs of their own."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import coffee
from torch.nn.functional import interpolate

from colorization.data.decode import Geometry, open_square
from colorization.data.fitted import fitted
from colorization.data.folder import Folder


def encoded(kind="png"):
    file = io.BytesIO()
    Image.fromarray(coffee()).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(("fit", "columns"), [("stretch", slice(None)), ("crop", slice(100, 500))])
@pytest.mark.parametrize("filter", ["triangle", "linear"])
def test_geometry_is_that_of_a_second_implementation(fit, columns, filter):
    part = torch.tensor(coffee()[:, columns]).movedim(-1, 0)[None].float()
    antialiased = filter == "triangle"
    expected = interpolate(part, (96, 96), mode="bilinear", antialias=antialiased, align_corners=False)
    found, size = open_square(encoded(), 96, geometry=Geometry(fit, filter))
    assert size == (600, 400)
    apart = np.abs(found - expected[0].movedim(0, -1).numpy())
    assert apart[:, 1:-1].max() < 1.1  # at its own edge Pillow's crop sees the picture beside it


def test_a_geometry_has_a_pack_and_a_fingerprint_of_its_own(photos, tmp_path):
    def made(**settings):
        return Folder(root=str(photos / "part0"), cache_dir=str(tmp_path), image_size=16, **settings).pack(
            "test"
        )

    v1, stretched = made(), made(fit="stretch")
    assert v1.names == stretched.names and v1.fingerprint != stretched.fingerprint
    path = photos / "part0" / stretched.names[0]
    assert (stretched.pictures[0] == open_square(path, 16, geometry=Geometry("stretch"))[0]).all()
    assert made(fit="crop", filter="triangle").fingerprint == v1.fingerprint
    with pytest.raises(ValueError, match="stretch"):
        made(fit="squash")


def test_drawn_pictures_are_squares_already():
    drawn = object()
    assert fitted(drawn, Geometry("stretch")) is drawn
