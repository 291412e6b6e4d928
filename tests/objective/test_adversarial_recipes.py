"""The constants of the published recipes, and that each of their runs takes its turns."""

import pytest
from torch import nn

from colorization import build
from colorization.compose import composed
from colorization.critic.patch import Patch
from colorization.critic.spectral import Spectral
from colorization.model.chromagan import ChromaGAN
from colorization.model.pix2pix import Pix2Pix
from colorization.objective.regression import Regression
from colorization.objective.semantic import Semantic

# The network's rate and betas, the critic's; game, weight; slope; batch, pixels, photos; alone; threshold.
ISOLA, NOGAN = (0.5, 0.999), (0, 0.9)
PUBLISHED = {
    "pix2pix": (2e-4, ISOLA, 2e-4, ISOLA, "vanilla", 1 / 100, 0, 16, 256, 8000, 0, None),
    "pix2pix_encoder": (1e-4, ISOLA, 2e-4, ISOLA, "vanilla", 1 / 100, 0, 16, 256, 8000, 0.5, None),
    "deoldify_artistic": (5e-5, NOGAN, 5 * 1e-5, NOGAN, "vanilla", 1 / 2, 0, 5, 192, None, 0.8, 0.65),
    "deoldify_stable": (5e-5, NOGAN, 5 * 2e-5, NOGAN, "vanilla", 1 / 1.5, 0, 5, 192, None, 0.8, 0.65),
    "chromagan": (2e-5, ISOLA, 2e-5, ISOLA, "wasserstein", 4 * 0.1 * 110 / 255, 10, 10, 224, None, 0, None),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_constants(name):
    rate, betas, critic_rate, critic_betas, game, weight, slope, *data, alone, threshold = PUBLISHED[name]
    cfg = composed("train", [f"experiment={name}"])
    learns = cfg.objective
    assert cfg.optimizer._target_ == learns.optimizer._target_ == "torch.optim.Adam"
    assert (cfg.optimizer.lr, tuple(cfg.optimizer.betas)) == (rate, betas)
    assert (learns.optimizer.lr, tuple(learns.optimizer.betas)) == (pytest.approx(critic_rate), critic_betas)
    assert (learns.game, learns.weight) == (game, pytest.approx(weight, rel=1e-6))
    assert learns.penalty.slope == slope and learns.penalty.r1 == learns.penalty.r2 == 0
    assert [cfg.data.batch_size, cfg.data.image_size, cfg.data.get("subset")] == data
    assert (learns.turns.alone, learns.turns.threshold) == (alone, threshold)


@pytest.mark.parametrize(
    ("name", "rate", "network"),
    [("artistic", 1e-5, ("resnet34", "deep", 1.5)), ("stable", 2e-5, ("resnet101", "wide", 2))],
)
def test_deoldifys_network_slows_down_for_the_critic(name, rate, network):
    cfg = composed("train", [f"experiment=deoldify_{name}"])
    assert (cfg.model.encoder, cfg.model.decoder, cfg.model.factor) == network
    assert cfg.model._target_.endswith(".DeOldify") and 5 <= cfg.objective.turns.cycles <= 8
    after = build.make(cfg.schedule)(cfg.objective.turns.alone)
    assert cfg.optimizer.lr * after == pytest.approx(rate)
    assert cfg.objective.optimizer.lr == pytest.approx(5 * rate)
    features = cfg.loss.perceptual
    assert (features.encoder, features.distance, features.weight) == ("vgg16_bn", "l1", 1)
    assert features.stages == [0, 0, 20, 70, 10, 0] and cfg.objective.generator.loss == "l1"
    assert cfg.objective.critic == {
        "_target_": f"{Spectral.__module__}.Spectral", "width": 256, "blocks": 3, "dropout": 0.15,
    }  # fmt: skip


def test_deoldifys_critic():
    critic = Spectral()
    dropped = [module.p for module in critic.modules() if isinstance(module, nn.Dropout2d)]
    assert dropped == [0.075, 0.15, 0.15, 0.15]
    widths = [m.out_channels for m in critic.layers if isinstance(m, nn.Conv2d)]
    assert widths == [256, 256, 512, 512, 1024, 1024, 2048, 2048, 1]


def test_chromagans_parts():
    cfg = composed("train", ["experiment=chromagan"])
    assert cfg.objective.generator._target_ == f"{Semantic.__module__}.Semantic"
    scale = ChromaGAN.units.ab_scale  # theirs is 255, of which the MSE has the square
    assert cfg.objective.generator.weight == pytest.approx(0.003 * (255 / scale) ** 2)
    assert cfg.model._target_.endswith(".ChromaGAN") and cfg.model.classes == 1000 and cfg.budget.epochs == 5
    critic = build.make(cfg.objective.critic)
    assert isinstance(critic, Patch) and not any(isinstance(m, nn.BatchNorm2d) for m in critic.modules())
    convolutions = [(m.out_channels, m.stride[0]) for m in critic.modules() if isinstance(m, nn.Conv2d)]
    assert convolutions == [(64, 2), (128, 2), (256, 2), (512, 1), (1, 1)]


def test_pix2pix_is_its_network_and_l1():
    cfg = composed("train", ["experiment=pix2pix"])
    assert cfg.objective.generator == {
        "_target_": f"{Regression.__module__}.Regression",
        **cfg.objective.generator,
    }
    assert cfg.objective.generator.loss == "l1" and cfg.model == {
        "_target_": f"{Pix2Pix.__module__}.Pix2Pix", "width": 64, "depth": 8,
    }  # fmt: skip
    assert cfg.trainer.gradient_clip_val is None
