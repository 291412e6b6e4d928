"""What training asks of the device at every step: nothing that makes the host wait."""

import traceback
from collections import Counter

import pytorch_lightning as pl
import torch
from torch.utils._python_dispatch import TorchDispatchMode

STEPS = 20


class Questions(TorchDispatchMode):
    """Counts the tensors whose number is asked for, by the line that asks."""

    def __init__(self):
        super().__init__()
        self.asked = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten._local_scalar_dense.default:
            frames = [f for f in traceback.extract_stack() if "/_python_dispatch" not in f.filename]
            self.asked[" < ".join(f"{f.filename.split('/')[-1]}:{f.name}" for f in frames[-2:-6:-1])] += 1
        return function(*args, **(kwargs or {}))


class Watched(pl.Callback):
    """Counts from the start of training to the last validation."""

    def __init__(self):
        self.mode = Questions()

    def on_train_start(self, trainer, pl_module):
        self.mode.__enter__()

    def on_validation_start(self, trainer, pl_module):
        self.on_train_end(trainer, pl_module)

    def on_train_end(self, trainer, pl_module):
        if self.mode is not None and not hasattr(self, "ended"):
            self.ended = True
            self.mode.__exit__(None, None, None)


def test_no_step_waits_for_the_device(trains, monkeypatch):
    """Every default callback, averaged weights and the bar; rows are logged, and looked at, by the way."""
    monkeypatch.setattr("colorization.callback.progress.REFRESH", 3600.0)
    watched = Watched()
    trains(
        f"budget.steps={STEPS}", "run.dir=run", "callback=[default,ema]", "trainer.log_every_n_steps=1000",
        "trainer.val_check_interval=null", "trainer.check_val_every_n_epoch=100", callbacks=[watched],
    )  # fmt: skip
    often = {line: count for line, count in watched.mode.asked.items() if count >= STEPS / 2}
    assert not often, often
