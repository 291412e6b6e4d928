"""SIGGRAPH17 against the authors' layout, its two heads, and what happens without hints."""

import pytest
import torch

from colorization.model.siggraph17 import SIGGRAPH17
from colorization.released import released, save
from colorization.reopen import open_run
from tests.model.released import ReleasedSIGGRAPH17, random_weights


def gradients(network, output):
    """The names of the weights that an output trains."""
    network.zero_grad(set_to_none=True)
    output.square().sum().backward()
    return {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}


def test_converted_weights_give_what_the_release_gives(tmp_path):
    original = random_weights(ReleasedSIGGRAPH17())
    original.model_out[0].weight.data *= 0.02  # keeps the tanh off its ends
    torch.save(original.state_dict(), tmp_path / "siggraph17.pth")
    save(*released(tmp_path / "siggraph17.pth"), tmp_path / "siggraph17.ckpt")
    colorizer = open_run(tmp_path / "siggraph17.ckpt").colorizer()
    L, ab = torch.rand(2, 1, 40, 32) * 100, torch.rand(2, 2, 40, 32) * 100 - 50
    mask = (torch.rand(2, 1, 40, 32) < 0.1).float()
    hints = torch.cat([ab * mask / 110, mask], dim=1)
    with torch.no_grad():
        expected, classes = original(L, ab * mask, mask)
        predicted = colorizer(L, hints)
        _, logits = colorizer.network(colorizer.network.units.encode(L, hints))
        assert expected.std() > 1
        torch.testing.assert_close(predicted, expected, atol=1e-3, rtol=1e-5)
        torch.testing.assert_close(logits, classes, atol=1e-3, rtol=1e-5)
        automatic, _ = original(L, 0 * ab, 0 * mask)
        alone = colorizer(L)
        torch.testing.assert_close(alone, automatic, atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("size", [(32, 24), (37, 30), (1, 5)])
def test_any_size_comes_out_whole(size):
    network = SIGGRAPH17(out_channels=12, classes=10).eval()
    x = torch.rand(1, 4, *size)
    y, logits = network(x)
    assert y.shape == (1, 2, *size)
    assert logits.shape == (1, 10, -(-size[0] // 4), -(-size[1] // 4))
    assert network.head_strides == (1, 4)


def test_a_class_head_alone_leaves_the_decoder_out():
    network = SIGGRAPH17(out_channels=313, classes=313)
    assert network.stride == 4
    assert network(torch.rand(2, 1, 16, 16)).shape == (2, 313, 4, 4)
    assert gradients(network, network(torch.rand(2, 1, 16, 16))) == {n for n, _ in network.named_children()}


def test_trunk_says_whose_gradients_reach_the_shared_blocks():
    x = torch.rand(2, 4, 16, 16)
    decoder = {"up9", "short9", "conv9", "up10", "short10", "conv10", "head"}
    shared = {"conv1", "conv2", "conv3", "conv4", "conv5", "conv6", "conv7", "conv8", "up8", "short8"}
    for trunk, from_colour, from_classes in (
        ("colour", shared, set()),
        ("classes", set(), shared),
        ("both", shared, shared),
    ):
        network = SIGGRAPH17(out_channels=12, classes=10, trunk=trunk)
        assert gradients(network, network(x)[0]) == decoder | from_colour
        assert gradients(network, network(x)[1]) == {"classify"} | from_classes


def test_no_hints_is_a_mask_of_zeros_everywhere():
    network = SIGGRAPH17().eval()
    L = torch.rand(1, 1, 16, 16)
    torch.testing.assert_close(network(L), network(torch.cat([L, torch.zeros(1, 3, 16, 16)], dim=1)))


def test_global_channels_are_read_once_for_the_whole_picture():
    network = random_weights(SIGGRAPH17(in_channels=1 + 6, global_channels=6))
    x = torch.cat([torch.rand(1, 1, 16, 16), torch.rand(1, 6, 1, 1).expand(-1, -1, 16, 16)], dim=1)
    elsewhere = x.clone()
    elsewhere[:, 1:, 8:] = 9.0
    torch.testing.assert_close(network(x), network(elsewhere))
    everywhere = x.clone()
    everywhere[:, 1:] = 9.0
    assert (network(x) - network(everywhere)).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"classes": 3}, "classes=3"),
        ({"global_channels": 4}, "global_channels=4"),
        ({"trunk": "ab"}, "trunk='ab'"),
    ],
)
def test_errors_name_what_was_given(settings, words):
    with pytest.raises(ValueError, match=words):
        SIGGRAPH17(**settings)
