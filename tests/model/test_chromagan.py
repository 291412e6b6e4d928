"""The generator of ChromaGAN: counted from its description, VGG-16's own numbers, any size."""

import pytest
import timm
import torch
from torch import nn

from colorization.model.chromagan import ChromaGAN

# Convolutions as (inputs, outputs) of 3x3 pixels, fully connected layers likewise, all with biases.
VGG = [
    (3, 64),
    (64, 64),
    (64, 128),
    (128, 128),
    (128, 256),
    (256, 256),
    (256, 256),
    (256, 512),
    (512, 512),
    (512, 512),
]
NORMED = [*[(512, 512)] * 4, (512, 512), (512, 256)]  # global, then mid-level
DECODER = [(256, 128), (128, 64), (64, 64), (64, 32), (32, 2)]
LINEAR = [(7 * 7 * 512, 1024), (1024, 512), (512, 256)]
CLASSES = [(7 * 7 * 512, 4096), (4096, 4096), (4096, 1000)]
TINY = {"width": 4, "size": 64}


def test_it_has_the_layers_of_the_paper():
    with torch.device("meta"):
        network = ChromaGAN(out_channels=1002, classes=1000)
    expected = sum(9 * i * o + o for i, o in VGG + NORMED + DECODER) + sum(2 * o for _, o in NORMED)
    expected += sum(i * o + o for i, o in LINEAR + CLASSES) + 512 * 256 + 256
    assert sum(p.numel() for p in network.parameters()) == expected
    strides = [m.stride[0] for m in network.copy.modules() if isinstance(m, nn.Conv2d)]
    assert strides == [2, 1, 2, 1] and network.units.ab_scale == 255 / 2


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 96)])
def test_any_size_comes_out_at_half(size):
    network = ChromaGAN(in_channels=3, out_channels=12, classes=10, **TINY).eval()
    y, classes = network(torch.rand(2, 3, *size))
    assert network.head_strides == (2, 8)
    assert y.shape == (2, 2, *(-(-side // 2) for side in size))
    assert classes.shape == (2, 10, *(-(-side // 8) for side in size))
    assert torch.equal(classes, classes[..., :1, :1].expand_as(classes))


def test_training_starts_from_vgg_16_and_ignores_hints(tmp_path):
    """Its first ten convolutions, of a picture that is grey in sRGB: L = 53.389 is a value of 0.5."""
    torch.manual_seed(0)
    vgg = timm.create_model("vgg16", features_only=True).eval()
    torch.save(vgg.state_dict(), tmp_path / "vgg16.pth")
    network = ChromaGAN(in_channels=4, weights=str(tmp_path / "vgg16.pth"), size=32).eval()
    network.start_from()
    x = torch.cat([torch.full((1, 1, 32, 32), 0.53389), torch.rand(1, 3, 32, 32)], dim=1)
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.no_grad():
        expected = vgg(((0.5 - mean) / std).expand(1, 3, 32, 32))[3]
        torch.testing.assert_close(network.low(network.seen(x)), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"classes": 2}, "classes=2"),
        ({"size": 100}, "size=100"),
        ({"weights": "hub", "width": 8}, "VGG-16 has"),
    ],
)
def test_errors_name_what_was_given(settings, words):
    with pytest.raises(ValueError, match=words):
        ChromaGAN(**settings)
