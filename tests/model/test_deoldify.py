"""The generator of DeOldify: counted from its description, and what its parts do."""

import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from colorization.model.deoldify import DeOldify
from colorization.model.spectral import folded

# Channels of ResNet's stages, and its parameters without the classifier.
RESNET = {
    "resnet34": ((64, 64, 128, 256, 512), 21_284_672),
    "resnet101": ((64, 256, 512, 1024, 2048), 42_500_160),
}


def conv(before, after):
    """3x3 without bias, and BatchNorm."""
    return 9 * before * after + 2 * after


def counted(encoder, decoder, factor):
    """Parameters, from fastai's U-Net as its authors changed it."""
    (*skips, x), total = RESNET[encoder]
    total += 2 * x + conv(x, 2 * x) + conv(2 * x, x)
    for left in (3, 2, 1, 0):
        skip = skips[left]
        if decoder == "deep":
            up = x // 2
            out = int((up + skip) * factor) if left else int((up + skip) // 2 * factor)
        else:
            up = out = int(512 * factor if left else 256 * factor) // 2
        total += x * 4 * up + 2 * 4 * up + 2 * skip + conv(up + skip, out)
        total += conv(out, out) if decoder == "deep" else 0
        total += 2 * out * (out // 8) + out * out + 1 if left == 2 else 0
        x = out
    total += x * 4 * x + 2 * 4 * x  # 1x1, bias, and the length of each weight
    x += 3
    return total + 2 * (9 * x * x + x) + 2 * x + 2


@pytest.mark.parametrize(
    ("encoder", "decoder", "factor"), [("resnet34", "deep", 1.5), ("resnet101", "wide", 2)]
)
def test_published_sizes(encoder, decoder, factor):
    with torch.device("meta"):
        network = DeOldify(encoder=encoder, weights="none", decoder=decoder, factor=factor)
    assert sum(p.numel() for p in network.parameters()) == counted(encoder, decoder, factor)
    decoding = [
        m for name, m in network.named_modules() if isinstance(m, torch.nn.Conv2d) and "encoder" not in name
    ]
    assert all(is_parametrized(m, "weight") for m in decoding)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return DeOldify(in_channels=3, out_channels=5, weights="none", decoder="wide", factor=0.125).eval()


@pytest.mark.parametrize("size", [(1, 1), (37, 53)])
def test_any_size_comes_out_as_it_is(network, size):
    assert network(torch.rand(2, 3, *size)).shape == (2, 5, *size)


def test_one_position_may_attend_to_all(network):
    """Where attention is let in, a far corner that no convolution sees changes what comes out."""
    x = torch.rand(1, 3, 64, 64)
    assert [len(more) for more in network.more] == [0, 1, 0, 0]
    with torch.no_grad():
        before = network(x)
        network.more[1][0].gamma.fill_(1.0)
        assert not torch.allclose(network(x), before)
        plain = folded(network)
        torch.testing.assert_close(plain(x), network(x), atol=1e-4, rtol=1e-4)
        network.more[1][0].gamma.fill_(0.0)
    assert not any(is_parametrized(module) for module in plain.modules())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"factor": 0.0}, "factor=0"),
        ({"encoder": "vit_tiny_patch16_224", "weights": "none"}, "need each to halve"),
    ],
)
def test_errors_name_what_was_given(settings, words):
    with pytest.raises(ValueError, match=words):
        DeOldify(**settings)
