"""Averaged weights by their formula, whatever the number of optimizers."""

import pytest
import torch
from torch import nn

from colorization.callback.ema import EMA, follow, kept


def test_an_average_keeps_little_at_first_and_decay_later():
    assert kept(0, 0.9) == 0.0, "the first update copies"
    assert kept(1, 0.9) == pytest.approx(2 / 11) and kept(8, 0.9) == pytest.approx(9 / 18)
    assert kept(1000, 0.9) == 0.9


def test_the_average_follows_its_formula():
    torch.manual_seed(0)
    current, average = (nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)) for _ in range(2))
    expected = {}
    for n in range(50):
        with torch.no_grad():
            for value in (*current.parameters(), current[1].running_mean):
                value.add_(torch.randn_like(value))
            current[1].num_batches_tracked.fill_(n)
        share = 0.0 if n == 0 else min(0.8, (1 + n) / (10 + n))
        for name, value in current.state_dict().items():
            expected[name] = value.double() * (1 - share) + share * expected.get(name, 0.0)
        follow(average, current, kept(n, 0.8))
    assert average[1].num_batches_tracked == 49, "a count is no mean"
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value.double(), expected[name], atol=1e-5), name


@pytest.mark.parametrize("steps_per_batch", [1, 2])
def test_it_follows_once_a_batch(steps_per_batch):
    class Trainer:
        global_step = 0

    module = nn.ModuleDict({"network": nn.Linear(1, 1), "objective": nn.Linear(1, 1)})
    module.network, module.objective = module["network"], module["objective"]
    ema, trainer = EMA(0.9), Trainer()
    ema._average_model = torch.optim.swa_utils.AveragedModel(module)
    for batch in range(6):
        if batch % 2:  # gradients of two batches make a step
            trainer.global_step += steps_per_batch
        ema.on_train_batch_end(trainer, module, {"turns": ("network",)}, None, batch)
    assert ema.updates == 3
