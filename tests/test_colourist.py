"""Three lines of Python: any kind of picture in, the same kind out, with its own lightness."""

import subprocess
import sys

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from skimage.color import rgb2lab

import colorization
from colorization import InputError, build
from colorization.color.gamut import square
from colorization.color.lab import merge
from colorization.color.lightness import lightness
from colorization.compose import composed
from colorization.hints.clicks import Click
from colorization.module import Colorizer
from colorization.painter import painter
from colorization.picture.reading import one
from colorization.released import save
from tests.model.released import ReleasedECCV16, random_weights

PHOTO = skimage.data.coffee()[100:260, 200:421].copy()
GREY = np.array(Image.fromarray(PHOTO).convert("L"))


@pytest.fixture(scope="module")
def model():
    return colorization.load(device="cpu")


def test_importing_is_instant():
    """Nothing heavy comes along, and yet completion knows what there is."""
    code = (
        "import colorization, sys;"
        "print([name for name in ('torch', 'numpy', 'PIL', 'yaml') if name in sys.modules]);"
        "print('load' in dir(colorization), hasattr(colorization, 'paint'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True False"]


KINDS = {
    "grey picture": Image.fromarray(GREY),
    "grey array": GREY,
    "array": GREY[..., None].repeat(3, -1),
    "deep array": GREY.astype(np.uint16) * 257,
    "float array": GREY.astype(np.float64) / 255,
    "grey tensor": torch.from_numpy(GREY)[None],
    "batch": torch.from_numpy(GREY)[None, None].repeat(2, 3, 1, 1) / 255,
    "half tensor": (torch.from_numpy(GREY)[None] / 255).half(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_kind_comes_out_in_the_same_colours(model, kind):
    given, expected = KINDS[kind], np.asarray(model(KINDS["grey picture"])).astype(float)
    made = model(given)
    assert type(made) is (Image.Image if isinstance(given, Image.Image) else type(given))
    array = np.asarray(made)
    if isinstance(given, np.ndarray | torch.Tensor):
        assert made.dtype == given.dtype
    if kind == "batch":
        assert array.shape == (2, 3, *GREY.shape)
        array = array[1]
    array = np.moveaxis(array, 0, -1) if isinstance(given, torch.Tensor) else array
    assert array.shape == (*GREY.shape, 3)
    levels = array.astype(float) * {np.uint8: 1, np.uint16: 1 / 257}.get(array.dtype.type, 255)
    assert np.abs(levels - expected).max() <= 1  # 8 bits of the same
    assert np.ptp(expected, axis=-1).max() > 8


def test_lightness_is_the_pictures_own(model):
    L = rgb2lab(PHOTO)[..., 0]
    assert np.abs(rgb2lab(model(PHOTO))[..., 0] - L).max() < 0.5  # rounding to 8 bits
    deep = GREY.astype(np.uint16) * 257 + 99
    codes = lightness(model(deep)) - lightness(deep[..., None])
    assert codes.abs().max() < 2e-3  # of 16


def test_alpha_and_orientation(model):
    alpha = np.tile(np.arange(GREY.shape[1], dtype=np.uint8), (len(GREY), 1))
    made = model(np.dstack([PHOTO, alpha]))
    assert np.array_equal(made[..., 3], alpha)
    assert model(Image.fromarray(np.dstack([PHOTO, alpha]))).mode == "RGBA"
    turned = Image.fromarray(GREY)
    turned.getexif()[0x0112] = 6
    assert model(turned).size == (len(GREY), GREY.shape[1])


def test_a_path_is_what_predict_makes_of_it(model, tmp_path):
    Image.fromarray(GREY).save(tmp_path / "grey.png")
    _, predicts = painter(composed("predict", ["run=box", "decoding.vivid=0.5", "device=cpu"]), 1)
    expected = next(predicts.colour(one(tmp_path / "grey.png"))).pixels
    assert np.array_equal(model(str(tmp_path / "grey.png"), vivid=0.5), expected)


def test_what_is_asked_of_one_picture_is_not_asked_of_the_next(model):
    before = model(PHOTO)
    grey = model(PHOTO, chroma=0)
    assert np.ptp(grey.astype(int), axis=-1).max() <= 1
    with pytest.raises(InputError, match="vivid=7: choose 0"):
        model(PHOTO, vivid=7, chroma=0)
    assert np.array_equal(model(PHOTO), before)
    assert not np.array_equal(model(PHOTO, vivid=1), before)
    assert not np.array_equal(model(PHOTO, size=64), before)


def test_hints_colour_where_they_are(model):
    for hint in ((60, 80, (200, 30, 30)), (60.0, 80, "#c81e1e"), Click(60, 80, (200, 30, 30))):
        made = model(PHOTO, hints=[hint])
        a = rgb2lab(made)[75:86, 55:66, 1].mean()
        assert a > rgb2lab(model(PHOTO))[75:86, 55:66, 1].mean() + 15
    pixel = np.array([200, 30, 30], np.uint8)
    assert np.array_equal(model(PHOTO, hints=[(np.int64(60), 80, pixel)]), made)


def test_samples(model):
    two, one = model.sample(PHOTO, 2, seed=3), model.sample(PHOTO, 1, seed=3)
    assert np.array_equal(two[0], one[0]) and not np.array_equal(two[0], two[1])
    assert model.sample(torch.from_numpy(PHOTO).movedim(-1, 0), 2)[1].shape == (3, *GREY.shape)


def test_what_is_likely_at_a_point_is_what_the_network_says(model):
    """Beside a softmax of the network's own logits, summed over the bins like each colour that is named."""
    x, y = 130, 70
    found = model.distribution(PHOTO, x, y, n=50)
    probabilities = [colour.probability for colour in found]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    L = rgb2lab(PHOTO)[y, x, 0]
    assert all(abs(rgb2lab(np.uint8([[colour.rgb]]))[0, 0, 0] - L) < 1 for colour in found)
    with torch.no_grad():
        small = torch.from_numpy(
            np.array(Image.fromarray(PHOTO).resize((221, 160), Image.Resampling.BILINEAR))
        )
        seen = lightness(small.numpy()) / 100
        _, logits = model.colorizer.network(seen)
    p = logits[0, :, y // 8, x // 8].double().softmax(0).numpy()
    inside = np.moveaxis(merge(torch.full((1, 1, 529, 1), L), square().T[None, :, :, None]).numpy(), 1, -1)
    ab = rgb2lab(inside)[0, :, 0, 1:]  # of every bin, as this lightness can show it
    near = np.linalg.norm(ab - ab[p.argmax()], axis=1) <= 15
    (first,) = [colour for colour in found if colour.probability == pytest.approx(p[near].sum(), abs=1e-4)]
    assert np.abs(np.array(first.ab) - p[near] @ ab[near] / p[near].sum()).max() < 0.1


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (lambda model: model("nowhere.png"), "nowhere.png: no such picture"),
        (lambda model: model(3), "type int: give a path"),
        (lambda model: model(PHOTO.astype(float)), "values 0 to 255: give 0..1"),
        (lambda model: model(np.full((4, 4), np.nan)), "values nan to nan"),
        (lambda model: model(PHOTO.astype(np.int64)), "a picture of int64: give uint8"),
        (lambda model: model(PHOTO[:0]), "an array of shape"),
        (lambda model: model(torch.zeros(4, 3)), "a tensor of shape"),
        (lambda model: model(PHOTO, size=-3), "size=-3"),
        (lambda model: model(PHOTO, hints=[(900, 2, (1, 2, 3))]), "outside the picture of 221 x 160"),
        (lambda model: model(PHOTO, hints=[(1, 2)]), "hint 1: "),
        (lambda model: model(torch.zeros(2, 1, 9, 9), hints=[(1, 2, "#000000")]), "belong to one picture"),
        (lambda model: model(PHOTO, decoding={"temperature": 1}), "no setting of Joint's decoding"),
        (lambda model: model.sample(PHOTO, 0), "n=0"),
        (lambda model: model.sample(PHOTO, 2, vivid=1), "vivid=1"),
        (lambda model: model.distribution(PHOTO, 221, 0), "outside the picture"),
        (lambda model: colorization.load("nowhere"), "nowhere"),
        (lambda model: colorization.load("nowhere.pth"), "no such file"),
        (lambda model: colorization.load(device="gpu"), "device=gpu: no such device"),
    ],
)
def test_a_mistake_is_said_in_words(model, asked, says):
    with pytest.raises(InputError, match=says):
        asked(model)
    with pytest.raises(TypeError, match="hint: not among hints"):
        model(PHOTO, hint=[])


def test_runs_and_released_files_open(tmp_path):
    cfg = composed("train", ["model=cnn", "objective=regression", "data=scenes", "logger=csv"])
    save(cfg, Colorizer(*build.parts(cfg)).eval(), tmp_path / "mine.ckpt")
    regression = colorization.load(tmp_path / "mine.ckpt", device="cpu")
    assert regression.name == "mine" and regression(PHOTO).shape == PHOTO.shape
    with pytest.raises(InputError, match=r"regression holds no probabilities .* objective=classification"):
        regression.distribution(PHOTO, 0, 0)
    with pytest.raises(InputError, match="gives one colouring"):
        regression.sample(PHOTO)
    torch.save(random_weights(ReleasedECCV16()).state_dict(), tmp_path / "eccv16.pth")
    released = colorization.load(tmp_path / "eccv16.pth", device="cpu")
    assert released.size == 256 and "ECCV16" in repr(released)
    assert 1 < len(released.distribution(PHOTO, 5, 5, size=32)) <= 8
