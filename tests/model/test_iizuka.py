"""The network of Let there be Color!: sizes counted from the paper's table, global features, class head."""

import pytest
import torch

from colorization.model.iizuka import Iizuka

# Convolutions of the paper's table 1 as (inputs, outputs), of 3x3 pixels; fully connected layers likewise.
LOW = [(1, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]
COPY, MIDDLE = [(512, 512)] * 4, [(512, 512), (512, 256)]
DECODER = [(256, 128), (128, 64), (64, 64), (64, 32)]
LINEAR, CLASSES = [(7 * 7 * 512, 1024), (1024, 512), (512, 256)], [(512, 256), (256, 205)]


def test_it_has_the_layers_of_the_paper():
    """Each normalised convolution has a scale and a shift for every output in place of a bias."""
    convs = sum(9 * i * o + 2 * o for i, o in LOW + COPY + MIDDLE + DECODER)
    expected = convs + sum(i * o + o for i, o in LINEAR + CLASSES) + (512 * 256 + 256) + (9 * 32 * 2 + 2)
    network = Iizuka(out_channels=207, classes=205)
    assert sum(p.numel() for p in network.parameters()) == expected


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 96)])
def test_any_size_comes_out_at_half(size):
    network = Iizuka(in_channels=3, out_channels=12, classes=10, size=64, width=4).eval()
    y, classes = network(torch.rand(2, 3, *size))
    assert network.head_strides == (2, 8)
    assert y.shape == (2, 2, *(-(-side // 2) for side in size))
    assert classes.shape == (2, 10, *(-(-side // 8) for side in size))
    assert Iizuka(size=64, width=4).eval()(torch.rand(2, 1, *size)).shape == y.shape


def test_what_the_classes_see_is_the_whole_picture_and_the_same_everywhere():
    network = Iizuka(out_channels=12, classes=10, size=64, width=8).eval()
    _, classes = network(torch.rand(1, 1, 48, 80))
    assert torch.equal(classes, classes[..., :1, :1].expand_as(classes))


def test_a_far_corner_reaches_every_position_through_the_global_features_alone():
    network = Iizuka(size=64, width=8).eval()
    x = torch.rand(1, 1, 256, 256)
    other = x.clone()
    other[..., -16:, -16:] = 5.0
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
                module.weight *= 4
        assert (network(x) - network(other))[..., :8, :8].abs().max() > 1e-3
        network.fusion[0].weight[:, :32] = 0
        assert torch.equal(network(x)[..., :8, :8], network(other)[..., :8, :8])


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"classes": 2}, "classes=2"), ({"size": 100}, "size=100"), ({"width": 3}, "width=3")],
)
def test_errors_name_what_was_given(settings, words):
    with pytest.raises(ValueError, match=words):
        Iizuka(**settings)
