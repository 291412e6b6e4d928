"""The network of Larsson et al.: its column against one that is made, and the weights that it starts from."""

import pytest
import timm
import torch
from torch.nn.functional import conv2d, interpolate, max_pool2d

from colorization.color import lab
from colorization.model.larsson import Larsson


def test_the_column_has_the_numbers_of_the_paper():
    with torch.device("meta"):
        network = Larsson(width=64, deep=4096, hidden=1024)
    assert sum(reader.in_channels for reader in network.column) == 12_417
    assert [conv[0].out_channels for stage in network.stages for conv in stage] == [
        *(64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    ]
    assert network.deep[0][0].kernel_size == (7, 7) and network.column[0].out_channels == 1024


@pytest.mark.parametrize("stride", [1, 4, 32])
def test_what_is_read_is_the_hypercolumn_in_one_layer(stride):
    """Every layer's output is enlarged or picked to the output's positions, joined, and read at once."""
    network = Larsson(width=2, deep=6, hidden=5, out_channels=3, stride=stride).eval()
    layers = []
    for module in [conv for stage in network.stages for conv in stage] + list(network.deep):
        module.register_forward_hook(lambda _, __, y: layers.append(y))
    x = torch.rand(1, 1, 64, 96)
    with torch.no_grad():
        y = network(x)
        grey, _ = (lab.merge(100 * x, torch.zeros(1, 2, 64, 96))[:, :1], None)
        parts = [grey - 0.4488, *layers]
        column = []
        for part in parts:
            step = part.shape[-1] * stride // 96
            if step >= 1:
                column.append(part[..., step // 2 :: step, step // 2 :: step])
            else:
                column.append(interpolate(part, size=(64 // stride, 96 // stride), mode="bilinear"))
        joined = torch.cat(column, dim=1)
        weight = torch.cat([reader.weight for reader in network.column], dim=1)
        expected = network.head(conv2d(joined, weight, network.column[0].bias).relu())
    assert joined.shape[1] == weight.shape[1]
    torch.testing.assert_close(y, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 96)])
def test_any_size_comes_out_at_its_stride(size):
    network = Larsson(in_channels=4, out_channels=6, width=2, deep=4, hidden=4, stride=4).eval()
    assert network(torch.rand(1, 4, *size)).shape == (1, 6, *(-(-side // 4) for side in size))


def test_it_starts_as_vgg_16_that_sees_grey(tmp_path):
    vgg = timm.create_model("vgg16_bn", features_only=True).eval()
    for module in vgg.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 1.5)
    torch.save(vgg.state_dict(), tmp_path / "vgg.pt")
    network = Larsson(weights=str(tmp_path / "vgg.pt"), width=64, deep=4, hidden=4).eval()
    network.start_from()
    value = torch.rand(1, 1, 64, 64)
    mean, std = (torch.tensor(vgg.pretrained_cfg[key]).reshape(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        x = value - 0.4488
        for stage in network.stages[:2]:
            for conv in stage:
                x = conv(x)
            last, x = x, max_pool2d(x, 2)
        theirs = vgg((value.expand(-1, 3, -1, -1) - mean) / std)[1]
    inner = (..., slice(8, -8), slice(8, -8))  # what lies outside is 0 in one, and the mean in the other
    assert theirs[inner].std() > 0
    torch.testing.assert_close(last[inner], theirs[inner], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"stride": 3}, "stride=3"), ({"hidden": 0}, "hidden=0"), ({"weights": "hub"}, "VGG-16 has width=64")],
)
def test_errors_name_what_was_given(settings, words):
    with pytest.raises(ValueError, match=words):
        Larsson(**settings)
