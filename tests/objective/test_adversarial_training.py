"""Runs with a critic: they go on to the bit, average the network alone, and take their turns."""

import csv
import signal

import pytest
import pytorch_lightning as pl
import torch

from colorization.compose import composed
from colorization.convert import a_run
from colorization.module import Colorizer
from colorization.reopen import open_run
from tests.conftest import trains_in
from tests.test_resume import Signal

# Dropout, spectral norm, a penalty at an interval and turns by a threshold: all that could lose its place.
EVERYTHING = (
    *("objective=adversarial", "critic@objective.critic=spectral", "objective.critic.width=8"),
    *("objective.critic.blocks=2", "objective.penalty.r1=0.1", "objective.penalty.every=3"),
    *("objective.turns.alone=0.2", "objective.turns.critic=0.25", "objective.turns.threshold=0.69"),
    *("objective.optimizer.lr=0.002", "callback=[ema]", "trainer.log_every_n_steps=1"),
    *("trainer.val_check_interval=4", "schedule=constant", "budget.steps=20"),
)


def checkpoint(folder):
    return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)


def rows(folder):
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["step"]]


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adversarial")
    with pytest.MonkeyPatch.context() as monkeypatch:
        trains_in(folder, small, monkeypatch)(*EVERYTHING, "run.dir=run")
    return folder / "run"


def test_a_run_with_a_critic_goes_on_to_the_bit(trains, whole, tmp_path):
    with pytest.raises(SystemExit):
        trains(*EVERYTHING, "run.dir=cut", callbacks=[Signal(signal.SIGTERM, batch=11)])
    trains("resume=cut")
    one, other = checkpoint(whole), checkpoint(tmp_path / "cut")
    for kind in ("state_dict", "current_model_state"):
        assert one[kind].keys() == other[kind].keys()
        assert all(torch.equal(weight, other[kind][name]) for name, weight in one[kind].items()), kind
    for mine, others in zip(one["optimizer_states"], other["optimizer_states"], strict=True):
        for at, state in mine["state"].items():
            assert all(torch.equal(state[name], others["state"][at][name]) for name in state)


def test_turns_are_taken_as_they_are_scheduled(whole):
    """The network alone, the critic alone, then both by the threshold; each logs in its own turns alone."""
    turns = [
        "".join(letter for letter, column in (("c", "train/critic/loss"), ("n", "train/loss")) if row[column])
        for row in rows(whole)
    ]
    assert turns[:4] == ["n"] * 4 and turns[4:8] == ["c"] * 4
    assert set(turns[8:]) == {"c", "n"} and "nn" not in "".join(turns[8:])
    assert not any(row["train/adversarial"] for row in rows(whole)[:8])
    penalised = [bool(row["train/critic/penalty"]) for row in rows(whole) if row["train/critic/loss"]]
    assert penalised == [n % 3 == 0 for n in range(len(penalised))]


def test_the_network_alone_is_averaged(whole):
    """What is saved to be used has the average of the network and the critic as it is."""
    state = checkpoint(whole)
    averaged, current = state["state_dict"], state["current_model_state"]
    differs = {name.partition(".")[0] for name in averaged if not torch.equal(averaged[name], current[name])}
    assert differs == {"network"}


def test_averages_wait_while_the_network_does(small, tmp_path, monkeypatch):
    class Count(pl.Callback):
        def on_train_end(self, trainer, pl_module):
            self.ema = next(c for c in trainer.callbacks if type(c).__name__ == "EMA").updates
            self.judged = int(pl_module.objective.judged)

    count = Count()
    settings = [s for s in EVERYTHING if not s.startswith("budget")]
    trains_in(tmp_path, small, monkeypatch)(*settings, "budget.steps=10", "run.dir=run", callbacks=[count])
    assert count.ema + count.judged == 10 and count.judged >= 2


@pytest.mark.parametrize("critic", ["features", "patch"])
def test_a_reopened_run_colours_without_its_critics_encoder(trains, tmp_path, critic):
    trains(
        "objective=adversarial", f"critic@objective.critic={critic}", "objective.critic.width=8",
        "budget.steps=2", "callback=[]", "run.dir=run",
    )  # fmt: skip
    state = checkpoint(tmp_path / "run")["state_dict"]
    assert not any("frozen" in name or "encoder" in name for name in state)
    colorizer = Colorizer.load_from_checkpoint(tmp_path / "run")
    assert colorizer(torch.full((1, 1, 24, 31), 50.0)).shape == (1, 2, 24, 31)


def test_a_run_becomes_a_small_file_without_its_critic(trains, tmp_path):
    trains(
        "objective=adversarial", "objective@objective.generator=classification", "objective.critic.width=8",
        "budget.steps=2", "callback=[]", "run.dir=run",
    )  # fmt: skip
    small = a_run(composed("convert", ["run=run", "out=small.safetensors"]))
    opened, whole = open_run(small), open_run("run").colorizer()
    assert not any("critic" in name for name in opened.state["state_dict"])
    colorizer, L = opened.colorizer(), 100 * torch.rand(1, 1, 24, 31)
    assert type(colorizer.objective) is type(whole.objective.generator)
    assert torch.equal(colorizer.objective.weights, whole.objective.generator.weights)
    with torch.no_grad():
        torch.testing.assert_close(colorizer(L), whole(L), atol=0.5, rtol=0.02)


class Norms(pl.Callback):
    """Of what each optimizer has applied."""

    def __init__(self):
        self.seen = []

    def on_train_start(self, trainer, pl_module):
        for player, optimizer in enumerate(trainer.optimizers):
            optimizer.register_step_post_hook(lambda *given, player=player: self.look(player, given[0]))

    def look(self, player, optimizer):
        gradients = [
            p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None
        ]
        self.seen.append((player, torch.nn.utils.get_total_norm(gradients).item()))


def test_each_player_is_clipped_by_its_own_norm(trains):
    norms = Norms()
    trains(
        "objective=adversarial", "objective.critic.width=8", "trainer.gradient_clip_val=0.01", "callback=[]",
        "budget.steps=3", "run.dir=run", callbacks=[norms],
    )  # fmt: skip
    assert {player for player, _ in norms.seen} == {0, 1}
    assert [norm for _, norm in norms.seen] == pytest.approx([0.01] * len(norms.seen), rel=1e-3)


def test_accumulated_batches_are_one_step_of_each_player(trains):
    """Without batch norm and dropout, two halves give the gradients of the whole."""
    still = (
        *("objective=adversarial", "objective.critic.width=8", "objective.critic.norm=none"),
        *("model.norm=group", "callback=[]", "optimizer=sgd", "optimizer.momentum=0.0"),
        *("optimizer.nesterov=false", "trainer.gradient_clip_val=null", "schedule=constant"),
        *("objective.optimizer._target_=torch.optim.SGD", "~objective.optimizer.betas"),
    )
    one = trains(*still, "data.batch_size=8", "budget.steps=2", "run.dir=one")
    two = trains(
        *still, "data.batch_size=4", "trainer.accumulate_grad_batches=2", "budget.steps=4", "run.dir=two"
    )
    for (name, mine), other in zip(one.colorizer.named_parameters(), two.colorizer.parameters(), strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-3, msg=name)


def test_half_precision_trains_with_a_penalty(trains, tmp_path):
    trains(
        "objective=adversarial", "objective.critic.width=8", "objective.critic.norm=none",
        "objective.game=relativistic", "objective.penalty.r1=1", "objective.penalty.r2=1",
        "trainer.precision=bf16-mixed", "budget.steps=3", "callback=[health]", "run.dir=run",
        "trainer.log_every_n_steps=1",
    )  # fmt: skip
    assert all(float(row["train/critic/penalty"]) > 0 for row in rows(tmp_path / "run") if row["train/loss"])
