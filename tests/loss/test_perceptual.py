"""The perceptual loss against its formula, and what it does to the network that learns from it."""

import numpy as np
import pytest
import skimage.data
import timm
import torch
from PIL import Image

from colorization import build
from colorization.color import lab
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.batch import Batch
from colorization.loss.perceptual import Perceptual
from colorization.model.encoder import Pretrained


def started(**settings):
    """As training has it."""
    term = Perceptual(**settings)
    term.start_from()
    return term


@pytest.fixture(scope="module")
def term():
    return started()


@pytest.fixture(scope="module")
def batch():
    crops = [skimage.data.astronaut()[:64, 180:276], skimage.data.coffee()[100:164, 200:296]]
    L, ab = lab.split(torch.from_numpy(np.stack(crops)).movedim(-1, 1))
    return Batch(L, ab, torch.arange(2))


def by_hand(ab, batch, stages):
    """The formula written out, over timm's own network with the package's weights."""
    network = timm.create_model("tf_efficientnet_lite0", features_only=True).eval()
    network.load_state_dict(Pretrained("tf_efficientnet_lite0", "package", "x").state())
    features = []
    for colours in (ab, batch.ab):
        rgb = lab.merge(batch.L, colours, "clip")
        with torch.no_grad():
            features.append(network(2 * rgb - 1))  # its mean and deviation are 0.5
    total = 0.0
    for stage, x, y in zip(stages, *features, strict=True):
        x, y = (f.double().numpy() for f in (x, y))
        x, y = (f / np.sqrt((f**2).sum(axis=1, keepdims=True)) for f in (x, y))
        total += stage * ((x - y) ** 2).sum(axis=1).mean()
    return total / sum(stages)


@pytest.mark.parametrize("stages", [None, [1, 0, 2, 0, 0.5]])
def test_it_is_the_distance_of_unit_features(batch, stages):
    expected = by_hand(batch.ab / 2, batch, stages or [1] * 5)
    assert started(stages=stages)(batch.ab / 2, batch).item() == pytest.approx(expected, rel=1e-3)


def test_it_is_zero_for_the_truth_and_grows_with_wrong_colour(term, batch):
    found = [term(share * batch.ab, batch).item() for share in (1, 0.7, 0, -1)]
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert found == sorted(found) and 0.05 < found[-1] < 4


def test_any_size_will_do(term):
    L, ab = torch.full((1, 1, 37, 53), 50.0), torch.zeros(1, 2, 37, 53)
    assert term(ab + 10, Batch(L, ab, torch.arange(1))).item() > 0


def test_its_gradient_reaches_ab_and_is_that_of_its_values(term, batch):
    ab = (batch.ab / 2).requires_grad_()
    (gradient,) = torch.autograd.grad(term(ab, batch), ab)
    direction = batch.ab / 200
    with torch.no_grad():
        step = (term(ab + direction, batch) - term(ab - direction, batch)) / 2
    assert step < -2e-4 and (gradient * direction).sum().item() == pytest.approx(step.item(), rel=0.05)
    assert gradient.isfinite().all() and all(not p.requires_grad for p in term.parameters())


def test_colours_outside_srgb_and_grey_give_finite_gradients(term, batch):
    for start in (torch.zeros_like(batch.ab), 5 * batch.ab):
        ab = start.requires_grad_()
        (gradient,) = torch.autograd.grad(term(ab, batch), ab)
        assert gradient.isfinite().all()


def test_training_leaves_the_encoder_alone_and_out_of_checkpoints(batch):
    """It stays in evaluation mode, its batch norms keep their statistics, and no optimizer has it."""
    small = ["model=unet", "model.width=8", "model.depth=1"]
    colorizer = build.colorizer(composed("train", [*small, "loss=[l1,gradient,perceptual,chroma]"])).train()
    colorizer.terms["perceptual"].start_from()
    encoder = colorizer.terms["perceptual"].encoder
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    losses = colorizer._losses(colorizer.seen(batch, epoch=0))
    losses.total.backward()
    assert {"objective", "l1_loss", "gradient_loss", "perceptual_loss", "chroma_loss"} <= losses.logged.keys()
    assert not encoder.training and all(torch.equal(v, before[k]) for k, v in encoder.state_dict().items())
    assert {k for k in colorizer.state_dict() if "encoder" in k} == set()
    assert all(p.grad is None for p in encoder.parameters())


def test_it_prefers_the_right_colour_of_a_thing(term):
    """A cup of coffee in its own colours, less vivid, against the same in the hue across the circle."""
    picture = Image.fromarray(skimage.data.coffee()).crop((0, 0, 400, 400)).resize((128, 128), 3)
    L, ab = lab.split(torch.from_numpy(np.array(picture)).movedim(-1, 0)[None])
    batch = Batch(L, ab, torch.arange(1))
    assert term(0.5 * ab, batch) < term(-0.5 * ab, batch)


def test_weights_may_be_none_or_a_file(tmp_path):
    torch.save(timm.create_model("resnet18", features_only=True).state_dict(), tmp_path / "mine.pt")
    term = started(encoder="resnet18", weights=str(tmp_path / "mine.pt"))
    state = torch.load(tmp_path / "mine.pt", weights_only=True)
    assert all(torch.equal(v, state[k]) for k, v in term.encoder.state_dict().items())
    assert started(encoder="resnet18", weights="none").normalise.mean.flatten().tolist() == pytest.approx(
        [0.485, 0.456, 0.406]
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"encoder": "resnet9999", "weights": "none"}, r"loss\.perceptual\.encoder=resnet9999"),
        ({"encoder": "resnet18"}, "take weights=hub"),
        ({"weights": "nowhere.pt"}, r"loss\.perceptual\.weights=nowhere\.pt: no such file"),
        ({"stages": [1, 1]}, "has 5 stages, at 1/2, 4, 8, 16, 32 of the size"),
        ({"stages": [0] * 5}, "one of them above 0"),
        ({"stages": [1, 1, 1, 1, -1]}, "0 or more"),
        ({"layers": {"conv1_1": 1}}, "no conv1_1: tf_efficientnet_lite0 has conv_stem, .*give layers=null"),
        ({"layers": {"conv_stem": 0}}, "one of them above 0"),
        ({"layers": {"conv_stem": 1}, "stages": [1] * 5}, "give one of them"),
    ],
)
def test_a_fault_is_named(settings, words):
    with pytest.raises((ValueError, ConfigError), match=words):
        started(**settings)


# Convolutions of VGG-16-bn between its poolings, each with BatchNorm and ReLU after it.
VGG = (2, 2, 3, 3, 3)


def vgg_by_hand(state, x):
    """Every convolution's output and every stage's last ReLU, of the tensors in their order."""
    tensors, found = iter(state.values()), {}
    for stage, count in enumerate(VGG, 1):
        for number in range(1, count + 1):
            weight, bias, scale, shift, mean, variance = (next(tensors) for _ in range(6))
            x = found[f"conv{stage}_{number}"] = torch.conv2d(x, weight, bias, padding=1)
            x = torch.batch_norm(x, scale, shift, mean, variance, False, 0.1, 1e-5, False).relu()
        found[f"relu{stage}"] = x
        x = torch.max_pool2d(x, 2)
    return found


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """A file as torchvision's: batches not counted, and a classifier after the convolutions."""
    torch.manual_seed(0)
    state = timm.create_model("vgg16_bn", features_only=True).state_dict()
    state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    path = tmp_path_factory.mktemp("vgg") / "vgg16_bn.pth"
    torch.save(state | {"classifier.0.weight": torch.zeros(2, 2)}, path)
    return path, state


@pytest.mark.parametrize("recipe", ["ddcolor", "deoldify_artistic"])
def test_the_recipes_have_their_authors_loss(recipe, batch, vgg):
    """DDColor: convolutions 1_1 .. 5_1 before anything else. DeOldify: stages 3, 4, 5 after their ReLU."""
    path, state = vgg
    small = Batch(batch.L[:1, :, :32, :32], batch.ab[:1, :, :32, :32], torch.arange(1))
    node = composed("train", [f"experiment={recipe}"]).loss.perceptual
    assert node.weights == "hub"
    node.weights = str(path)
    term = build.make(node)
    term.start_from()
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    pictures = [lab.merge(small.L, ab, "clip") for ab in (small.ab / 2, small.ab)]
    with torch.no_grad():
        one, other = (vgg_by_hand(state, (picture - mean) / std) for picture in pictures)
        if recipe == "ddcolor":
            weights = {f"conv{n}_1": 2.0 ** (n - 5) for n in range(1, 6)}
        else:
            weights = {"relu3": 20, "relu4": 70, "relu5": 10}
        expected = sum(weight * (one[name] - other[name]).abs().mean() for name, weight in weights.items())
        torch.testing.assert_close(term(small.ab / 2, small), expected, rtol=1e-4, atol=1e-6)
    assert expected > 0
