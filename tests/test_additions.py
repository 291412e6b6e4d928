"""What contract 2 takes, each a file and a YAML in tests/additions: it learns, and by itself."""

import copy
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
import yaml

from colorization import build
from colorization.compose import composed
from colorization.config import ConfigError, options
from colorization.data.batch import Batch, Given
from tests.additions.critic import Adversarial
from tests.additions.flow import Flow
from tests.additions.networks import Timed

CONF = Path(__file__).parent / "additions" / "conf"
SMALL = [
    *("data=scenes", "data.pictures=16", "data.val_pictures=4", "data.test_pictures=4", "data.workers=1"),
    *("data.image_size=32", "data.batch_size=4", "model=unet", "model.width=8", "model.depth=1"),
    *("trainer.accelerator=cpu", "schedule=constant"),
]


def configured(cache, *settings, **nodes):
    """A composed configuration with nodes of tests/additions in place of ours."""
    cfg = composed("train", [*SMALL, f"data.cache_dir={cache}", *settings])
    for group, name in nodes.items():
        cfg[group] = yaml.safe_load((CONF / group / f"{name}.yaml").read_text(encoding="utf-8"))
    return cfg


def train(colorizer, cfg, epochs=1):
    """Four batches an epoch under a bare Trainer."""
    trainer = pl.Trainer(
        max_epochs=epochs, check_val_every_n_epoch=epochs, limit_val_batches=1, num_sanity_val_steps=0,
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        accelerator="cpu", use_distributed_sampler=False, log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(colorizer, build.data(cfg))
    return trainer


def moved(before, module):
    return {name for name, p in module.named_parameters() if not torch.equal(p, before.get_parameter(name))}


def batch(size=24):
    L, ab = 100 * torch.rand(2, 1, size, size), 30 * torch.randn(2, 2, size, size)
    return Batch(L, ab, torch.arange(2))


def test_a_critic_learns_by_its_own_optimizer_and_never_with_the_network(cache):
    cfg = configured(cache, "optimizer.lr=0", "optimizer.weight_decay=0", objective="adversarial_small")
    colorizer = build.colorizer(cfg)
    before = copy.deepcopy(colorizer)
    trainer = train(colorizer, cfg)
    assert not moved(before.network, colorizer.network)  # its learning rate is 0, whatever the critic's is
    assert {"critic.0.weight", "critic.2.weight"} <= moved(before.objective, colorizer.objective)
    logged = trainer.callback_metrics
    assert {"train/loss", "train/fooled", "train/critic/loss", "train/critic/real", "val/psnr"} <= set(logged)
    cfg = configured(cache, objective="adversarial_small")
    cfg.objective.optimizer.lr = 0.0
    colorizer = build.colorizer(cfg)
    before = copy.deepcopy(colorizer)
    train(colorizer, cfg)
    assert moved(before.network, colorizer.network) and not moved(before.objective, colorizer.objective)


def test_a_critic_learns_to_tell_the_truth_from_the_prediction(cache):
    cfg = configured(cache, "optimizer.lr=0", "optimizer.weight_decay=0", objective="adversarial_small")
    cfg.objective.optimizer.lr = 0.01
    colorizer = build.colorizer(cfg)
    first = colorizer.objective.loss(colorizer.network, batch(), "critic").total.item()
    told = train(colorizer, cfg, epochs=6).callback_metrics
    assert told["train/critic/loss"] < first - 0.1 and told["train/critic/real"] > told["train/critic/fake"]


def test_a_critic_that_nobody_trains_is_refused(cache):
    class Forgetful(Adversarial):
        def players(self, network):
            return super(Adversarial, self).players(network)

    cfg = configured(cache)
    made = build.colorizer(cfg)
    forgetful = Forgetful(optimizer=torch.optim.Adam)
    with pytest.raises(ConfigError, match=r"nobody trains objective\.critic\.0\.weight.*Forgetful\.players"):
        type(made)(made.network, forgetful, made.hints, made.optimizer, made.schedule)


def test_an_encoder_starts_from_its_weights_and_learns_at_its_own_rate(cache, tmp_path):
    weights = {"0.weight": torch.full((8, 1, 3, 3), 0.5), "0.bias": torch.zeros(8)}
    torch.save(weights, tmp_path / "encoder.pt")
    cfg = configured(cache, "optimizer=sgd", model="pretrained_small")
    cfg.model.weights = str(tmp_path / "encoder.pt")
    colorizer = build.colorizer(cfg)
    assert not torch.equal(colorizer.network.encoder[0].weight, weights["0.weight"])  # reopening stays here
    colorizer.network.start_from()
    assert torch.equal(colorizer.network.encoder[0].weight, weights["0.weight"])
    (optimizer,), _ = colorizer.configure_optimizers()
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == pytest.approx([0.01, 0.1, 0.1])
    assert [group["weight_decay"] for group in optimizer.param_groups] == [1e-4, 1e-4, 0.0]
    train(colorizer, cfg)


def test_a_flow_learns_and_colours_alike_alone_and_in_a_batch(cache):
    torch.manual_seed(0)
    cfg = configured(cache, "optimizer.lr=0.01", model="timed_small", objective="flow_small")
    colorizer = build.colorizer(cfg)
    first = train(colorizer, cfg).callback_metrics["train/loss"]
    assert train(colorizer, cfg, epochs=4).callback_metrics["train/loss"] < first
    colorizer.eval()
    seen = colorizer.seen(batch())
    with torch.no_grad():
        together = colorizer.objective.sample(colorizer.network, seen.given, 3)
        alone = colorizer.seen(Batch(seen.L[1:], seen.ab[1:], seen.index[1:]))
        again = colorizer.objective.sample(colorizer.network, alone.given, 3)
    torch.testing.assert_close(together[:, 1:], again, atol=1e-3, rtol=1e-4)
    assert (together[0] - together[1]).abs().max() > 1


def test_the_steps_of_decoding_are_a_setting():
    class Exact(Timed):
        """Knows the answer, and counts."""

        calls = 0

        def forward(self, x, t):
            self.calls += 1
            return torch.full_like(x[:, :2], 0.5)

    network, objective = Exact(), Flow()
    objective.decode(steps=7)
    ab = objective.predict(network, Given(torch.rand(1, 1, 4, 4)))
    assert network.calls == 7
    torch.testing.assert_close(ab, torch.full((1, 2, 4, 4), 15.0))
    with pytest.raises(ConfigError, match=r"step=3: no setting of Flow's decoding; .* steps, vivid, chroma"):
        objective.decode(step=3)


def test_a_network_without_time_is_refused_for_an_objective_that_feeds_one(cache):
    with pytest.raises(ConfigError, match="CNN: takes no time t, which Flow feeds"):
        cfg = configured(cache, objective="flow_small")
        cfg.model = composed("train", ["model=cnn"]).model
        build.colorizer(cfg)


@pytest.mark.parametrize("objective", options("objective"))
def test_loss_terms_add_to_any_objective(cache, objective):
    cfg = configured(cache, f"objective={objective}", "loss=[l1,gradient,perceptual,chroma]")
    cfg.loss = {
        **cfg.loss,
        **yaml.safe_load((CONF / "loss" / "mean_chroma.yaml").read_text(encoding="utf-8")),
    }
    cfg.loss.gradient.weight = 3.0
    colorizer = build.colorizer(cfg)
    seen = colorizer.seen(batch())
    own = colorizer.objective.loss(colorizer.network, seen)
    both = colorizer._losses(seen)
    parts = {name: both.logged[f"{name}_loss"] for name in colorizer.terms}
    total = own.total + parts["l1"] + 3 * parts["gradient"] + parts["mean_chroma"]
    total = total + 0.5 * parts["perceptual"] + 0.5 * parts["chroma"]
    torch.testing.assert_close(both.total, total)
    torch.testing.assert_close(parts["l1"], (own.ab() - seen.ab).abs().mean() / 110)
    grad = torch.autograd.grad(both.total - own.total, colorizer.network.parameters(), allow_unused=True)
    assert any(g is not None and g.abs().max() > 0 for g in grad)
    assert not any("terms" in name for name in colorizer.state_dict())


def test_two_players_train_as_long_as_one(cache, tmp_path):
    """The budget counts batches and pictures, not the steps of optimizers."""
    from colorization.callback.budget import Budget

    for objective in (None, "adversarial_small"):
        cfg = configured(cache, **({"objective": objective} if objective else {}))
        budget = Budget(steps=6)
        trainer = pl.Trainer(
            max_epochs=-1, limit_val_batches=0, callbacks=[budget], logger=False, accelerator="cpu",
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            use_distributed_sampler=False,
        )  # fmt: skip
        trainer.fit(build.colorizer(cfg, budget.progress), build.data(cfg))
        assert budget.spent["steps"] == 6 and budget.spent["pictures"] == 24


@pytest.mark.parametrize(
    "settings",
    [
        ["model=cnn"],
        ["model=unet", "model.width=8", "model.depth=1", "objective=classification"],
        ["model=eccv16"],
        ["model=siggraph17", "hints=points"],
        ["model=encoder_unet", "model.width=8", "model.classes=529", "objective=joint", "hints=points"],
        ["model=ddcolor", "model.width=16", "model.layers=3", "model.dim=16", "model.hidden=32"],
        ["model=iizuka", "model.width=8", "model.size=64"],
        ["model=chromagan", "model.width=8", "model.size=64"],
        ["model=deoldify", "model.decoder=wide", "model.factor=0.125"],
        ["model=pix2pix", "model.width=2", "model.depth=5"],
        ["model=larsson", "model.width=4", "model.deep=8", "model.hidden=8", "objective=hue_chroma"],
    ],
    ids=lambda settings: settings[0],
)
def test_a_model_exports_at_any_height_and_width(settings):
    colorizer = build.colorizer(composed("train", settings)).eval()
    graph = colorizer.export()
    assert not any("parametrizations" in name for name in graph.state_dict)  # norms of weights are folded
    exported = graph.module()
    for size in ((48, 64), (37, 53), (80, 33)):
        L = 100 * torch.rand(1, 1, *size)
        with torch.no_grad():
            expected = colorizer(L)
            torch.testing.assert_close(exported(L), expected, atol=1e-3, rtol=1e-4)
        assert expected.shape == (1, 2, *size) and expected.std() > 0


def test_every_model_is_exported_above():
    assert set(options("model")) == {
        *("cnn", "unet", "eccv16", "siggraph17", "encoder_unet", "ddcolor", "iizuka", "larsson"),
        *("pix2pix", "chromagan", "deoldify"),
    }
