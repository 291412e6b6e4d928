"""ab beside the classes of a classifier: the loss by its formula, and what stays out of checkpoints."""

import pytest
import timm
import torch

from colorization.color import lab
from colorization.objective.semantic import Semantic
from tests.objective.fixed import Fixed, batch_of


@pytest.fixture(scope="module")
def objective():
    learns = Semantic(weight=0.5)
    learns.classifier.start_from()
    return learns


@pytest.fixture
def batch():
    return batch_of(30 * torch.randn(2, 2, 64, 64))


def test_the_loss_is_its_formula(objective, batch):
    network = Fixed(torch.randn(2, 1002, 64, 64))
    losses = objective.loss(network, batch)
    ab = 110 * network.output[:, :2].tanh()
    colour = ((ab - batch.ab) / 110).square().mean()
    q = network.output[:, 2:].mean(dim=(2, 3)).softmax(dim=1)
    grey = lab.merge(batch.L, torch.zeros_like(batch.ab))
    frozen = objective.classifier.frozen
    mean, std = (torch.tensor(frozen.pretrained_cfg[key])[:, None, None] for key in ("mean", "std"))
    p = frozen((grey - mean) / std).softmax(dim=1)
    divergence = (p * (p.log() - q.log())).sum(dim=1).mean()
    torch.testing.assert_close(losses.total, colour + 0.5 * divergence, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(losses.logged["classes"], divergence.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(losses.ab(), ab)
    losses.total.backward()
    assert network.output.grad[:, 2:].abs().max() > 0


def test_whoever_agrees_with_the_classifier_pays_nothing_for_classes(objective, batch):
    with torch.no_grad():
        seen = objective.classifier(lab.merge(batch.L, torch.zeros_like(batch.ab)))
    output = torch.cat([torch.zeros(2, 2, 64, 64), seen[:, :, None, None].expand(-1, -1, 64, 64)], dim=1)
    assert objective.loss(Fixed(output), batch).logged["classes"] < 1e-4


def test_the_classifier_is_frozen_and_in_no_checkpoint(objective):
    assert not list(objective.parameters()) and not objective.state_dict()
    assert not objective.train().classifier.frozen.training


def test_it_knows_imagenet(objective):
    """The package's tensors are in timm's order: one of noise would be unsure of a photo of a cat."""
    import skimage.data

    photo = torch.from_numpy(skimage.data.chelsea()).movedim(-1, 0)[None, :, :224, 100:324] / 255
    probabilities = objective.classifier(photo).softmax(dim=1)[0]
    assert probabilities[281:286].sum() > 0.5, "tabby, tiger cat, Persian, Siamese, Egyptian"


def test_in_evaluation_the_classifier_is_not_asked(objective, batch):
    network = Fixed(torch.randn(2, 1002, 64, 64)).eval()
    losses = objective.loss(network, batch)
    torch.testing.assert_close(losses.total, ((losses.ab() - batch.ab) / 110).square().mean())


def test_a_file_may_hold_the_weights(tmp_path):
    state = timm.create_model("resnet18").state_dict()
    torch.save(state, tmp_path / "mine.pt")
    learns = Semantic(classifier="resnet18", weights=str(tmp_path / "mine.pt"))
    learns.classifier.start_from()
    assert torch.equal(learns.classifier.frozen.fc.weight, state["fc.weight"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weight": -1.0}, "0 or more"),
        ({"classifier": "resnet9999", "weights": "none"}, "objective.classifier="),
    ],
)
def test_a_fault_is_named(settings, words):
    with pytest.raises(ValueError, match=words):
        Semantic(**settings)
