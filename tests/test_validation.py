"""Validation is scored as an evaluation is: the same pictures, protocol and numbers, of one forward."""

import pytest
import pytorch_lightning as pl
import torch
from PIL import Image

from colorization import build
from colorization.callback.panel import Panel, panel
from colorization.color import lab
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.metric.base import Pair, SetMetric
from colorization.score import Scoring
from colorization.scoring.predictions import by_run, of_split

CROPPED = ["protocol=val5k_256", "protocol.size=40"]


def configured(small, *overrides):
    return composed("train", [*small, *overrides])


def validated(cfg, tmp_path, *callbacks):
    """The numbers that Lightning logs, and what they are of."""
    torch.manual_seed(0)
    colorizer, data = build.colorizer(cfg).eval(), build.data(cfg, build.protocol(cfg))
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False, default_root_dir=tmp_path, callbacks=list(callbacks),
    )  # fmt: skip
    (numbers,) = trainer.validate(colorizer, data, verbose=False)
    return numbers, colorizer, data


@pytest.mark.parametrize("protocol", [[], CROPPED])
@pytest.mark.parametrize("objective", ["regression", "classification"])
def test_validation_and_evaluation_come_to_the_same_numbers(small, protocol, objective, tmp_path):
    cfg = configured(small, *protocol, f"objective={objective}", "metric=[default,psnr_pooled,ssim_225]")
    numbers, colorizer, data = validated(cfg, tmp_path)
    chosen = build.protocol(cfg)
    pictures, called = of_split(data, "val", chosen)
    scoring = Scoring(chosen, pictures, by_run(colorizer, chosen), called, str, build.metrics(cfg))
    summary = scoring.scored()
    expected = summary["metrics"] | summary["set_metrics"]
    assert numbers["val/pictures"] == summary["pictures"] > 8
    measured = {name.removeprefix("val/") for name in numbers} - {"loss", "pictures"}
    measured -= {f"vivid_{name}" for name in ("psnr", "ciede2000", "colorfulness")}
    assert measured == {*build.metrics(cfg), *colorizer.objective.columns}
    for name in measured:
        assert numbers[f"val/{name}"] == pytest.approx(expected[name], rel=1e-5), name


def test_the_protocol_decides_what_is_validated_and_not_what_is_trained(small):
    cfg = configured(small, *CROPPED)
    data, plain = build.data(cfg, build.protocol(cfg)), build.data(cfg)
    assert data.pack("val").pictures.shape[1:] == data.pack("test").pictures.shape[1:] == (40, 40, 3)
    assert data.fingerprint("train") == plain.fingerprint("train")
    v1 = build.data(cfg, build.protocol(configured(small)))
    for split in ("train", "val", "test"):
        assert v1.fingerprint(split) == plain.fingerprint(split)


def test_trainer_test_scores_the_test_pictures(small, tmp_path):
    cfg = configured(small)
    colorizer, data = build.colorizer(cfg), build.data(cfg, build.protocol(cfg))
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path
    )
    (numbers,) = trainer.test(colorizer, data, verbose=False)
    assert numbers["test/v1/pictures"] == len(data.pack("test")) and 5 < numbers["test/v1/psnr"] < 60


def test_the_panel_shows_what_was_scored_without_another_forward(small, tmp_path):
    cfg = configured(small)
    calls = []

    class Count(pl.Callback):
        def on_validation_start(self, trainer, module):
            module.network.register_forward_hook(lambda *_: calls.append(1))

    _, colorizer, data = validated(cfg, tmp_path, Count(), Panel(pictures=3))
    assert len(calls) == len(data.val_dataloader())
    truth = torch.from_numpy(data.pack("val").pictures[:3]).movedim(-1, 1)
    protocol = build.protocol(cfg)
    ab = by_run(colorizer, protocol)(torch.arange(3), truth).colours
    (shown,) = (tmp_path / "panel").iterdir()
    expected = panel(Pair(protocol.rgb(lab.split(truth)[0], ab), truth / 255))
    assert Image.open(shown).size == expected.size
    assert list(Image.open(shown).getdata()) == list(expected.getdata())


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["watch=ms_ssim", "metric=[default,ms_ssim]"],
            "watch=ms_ssim: not measured here: pictures of 32 pixels",
        ),
        (["watch=chroma"], "neither more nor less"),
        (["watch=bits_per_pixel"], "not measured in validation"),
        (["metric=[]"], r"watch=psnr: not measured in validation \(nothing is; add"),
        (["protocol.manifest=nowhere.csv"], "nowhere.csv: no such file"),
        (["protocol.reported.psnr=psrn"], "psrn: not among"),
    ],
)
def test_a_fault_of_protocol_or_metric_is_found_before_a_picture_is_packed(small, overrides, said):
    with pytest.raises(ConfigError, match=said):
        build.colorizer(configured(small, *overrides))


def test_what_only_an_objective_tells_can_be_watched(small):
    built = build.colorizer(configured(small, "objective=classification", "watch=bits_per_pixel"))
    assert built.scorer.described("bits_per_pixel") == ("bits", "lower")


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("colorization.metric.psnr.nothing", "no attribute 'nothing'"),
        (
            "colorization.metric.base.inner",
            "metric.mine: .*base.inner: should be a function",
        ),
        ("colorization.metric.psnr.CAP", "should be a function under @metric"),
        ("tests.test_validation.Stateless", "should name what update adds to"),
    ],
)
def test_what_is_no_metric_is_told(node, said):
    with pytest.raises(ConfigError, match=said):
        build.measures({"mine": node})


class Stateless(SetMetric):
    """One that says not what several processes would have to add up."""

    def update(self, pair):
        self.seen = 1

    def compute(self):
        return 1.0

    def reset(self):
        self.seen = 0


def test_a_prediction_that_is_not_finite_is_shown_black_and_not_scored():
    truth = torch.rand(2, 3, 32, 32).mul(255).round() / 255
    broken = truth.clone()
    broken[1] = torch.nan
    right, wrong = (panel(Pair(rgb, truth), columns=1) for rgb in (truth, broken))
    assert right.crop((0, 0, right.width, 32)).tobytes() == wrong.crop((0, 0, right.width, 32)).tobytes()
    middle = (wrong.width // 2 - 8, 32 + 16, wrong.width // 2 + 8, 64 + 16)
    assert wrong.crop(middle).getextrema() == ((0, 0), (0, 0), (0, 0))
