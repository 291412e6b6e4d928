"""What decoding does to chroma: the ends of vivid, the fit on validation pixels, a gain for any objective."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from skimage.data import astronaut, chelsea, coffee

from colorization.color import lab
from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.objective.classification import Classification
from colorization.objective.joint import Joint
from colorization.objective.regression import Regression
from colorization.objective.vivid import POWER, Vividness, stretched
from colorization.protocol import Protocol
from colorization.vividness import Pixels
from tests.objective.fixed import Fixed, batch_of

PHOTOS = np.stack([photo()[:256, :256] for photo in (astronaut, chelsea, coffee)])
TRUTH = torch.from_numpy(PHOTOS).movedim(-1, 1)
L, AB = lab.split(TRUTH)
PALE = 0.4 * AB + 2  # an accurate end: right hues, too little chroma
V1 = Protocol(name="v1")


def m3(rgb):
    """Colorfulness of (H, W, 3) sRGB 0..255 as Hasler and Suesstrunk write it."""
    R, G, B = rgb.astype(float).reshape(-1, 3).T
    rg, yb = R - G, (R + G) / 2 - B
    return math.hypot(rg.std(), yb.std()) + 0.3 * math.hypot(rg.mean(), yb.mean())


def mean_m3(ab):
    shown = lab.to_uint8(lab.merge(L, ab)).movedim(1, -1).numpy()
    return np.mean([m3(picture) for picture in shown])


def fitted(ab=PALE):
    pixels = Pixels(V1)
    pixels.add(TRUTH[:2], ab[:2])
    pixels.add(TRUTH[2:], ab[2:])
    return pixels.fit()


def regression(**settings):
    """A regression that has fitted on PALE and gives it."""
    objective = Regression()
    objective.vividness = fitted()
    objective.decode(**settings)
    network = Fixed(torch.zeros(1))
    network.output = torch.nn.Parameter(torch.atanh(PALE / network.units.ab_scale))
    return objective.colouring(network, Given(L)).detach()


def test_the_formula():
    ab = torch.randn(2, 2, 5, 7, generator=torch.Generator().manual_seed(0)) * 20
    chroma = np.hypot(*ab.numpy().swapaxes(0, 1))
    factor = 1 + 0.3 * (2.5 * (chroma / chroma.mean(axis=(1, 2), keepdims=True)) ** POWER - 1)
    np.testing.assert_allclose(stretched(ab, 2.5, 0.3), ab.numpy() * factor[:, None], rtol=1e-4)


def test_the_fit_meets_the_mean_colorfulness_of_the_truth():
    """By a second implementation, on all pixels: the grid of the fit is but a sixty-fourth of them."""
    found, truth = fitted(), np.mean([m3(picture) for picture in PHOTOS])
    assert mean_m3(PALE) < 0.6 * truth
    assert mean_m3(found.gain * PALE) == pytest.approx(truth, rel=0.02)
    assert mean_m3(stretched(PALE, found.strength)) == pytest.approx(truth, rel=0.02)


def test_pictures_without_colour_do_not_count():
    pixels = Pixels(V1)
    pixels.add(TRUTH, PALE)
    pixels.add(torch.full_like(TRUTH, 128), torch.zeros_like(PALE))
    assert pixels.fit() == pytest.approx(fitted(), rel=1e-3)


@pytest.mark.parametrize("ab", [torch.zeros_like(AB), torch.full_like(AB, math.nan)])
def test_nothing_is_fitted_where_no_factor_helps(ab):
    assert fitted(ab) is None and Pixels(V1).fit() is None


def test_the_accurate_end_is_the_prediction_to_the_last_bit_and_colour_grows_from_there():
    assert torch.equal(regression(vivid=0), regression())
    colour = [mean_m3(regression(vivid=vivid / 5)) for vivid in range(6)]
    assert colour == sorted(set(colour))
    assert colour[-1] == pytest.approx(np.mean([m3(picture) for picture in PHOTOS]), rel=0.02)


def test_a_gain_keeps_lightness_and_hue():
    before, after = regression(), regression(chroma=1.7)
    torch.testing.assert_close(after, 1.7 * before)
    seen = rgb2lab(lab.merge(L, after).movedim(1, -1).numpy())
    wanted = torch.cat([L, after], dim=1).movedim(1, -1).numpy()
    assert np.abs(seen[..., 0] - wanted[..., 0]).max() < 0.5
    clear = (np.hypot(seen[..., 1], seen[..., 2]) > 5) & (wanted[..., 0] > 10)
    hue, right = (np.arctan2(ab[clear][:, 2], ab[clear][:, 1]) for ab in (seen, wanted))
    assert clear.mean() > 0.5 and np.cos(hue - right).min() > math.cos(math.radians(2))


def test_the_accurate_end_of_a_distribution_divides_the_tilt_out():
    """Two bins at p = 0.75 and 0.25, learnt with weights 1 and 9: the tilt alone prefers the rare one."""
    objective = Classification(temperature=0.38)
    weights, p = torch.ones(313), torch.zeros(313)
    common, rare = 100, 200
    weights[rare], p[common], p[rare] = 9.0, 0.75, 0.25
    objective.weights.copy_(weights)
    network = Fixed((p * weights + 1e-30).log()[None, :, None, None].expand(1, 313, 4, 4).clone())
    given = Given(torch.full((1, 1, 4, 4), 50.0))
    centres = objective.gamut.centres
    mean = 0.75 * centres[common] + 0.25 * centres[rare]
    near = partial(torch.testing.assert_close, atol=1e-3, rtol=1e-4)
    old = objective.predict(network, given)
    assert (old[0, :, 0, 0] - centres[rare]).norm() < 10
    torch.testing.assert_close(objective.colouring(network, given), old)
    objective.decode(vivid=0)
    near(objective.colouring(network, given)[0, :, 2, 2], mean)
    objective.decode(chroma=0.5)
    torch.testing.assert_close(
        objective.colouring(network, given)[0, :, 2, 2], mean / 2, atol=1e-3, rtol=1e-4
    )


@pytest.mark.parametrize("settings", [{}, {"vivid": 0}, {"vivid": 0.6, "chroma": 1.1}, {"chroma": 0.0}])
@pytest.mark.parametrize("kind", [Regression, Classification, Joint])
def test_what_is_scored_is_what_is_shown(kind, settings):
    """Of the forward that gave the losses, and of a forward of its own."""
    objective = kind().eval()
    objective.vividness = Vividness(1.5, 1.3)
    objective.decode(**settings)
    generator = torch.Generator().manual_seed(0)
    network = Fixed(torch.randn(1, objective.needs.out, 8, 8, generator=generator)).eval()
    batch = batch_of(torch.randn(1, 2, 8, 8, generator=generator) * 30)
    with torch.no_grad():
        shown = objective.shown(objective.loss(network, batch))
        torch.testing.assert_close(shown, objective.colouring(network, batch.given))
    assert bool(shown.any()) == (settings.get("chroma") != 0.0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"chroma": -0.1}, r"chroma=-0.1: choose a factor from 0 \(grey\), such as 1.2"),
        ({"chroma": math.nan}, "chroma=nan: choose a factor"), ({"chroma": math.inf}, "chroma=inf"),
        ({"chroma": "much"}, "chroma=much"), ({"chroma": True}, "chroma=True"),
        ({"vivid": 1.2}, r"vivid=1.2: choose 0 \(accurate\) to 1"), ({"vivid": -1}, "vivid=-1: choose 0"),
        ({"vivid": math.nan}, "vivid=nan: choose 0"), ({"vivid": "very"}, "vivid=very: choose 0"),
        ({"vivid": 0.5}, r"vivid=0.5: was not fitted .*evaluate run=RUN keep_vividness=true"),
        ({"vivid": 0, "temperature": 0.2}, "vivid=0 temperature=0.2: .*give one"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(settings, said):
    with pytest.raises(ConfigError, match=said):
        Classification().decode(**settings)


def test_the_accurate_end_needs_no_fit_and_null_is_the_old_decoding():
    objective = Classification()
    objective.decode(vivid=0)
    objective.decode(vivid=None, temperature=0.2)
    assert objective.vivid is None and objective.temperature == 0.2
