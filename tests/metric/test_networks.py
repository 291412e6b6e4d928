"""LPIPS, FID and KID against their libraries, with random weights: nothing is downloaded."""

import logging
import sys
from urllib.error import URLError

import pytest
import torch
import torch_fidelity
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from colorization.metric import lpips, network
from colorization.metric.base import Absent, Pair
from colorization.metric.inception import FID, KID, frechet, mmd, warn
from colorization.metric.lpips import LPIPS


@pytest.fixture(autouse=True)
def no_weights(tmp_path, monkeypatch):
    """No downloaded weights, no connection, nothing built yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", refused)
    forget()
    yield
    forget()


def refused(*_, **__):
    raise URLError("no connection")


def forget():
    network._made.cache_clear()
    warn.cache_clear()


def features(count, size, seed):
    """Not normal, correlated, and wider the larger the seed."""
    draw = torch.Generator().manual_seed(seed)
    mix = torch.randn(size, size, generator=draw) / size**0.5
    return (1 + seed / 9) * torch.randn(count, size, generator=draw).relu() @ mix


def fidelity(x, y):
    one, other = (fid_features_to_statistics(z.double()) for z in (x, y))
    return fid_statistics_to_metric(one, other, verbose=False)["frechet_inception_distance"]


@pytest.mark.parametrize("count", [20, 400])  # fewer and more than there are features
def test_fid_is_torch_fidelitys(count):
    x, y = features(count, 64, 1), features(count + 10, 64, 2)
    assert frechet(x.double(), y.double()) == pytest.approx(fidelity(x, y), rel=1e-5)
    assert frechet(x.double(), x.double()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("count", [40, 1100])  # all at once, and subsets
def test_kid_is_torch_fidelitys(count, monkeypatch):
    monkeypatch.setattr("colorization.metric.inception.SUBSETS", 5)
    x, y = features(count, 16, 1), features(count, 16, 2)
    expected = kid_features_to_metric(x, y, kid_subsets=5, kid_subset_size=min(count, 1000), verbose=False)
    found = KID(lambda pictures: pictures.flatten(1))
    found.update(Pair(x[:, :, None, None], y[:, :, None, None]))
    assert found.compute() == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-4)


def test_kid_of_one_distribution_is_0_on_average():
    found = torch.tensor([mmd(torch.randn(50, 8), torch.randn(50, 8)) for _ in range(100)])
    assert found.min() < 0 < found.max() and found.mean().abs() < 4 * found.std() / 10


def test_few_pictures_are_told_once(caplog):
    pictures = torch.rand(3, 3, 4, 4)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            metric = FID(lambda rgb: rgb.mean(dim=(2, 3)))
            metric.update(Pair(pictures, pictures))
            metric.compute()
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["fid of 3 pictures"]


def test_fid_and_kid_extract_features_once():
    calls = []

    def extract(rgb):
        calls.append(rgb)
        return rgb.mean(dim=(2, 3))

    pair = Pair(torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4))
    for metric in (FID(extract), KID(extract)):
        metric.update(pair)
    assert len(calls) == 2


def test_one_picture_has_no_spread():
    metric = FID(lambda rgb: rgb.mean(dim=(2, 3)))
    metric.update(Pair(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)))
    with pytest.raises(Absent, match="1 pictures"):
        metric.compute()


class Shown(torch.utils.data.Dataset):
    def __init__(self, rgb):
        self.rgb = rgb

    def __len__(self):
        return len(self.rgb)

    def __getitem__(self, i):
        return (255 * self.rgb[i]).round().byte()


@pytest.mark.filterwarnings("ignore:This DataLoader")
def test_pictures_give_torch_fidelitys_number(pair, tmp_path, monkeypatch):
    """From pictures to a number, with weights where the library looks for downloaded ones."""
    weights = tmp_path / "hub" / "checkpoints" / URL_INCEPTION_V3.rpartition("/")[2]
    weights.parent.mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(
            "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url", lambda *_, **__: {}
        )
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.save(FeatureExtractorInceptionV3("random", ["2048"]).state_dict(), weights)
    shown = Pair(pair.predicted[:2], pair.truth[:2])
    expected = torch_fidelity.calculate_metrics(
        input1=Shown(shown.predicted), input2=Shown(shown.truth), kid=True, kid_subset_size=2, cuda=False,
        feature_extractor_weights_path=str(weights), cache=False, verbose=False, batch_size=2,
    )  # fmt: skip
    metric = KID()
    metric.update(shown)
    assert metric.compute() == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-3)


@pytest.mark.parametrize("metric", [LPIPS("alex"), LPIPS("vgg"), lambda pair: FID().update(pair)])
def test_without_weights_a_metric_is_absent_and_says_why(metric, pair):
    with pytest.raises(Absent, match=r"TORCH_HOME.*could not be downloaded.*no connection"):
        metric(pair)


def test_what_is_downloaded_is_told_in_one_line(pair, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            with pytest.raises(Absent):
                LPIPS("vgg")(pair)
    (line,) = [record.getMessage() for record in caplog.records if record.name.endswith("metric.network")]
    assert line.startswith("vgg: ") and str(tmp_path) in line and "downloaded" in line


@pytest.mark.parametrize(
    ("metric", "package"), [(LPIPS("alex"), "lpips"), (lambda pair: KID().update(pair), "torch_fidelity")]
)
def test_without_the_library_a_metric_is_absent_and_says_what_to_type(metric, package, pair, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(Absent, match=r"pip install '[a-z-]+\[generative\]'"):
        metric(pair)


@pytest.mark.filterwarnings("ignore::UserWarning:torchvision")
def test_lpips_by_its_formula(pair, monkeypatch):
    """Eq. 1 of Zhang et al. 2018 on the layers of a random AlexNet, with the authors' weights of channels."""
    import lpips as library

    random = library.LPIPS(net="alex", pnet_rand=True, verbose=False)
    monkeypatch.setattr(lpips, "_library", lambda net: random)
    found = LPIPS("alex")(pair)
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    expected = torch.zeros(3)
    with torch.no_grad():
        layers = [
            random.net((2 * rgb - 1 - shift[:, None, None]) / scale[:, None, None])
            for rgb in (pair.predicted, pair.truth)
        ]
        for head, one, other in zip(random.lins, *layers, strict=True):
            unit = [x / x.norm(dim=1, keepdim=True).clamp(min=1e-9) for x in (one, other)]
            weights = head.model[-1].weight[0]
            expected += (weights * (unit[0] - unit[1]) ** 2).sum(dim=1).mean(dim=(1, 2))
    assert torch.allclose(found, expected, rtol=1e-3)
    assert torch.equal(LPIPS("alex")(Pair(pair.truth, pair.truth)), torch.zeros(3))


def test_pictures_too_small_for_the_network_have_none():
    picture = torch.rand(1, 3, 30, 40)
    with pytest.raises(Absent, match="30 pixels: alex needs 31"):
        LPIPS("alex")(Pair(picture, picture))


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match="'alex' or 'vgg'"):
        LPIPS("squeeze")
