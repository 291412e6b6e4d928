"""Settings that end with a line to paste."""

import numpy as np
import pytest

from colorization import finding
from colorization.compose import composed
from colorization.config import ConfigError


def test_the_rate_at_which_the_loss_falls_fastest():
    """Of a loss that falls as a logistic function of log lr around 1e-3, and rises from 1e-1."""
    rate = np.geomspace(1e-6, 1, 120)
    x = np.log10(rate)
    loss = 1 - 1 / (1 + np.exp(-3 * (x + 3))) + np.maximum(0, x + 1) * 5
    assert 0.5e-3 < finding.suggested(list(zip(rate, loss, strict=True))) < 2e-3


def test_smoothed_losses_have_no_bias():
    assert finding.smoothed([2.0] * 5) == pytest.approx([2.0] * 5)
    assert finding.smoothed([1.0, 3.0])[1] == pytest.approx((0.9 * 0.1 * 1 + 0.1 * 3) / (1 - 0.81))


def test_the_smallest_of_the_fastest_sizes():
    assert finding.best_size([(8, 50.0), (16, 98.0), (32, 100.0), (64, 0.0)]) == 16
    with pytest.raises(ConfigError, match=r"smaller data\.batch_size"):
        finding.best_size([(64, 0.0)])


def test_both_end_with_a_line_to_paste(small, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(finding, "STEPS", 30)
    some = [setting for setting in small if not setting.startswith("callback.")]
    finding.find(composed("train", [*some, "find=lr", "metric=[psnr]"]))
    name, _, value = capsys.readouterr().out.strip().splitlines()[-1].partition("=")
    assert name == "optimizer.lr" and finding.LOW < float(value) < finding.HIGH
    finding.find(composed("train", [*some, "find=batch_size", "data.batch_size=32", "metric=[psnr]"]))
    name, _, value = capsys.readouterr().out.strip().splitlines()[-1].partition("=")
    assert name == "data.batch_size" and int(value) in (32, 64, 128)
    assert not (tmp_path / "runs").exists()


def test_memory_that_ends_is_an_answer(monkeypatch):
    def attempt(cfg, steps, timer):
        if cfg.data.batch_size > 64:
            raise RuntimeError("CUDA out of memory. Tried to allocate")
        timer.seconds = 1.0 * cfg.data.batch_size**0.5

    monkeypatch.setattr(finding, "attempt", attempt)
    sizes = list(finding.batch_sizes(composed("train", ["data.batch_size=16"])))
    assert [size for size, _ in sizes] == [16, 32, 64, 128] and sizes[-1][1] == 0.0
