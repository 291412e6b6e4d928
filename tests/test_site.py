"""The site: where links lead in it, the settings that it lists, and the method that it teaches."""

import re

import pytest
import torch

from colorization import build
from colorization.compose import composed
from colorization.config import groups, options
from colorization.data.batch import Batch

site = pytest.importorskip("docs.site")
FIRST = site.ROOT / "docs" / "first_method.md"


@pytest.mark.parametrize(
    ("document", "target", "place"),
    [
        ("docs/index.md", "photos.jpg", "photos.jpg"),
        ("docs/index.md", "../colorization/weights/box.md", "colorization/weights/box.md"),
        ("docs/predict.md", "../experiments/vivid", "experiments/vivid/README.md"),
        ("docs/methods.md", "../experiments", "experiments/index.md"),
        ("experiments/vivid/README.md", "../../docs/predict.md", "predict.md"),
    ],
)
def test_a_link_leads_to_where_its_file_lies(document, target, place):
    assert site.site_place(site.resolved(site.ROOT / document, target)) == place


def test_what_is_no_file_of_the_project_is_left_alone():
    assert site.resolved(FIRST, "missing.md") is None
    assert site.resolved(FIRST, "../../outside") is None


def test_every_option_of_every_group_is_listed():
    text = site.settings()
    for command in site.COMMANDS:
        for group in set(groups(command)) - {"experiment"}:
            for option in options(group):
                assert f"### {group}={option}\n" in text
    assert "::: colorization.model.unet.UNet\n" in text and "steady: 0.9" in text


def test_the_first_method_is_typed_in_and_learns(tmp_path, monkeypatch):
    text = FIRST.read_text(encoding="utf-8")
    for place, code in re.findall(r"`mylab/(\S+\.\w+)`.*?```\w+\n(.*?)```", text, re.S):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "code")
    monkeypatch.setenv("COLORIZATION_CONF", str(tmp_path / "conf"))
    cfg = composed(
        "train", ["data=scenes", "model=cnn", "objective=weighted", "objective.more=1", "loss=[mean]"]
    )
    colorizer = build.colorizer(cfg)
    batch = Batch(torch.rand(2, 1, 32, 32) * 100, torch.randn(2, 2, 32, 32) * 20, torch.arange(2))
    losses = colorizer.objective.loss(colorizer.network, colorizer.seen(batch))
    losses.total.backward()
    assert losses.total > 0 and all(p.grad is not None for p in colorizer.network.parameters())
