"""The pretrained encoder: that it is the one that knows ImageNet, and how it learns."""

import numpy as np
import pytest
import skimage.data
import timm
import torch
from PIL import Image

from colorization.color import lab
from colorization.config import ConfigError
from colorization.model.encoder import PACKAGED, Pretrained
from colorization.model.encoder_unet import EncoderUNet

CATS, CUPS = range(281, 286), {504, 967, 968}  # of ImageNet: domestic cats; coffee mug, espresso, cup


def seen(picture, size=224):
    """The central square of a picture, (1, 3, size, size) uint8."""
    side = min(picture.shape[:2])
    top, left = ((full - side) // 2 for full in picture.shape[:2])
    square = Image.fromarray(picture).crop((left, top, left + side, top + side)).resize((size, size), 3)
    return torch.from_numpy(np.array(square)).movedim(-1, 0)[None]


@pytest.mark.parametrize("name", PACKAGED)
@pytest.mark.parametrize("colours", ["in colour", "in grey"])
def test_the_packaged_encoder_knows_what_it_sees(name, colours):
    """Its features, under timm's own classifier with the package's weights, say cat and coffee."""
    network = EncoderUNet(encoder=name)
    network.start_from()
    whole = timm.create_model(name)
    stored = torch.load(Pretrained(name, "package", "model").file(), weights_only=True)
    whole.load_state_dict(dict(zip(whole.state_dict(), stored.values(), strict=True)))
    whole.eval(), network.eval()
    for picture, known in ((skimage.data.chelsea(), CATS), (skimage.data.coffee(), CUPS)):
        rgb = seen(picture)
        x = rgb / 127.5 - 1
        if colours == "in grey":
            L, _ = lab.split(rgb)
            x = network.normalise(lab.grey(L))
        with torch.no_grad():
            features = network.encoder(x)[-1]
            logits = whole.forward_head(whole.bn2(whole.conv_head(features)))
        assert int(logits.argmax()) in known


@pytest.fixture(scope="module")
def network():
    return EncoderUNet(in_channels=4, encoder_lr=0.1, layer_decay=0.5)


@pytest.mark.parametrize("stride", [2, 4, 8, 16])
@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 96)])
def test_any_size_comes_out_at_any_stride(stride, size):
    network = EncoderUNet(out_channels=5, weights="none", width=8, stride=stride).eval()
    assert network(torch.rand(1, 1, *size)).shape == (1, 5, *(-(-side // stride) for side in size))


def test_its_features_are_timm_s():
    network, other = EncoderUNet(), timm.create_model("tf_efficientnet_lite0", features_only=True)
    network.start_from()
    other.load_state_dict(network.encoder.state_dict())
    network.eval(), other.eval()
    x = torch.rand(1, 3, 96, 64)
    with torch.no_grad():
        for mine, theirs in zip(network.encoder(x), other(x), strict=True):
            torch.testing.assert_close(mine, theirs)


def test_classes_have_a_head_of_their_own():
    network = EncoderUNet(out_channels=7, weights="none", width=8, classes=5).eval()
    ab, classes = network(torch.rand(1, 1, 37, 53))
    assert network.head_strides == (4, 8)
    assert (ab.shape, classes.shape) == ((1, 2, 10, 14), (1, 5, 5, 7))


def test_hints_change_nothing_until_something_is_learnt(network):
    network.start_from()
    network.eval()
    x = torch.rand(1, 4, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), network(torch.cat([x[:, :1], 0 * x[:, 1:]], dim=1)))
    network(x)[0, 0, 0, 0].backward()
    assert network.encoder.conv_stem.weight.grad[:, 3:].abs().max() > 0


def test_stages_learn_at_their_own_rates(network):
    groups = network.groups()
    rate = {id(p): group["lr_factor"] for group in groups for p in group["params"]}
    assert len(rate) == sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    assert rate[id(network.head.weight)] == 1
    last, before = (rate[id(network.encoder.blocks[i][0].conv_pwl.weight)] for i in (6, 5))
    assert (last, before) == pytest.approx((0.1, 0.05)) and rate[
        id(network.encoder.conv_stem.weight)
    ] < before
    undecayed = [p for group in groups if group.get("weight_decay") == 0 for p in group["params"]]
    assert all(p.dim() == 1 for p in undecayed) and id(network.head.bias) in map(id, undecayed)


def test_a_frozen_encoder_and_frozen_statistics_stay():
    network = EncoderUNet(weights="none", width=8, encoder_lr=0.0, frozen_statistics=True).train()
    before = {k: v.clone() for k, v in network.encoder.state_dict().items()}
    optimizer = torch.optim.SGD(
        [{k: v for k, v in group.items() if k != "lr_factor"} for group in network.groups()], lr=0.1
    )
    network(torch.rand(2, 1, 32, 32)).square().mean().backward()
    optimizer.step()
    assert all(torch.equal(v, before[k]) for k, v in network.encoder.state_dict().items())
    assert network.decoder[0][0][1].running_mean.abs().max() > 0


def test_grey_is_the_grey_of_that_lightness():
    value = torch.linspace(0, 1, 256).reshape(1, 1, 16, 16)
    L, _ = lab.split(value.expand(1, 3, 16, 16))
    torch.testing.assert_close(lab.grey(L), value, atol=1e-5, rtol=0)


def test_a_first_layer_that_timm_names_otherwise_starts_alike(tmp_path):
    """ConvNeXt's is stem.0, and stem_0 among its features."""
    torch.manual_seed(1)
    state = timm.create_model("convnext_atto", features_only=True).state_dict()
    torch.save(state, tmp_path / "mine.pt")
    network = EncoderUNet(in_channels=3, encoder="convnext_atto", weights=str(tmp_path / "mine.pt"), width=8)
    network.start_from()
    first = network.encoder.stem_0.weight
    assert torch.equal(first[:, :3], state["stem_0.weight"]) and first[:, 3:].abs().max() == 0


def test_starting_weights_may_be_a_file(tmp_path):
    other = EncoderUNet(weights="none")
    state = timm.create_model("tf_efficientnet_lite0", features_only=True).state_dict()
    torch.save(state, tmp_path / "mine.pt")
    network = EncoderUNet(weights=str(tmp_path / "mine.pt"))
    network.start_from()
    assert torch.equal(network.encoder.conv_stem.weight, state["conv_stem.weight"])
    assert not torch.equal(network.encoder.conv_stem.weight, other.encoder.conv_stem.weight)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"encoder": "resnet9999"}, "model.encoder=resnet9999"),
        ({"encoder": "resnet18"}, "take weights=hub"),
        ({"stride": 3}, "stride=3"),
        ({"stride": 32}, "stride=32"),
        ({"width": 0}, "width=0"),
        ({"classes": 2}, "classes=2"),
        ({"layer_decay": 0}, "layer_decay=0"),
    ],
)
def test_a_fault_is_named(settings, words):
    with pytest.raises(ValueError, match=words):
        EncoderUNet(**({"weights": "none"} if settings.get("encoder") == "resnet9999" else {}) | settings)


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(ConfigError, match="not of tf_efficientnet_lite0"):
        EncoderUNet(weights=str(tmp_path / "other.pt")).start_from()
    with pytest.raises(ConfigError, match="no such file; choose package, hub, none"):
        EncoderUNet(weights=str(tmp_path / "nowhere.pt")).start_from()
