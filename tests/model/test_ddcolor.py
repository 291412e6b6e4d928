"""DDColor against the paper told again, the conversion of its authors' weights, and how it starts."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from colorization.color import lab
from colorization.config import ConfigError
from colorization.model.ddcolor import DDColor
from colorization.model.queries import sine
from colorization.model.shuffle import Block, blurred, icnr
from colorization.model.spectral import folded, spectral
from colorization.released import released, save
from colorization.reopen import open_run
from tests.model.released_ddcolor import ReleasedDDColor, positions

SMALL = {"weights": "none", "width": 16, "queries": 5, "layers": 3, "dim": 16, "heads": 2, "hidden": 32}


@pytest.fixture(scope="module")
def original():
    """Random weights with a spectral norm that is converged and statistics that do something."""
    torch.manual_seed(0)
    network = ReleasedDDColor().train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, 3, 64, 64))
        for name, tensor in network.named_parameters():
            if "bn." in name or name.endswith(("conv.1.weight", "conv.2.weight")):
                tensor.add_(0.2 * torch.randn_like(tensor))
        network.decoder.color_decoder.color_embed.layers[2].weight *= 100
    return network.eval()


@pytest.fixture(scope="module")
def weights(original, tmp_path_factory):
    path = tmp_path_factory.mktemp("released") / "ddcolor_tiny.pth"
    torch.save({"params": original.state_dict()}, path)
    return path


def grey_and_truth(original, size=(64, 96)):
    """Lightness, and what the original makes of it."""
    value = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = original(value.expand(-1, 3, -1, -1))
    L, _ = lab.split(value.expand(-1, 3, -1, -1))
    return L, expected


def test_converted_weights_give_what_the_release_gives(original, weights, tmp_path):
    save(*released(weights), tmp_path / "ddcolor.ckpt")
    colorizer = open_run(tmp_path / "ddcolor.ckpt").colorizer()
    L, expected = grey_and_truth(original)
    with torch.no_grad():
        ab = colorizer(L)
    assert expected.std() > 0.5  # the comparison is of something
    scale = float(expected.abs().max())
    torch.testing.assert_close(ab / scale, expected / scale, atol=1e-4, rtol=0)


def test_folding_the_spectral_norm_changes_nothing_and_leaves_plain_weights(weights):
    _, colorizer = released(weights)
    x, plain = torch.rand(1, 1, 64, 64), folded(colorizer.network)
    assert any(is_parametrized(module) for module in colorizer.network.modules())
    assert not any(is_parametrized(module) for module in plain.modules())
    with torch.no_grad():
        torch.testing.assert_close(plain(x), colorizer.network(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("decoder.layers.0.bn.bias"), "has no network.blocks.0.skip.bias"),
        (lambda s: s.update({"decoder.more": torch.ones(1)}), "it has a tensor 'decoder.more'"),
        (
            lambda s: s.update({"refine_net.0.0.bias": torch.ones(3)}),
            r"has network.head.bias of shape \(3,\)",
        ),
        (lambda s: s.pop("encoder.arch.stages.2.8.gamma"), "of no ConvNeXt"),
    ],
)
def test_a_file_of_another_network_is_refused_by_name(original, change, words, tmp_path):
    state = dict(original.state_dict())
    change(state)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(ConfigError, match=words):
        released(tmp_path / "other.pth")


@pytest.mark.parametrize("size", ["tiny", "large"])
def test_published_sizes(size):
    """Of the tensors that the paper's network has: counted from its description, not from ours."""
    published = {"width": 512, "dim": 256, "hidden": 2048, "weights": "none"}
    with torch.device("meta"):
        network = DDColor(encoder=f"convnext_{size}.fb_in22k", **published)
        widths = {"tiny": (96, 192, 384, 768), "large": (192, 384, 768, 1536)}[size]
        blocks = {"tiny": 9, "large": 27}[size]
    assert sum(p.numel() for p in network.parameters()) == counted(widths, blocks)


def counted(widths, blocks):
    """Parameters of DDColor over a ConvNeXt of these widths, whose third stage has so many blocks."""
    encoder = 3 * 16 * widths[0] + 3 * widths[0]
    for before, after in pairwise(widths):
        encoder += 2 * before + 4 * before * after + after
    for width, depth in zip(widths, (3, 3, blocks, 3), strict=True):
        encoder += depth * (49 * width + width + 2 * width + 8 * width * width + 5 * width + width)
    norms = 2 * sum(widths)
    pixels = 0
    for deep, skip, out in ((widths[3], widths[2], 512), (512, widths[1], 512), (512, widths[0], 256)):
        pixels += deep * 4 * out + 8 * out + 2 * skip + 9 * (out + skip) * out + 2 * out
    pixels += 256 * 256 * 16 + 256 * 16
    attention = 4 * (256 * 256 + 256) + 512
    colours = 9 * (2 * attention + 2 * 256 * 2048 + 2048 + 256 + 512) + 512 + (100 + 100 + 3) * 256
    colours += (512 + 512 + 256) * 256 + 3 * 256 + 3 * (256 * 256 + 256)
    return encoder + norms + pixels + colours + 103 * 2 + 2


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 96)])
def test_any_size_comes_out_at_any_stride(stride, size):
    network = DDColor(in_channels=4, out_channels=5, stride=stride, **SMALL).eval()
    assert network(torch.rand(1, 4, *size)).shape == (1, 5, *(-(-side // stride) for side in size))


def test_positions_are_those_of_the_paper():
    torch.testing.assert_close(sine(3, 5, 256), positions(3, 5).flatten(1).T, atol=1e-5, rtol=0)


def test_a_shuffle_starts_as_nearest_neighbour_enlargement():
    conv = icnr(nn.Conv2d(6, 4 * 9, 1), 3)
    x = torch.randn(1, 6, 4, 5)
    big = nn.functional.pixel_shuffle(conv(x), 3)
    torch.testing.assert_close(big, nn.functional.interpolate(big[..., 1::3, 1::3], scale_factor=3.0))


def test_a_blur_is_the_mean_of_four():
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert blurred(x)[0, 0].tolist() == [[0, 0.5, 1.5], [1.5, 2, 3], [4.5, 5, 6]]


def test_weights_have_a_largest_gain_of_one():
    conv = spectral(nn.Conv2d(8, 12, 3)).train()
    for _ in range(100):
        conv(torch.rand(1, 8, 4, 4))
    assert torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-3)
    assert all(is_parametrized(part) for part in (Block(4, 4, 4).grow, Block(4, 4, 4).conv))


def test_it_starts_from_the_package_and_hints_change_nothing_at_first():
    network = DDColor(in_channels=4, **SMALL | {"weights": "package"})
    network.start_from()
    features = network.encoder.eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        plain, hinted = (
            features(torch.cat([x, more], dim=1))
            for more in (torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64))
        )
    assert all(torch.equal(a, b) for a, b in zip(plain, hinted, strict=True))
    assert (
        features.conv_stem.weight[:, :3].std() > 0
        and network.pretrained.state()["conv_stem.weight"].shape[1] == 3
    )


def test_a_query_that_is_absent_from_the_read_out_changes_nothing():
    """The product of head and embeddings is what mixes the maps, and each map is a query's."""
    network = DDColor(**SMALL).eval()
    x = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        network.head.parametrizations.weight.original[:, 2] = 0
        before = network(x)
        network.head.parametrizations.weight.original[:, 2] = 0.5
        assert (network(x) - before).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stride": 3}, "stride=3"),
        ({"width": 15}, "width=15"),
        ({"layers": 2}, "layers=2"),
        ({"dim": 18, "heads": 3}, "dim=18"),
        ({"encoder": "vit_tiny_patch16_224"}, "need 1/4, 1/8"),
    ],
)
def test_a_fault_is_named(settings, words):
    with pytest.raises(ValueError, match=words):
        DDColor(**SMALL | settings)
