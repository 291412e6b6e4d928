"""docs/python.md, typed in, and torchmetrics' classes beside our own scorer."""

from pathlib import Path

import pytest
import skimage.data
import torch
from PIL import Image
from torchmetrics import MetricCollection

from colorization import InputError, Score, Scores, build
from colorization.compose import composed
from colorization.scorer import Scorer

SOME = ["psnr", "ssim", "ciede2000", "auc", "psnr_pooled", "auc_rebalanced", "colorfulness_difference"]


@pytest.fixture(scope="module")
def pictures():
    """Truth (6, 3, 40, 40), one of them grey, and predictions as ab."""
    photo = torch.from_numpy(skimage.data.coffee()[:240, 100:140].copy()).movedim(-1, 0)
    truth = torch.stack(photo.split(40, dim=1))
    truth[2] = truth[2, :1]
    return truth, 20 * torch.randn(6, 2, 40, 40, generator=torch.Generator().manual_seed(0))


def test_scores_are_the_scorers(pictures):
    """In two batches, in one, and of two processes that meet."""
    truth, ab = pictures
    cfg = composed("evaluate", [f"metric=[{','.join(SOME)}]"])
    scorer = Scorer(build.protocol(cfg), build.metrics(cfg))
    scorer.add(range(6), truth, ab)
    scores = scorer.result().model
    expected = scores.means | scores.sets
    whole, one, other = (Scores(metrics=SOME) for _ in range(3))
    for part, state in ((slice(0, 2), one), (slice(2, 6), other)):
        whole.update(ab[part], truth[part])
        state.update(ab[part], truth[part])
    one.merge_state(other)
    for made in (whole.compute(), one.compute()):
        assert {name: float(value) for name, value in made.items()} == pytest.approx(expected, rel=1e-5)


def test_sets_grow_over_batches_of_both_kinds(pictures):
    truth, _ = pictures
    noisy = (truth / 255 + 0.1 * torch.randn(truth.shape)).clamp(0, 1)
    score = Score("psnr_pooled")
    for i in range(3):
        score.update(noisy[2 * i : 2 * i + 2], truth[2 * i : 2 * i + 2] / 255)
    again = MetricCollection([Score("psnr_pooled")])((noisy * 255).round().byte(), truth)
    assert float(score.compute()) == pytest.approx(float(again["Score"]), abs=1e-4)
    assert score.higher_is_better and Score("ciede2000").higher_is_better is False
    assert Score("chroma").higher_is_better is None


def test_what_is_not_defined_is_said(pictures):
    truth, ab = pictures
    score = Score("ms_ssim")
    assert score(ab, truth).isnan() and "pictures of 40 pixels" in score.absent["ms_ssim"]
    broken = Score("psnr")
    assert broken(torch.full_like(ab, torch.nan), truth).isnan()


def test_mistakes_are_said_in_words(pictures):
    truth, ab = pictures
    with pytest.raises(InputError, match=r"predicted \(6, 2, 40, 39\), truth .* give sRGB"):
        Score("psnr").update(ab[..., 1:], truth)
    with pytest.raises(InputError, match=r"psnrr.*did you mean psnr"):
        Score("psnrr")
    with pytest.raises(InputError, match=r"metric=pixels: is psnr, .*; give one, or take Scores"):
        Score("pixels")


def test_what_the_document_shows_runs(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    photo = Image.fromarray(skimage.data.coffee()[100:260, 200:421])
    photo.save("photo.jpg")
    (tmp_path / "photos").symlink_to(photos)
    text = (Path(__file__).parent.parent / "docs/python.md").read_text(encoding="utf-8")
    shown = {"__name__": "docs"}
    for block in text.split("```python\n")[1:]:
        exec(block.split("```")[0], shown)
    assert shown["coloured"].size == photo.size and len(shown["several"]) == 3
    assert shown["trainer"].callback_metrics and shown["ab"].shape == (1, 2, 48, 64)
    assert "rgb(" in capsys.readouterr().out
