"""What every objective has: targets at the network's stride, output at the picture's size, decoding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.objective.base import at_stride, upsample
from colorization.objective.classification import Classification
from colorization.objective.regression import Regression
from tests.objective.fixed import Fixed


@given(st.integers(1, 4), st.integers(1, 17), st.integers(1, 17))
@settings(max_examples=30, deadline=None)
def test_the_target_is_the_pixel_at_the_centre(stride, height, width):
    ab = torch.arange(2.0 * height * width).reshape(1, 2, height, width)
    target = at_stride(ab, stride)
    rows, columns = (
        [min(i * stride + stride // 2, side - 1) for i in range(-(-side // stride))]
        for side in (height, width)
    )
    assert torch.equal(target, ab[..., rows, :][..., columns])


def test_the_stride_is_not_guessed_from_the_sizes():
    """9 columns at stride 4: the last position stands for the ninth alone."""
    assert at_stride(torch.arange(18.0).reshape(1, 2, 1, 9), 4)[0, 0, 0].tolist() == [2, 6, 8]


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_an_output_stands_at_the_centre_of_its_pixels(stride):
    """A ramp of L, averaged over stride x stride pixels, comes back as the same ramp but for its ends."""
    rows, columns = torch.arange(4.0 * stride)[:, None], torch.arange(5.0 * stride)
    ramp = (3 * rows + columns)[None, None]
    small = torch.nn.functional.avg_pool2d(ramp, stride)
    inner = slice(stride, -stride)
    torch.testing.assert_close(upsample(small, stride, ramp)[..., inner, inner], ramp[..., inner, inner])
    cut = ramp[..., :-1, : -stride + 1]  # of a picture that is no multiple, the same but for the end
    torch.testing.assert_close(
        upsample(small, stride, cut), upsample(small, stride, ramp)[..., :-1, : -stride + 1]
    )


def test_decoding_sets_what_is_declared_and_nothing_else():
    objective = Classification()
    objective.decode(temperature=0.1)
    assert objective.temperature == 0.1
    with pytest.raises(ConfigError, match="temperature=-1: choose more than 0"):
        objective.decode(temperature=-1)
    with pytest.raises(ConfigError, match=r"temprature=1: .* takes temperature, vivid, chroma; did you mean"):
        objective.decode(temprature=1)
    with pytest.raises(ConfigError, match=r"rebalance=1: no setting of Classification's decoding"):
        objective.decode(rebalance=1)
    with pytest.raises(ConfigError, match="it takes vivid, chroma"):
        Regression().decode(temperature=1)


def test_only_a_distribution_has_samples():
    assert Classification().samples and not Regression().samples
    with pytest.raises(ConfigError, match="samples=3: this objective gives one colouring"):
        Regression().sample(Fixed(torch.zeros(1, 2, 4, 4)), Given(torch.zeros(1, 1, 4, 4)), 3)
