"""ECCV16 against the authors' layout, and the conversion of their weights."""

import pytest
import torch

from colorization.color.gamut import in_gamut
from colorization.config import ConfigError
from colorization.model.eccv16 import ECCV16
from colorization.released import released, save
from colorization.reopen import open_run
from tests.model.released import ReleasedECCV16, random_weights


@pytest.fixture(scope="module")
def original():
    network = random_weights(ReleasedECCV16())
    network.model_out.weight.data = in_gamut().T[..., None, None] / 110
    return network


@pytest.fixture(scope="module")
def weights(original, tmp_path_factory):
    path = tmp_path_factory.mktemp("released") / "colorization_release_v2.pth"
    torch.save(original.state_dict(), path)
    return path


def test_it_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in ECCV16().parameters()) == 32_235_385
    readout = 2 * 313
    assert sum(p.numel() for p in ReleasedECCV16().parameters()) == 32_235_385 + readout


@pytest.mark.parametrize("size", [(32, 24), (37, 30), (1, 5)])
def test_any_size_comes_out_at_a_quarter(size):
    network = ECCV16(out_channels=3).eval()
    assert network(torch.rand(1, 1, *size)).shape == (1, 3, -(-size[0] // 4), -(-size[1] // 4))


def test_converted_weights_give_what_the_release_gives(original, weights, tmp_path):
    save(*released(weights), tmp_path / "eccv16.ckpt")
    colorizer = open_run(tmp_path / "eccv16.ckpt").colorizer()
    L = torch.rand(2, 1, 40, 32) * 100
    with torch.no_grad():
        expected = original(L)
        ab = colorizer(L)
    assert expected.std() > 1  # the comparison is of something
    torch.testing.assert_close(ab, expected, atol=1e-3, rtol=1e-5)


def test_a_file_of_another_network_is_refused_by_name(original, tmp_path):
    state = original.state_dict()
    state["model4.0.weight"] = state["model4.0.weight"][:, :7]
    del state["model2.0.bias"]
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(
        ConfigError, match=r"has no network\.conv2\.0\.bias, has network\.conv4\.0\.weight of"
    ):
        released(tmp_path / "other.pth")
    torch.save(state | {"model99x": torch.ones(1)}, tmp_path / "more.pth")
    with pytest.raises(ConfigError, match="model99x"):
        released(tmp_path / "more.pth")


class Anything:
    """Something that is not a tensor."""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"not a torch file", "not a PyTorch file of tensors"),
        ({"weight": Anything()}, "not a PyTorch file of tensors"),
        ({"weight": torch.ones(1)}, "not a released eccv16 or siggraph17"),
        ([1, 2], "not a state dict"),
        ({}, "not a state dict"),
    ],
)
def test_a_file_of_anything_else_is_refused(content, words, tmp_path):
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(ConfigError, match=words):
        released(path)
