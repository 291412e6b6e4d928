"""Classification and joint objectives: the loss, its gradient, the rebalancing, prediction and samples."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from colorization.color import lab
from colorization.data.batch import Given
from colorization.model.siggraph17 import SIGGRAPH17
from colorization.objective.classification import Classification, calibration
from colorization.objective.joint import Joint
from tests.objective.fixed import Fixed, batch_of


class Pictures(NamedTuple):
    """As much of a pack as a prior needs; nothing is kept in a folder that is not there."""

    pictures: np.ndarray
    folder: Path = Path("nowhere")
    fingerprint: str = ""


def skewed(objective, seed=0):
    """The objective, having seen pictures of mostly one colour."""
    rng = np.random.default_rng(seed)
    pictures = np.full((3, 16, 16, 3), (130, 120, 110), np.uint8)
    pictures[:, :2] = rng.integers(0, 256, (3, 2, 16, 3))
    objective.prepare(Pictures(pictures))
    return objective


def test_the_gradient_is_the_weight_times_softmax_less_target():
    torch.manual_seed(0)
    objective = skewed(Classification())
    ab = torch.randn(2, 2, 6, 4) * 30
    network = Fixed(torch.randn(2, 313, 6, 4))
    objective.loss(network, batch_of(ab)).total.backward()
    logits = network.output.detach().double()
    squared = (ab.double()[:, None] - objective.gamut.centres[:, :, None, None]).square().sum(2)
    nearest = squared.topk(5, dim=1, largest=False)
    target = torch.zeros_like(logits).scatter_(1, nearest.indices, (-nearest.values / 50).softmax(1))
    weights = objective.weights[nearest.indices[:, :1]]
    assert weights.max() / weights.min() > 1.5  # rebalancing is at work
    expected = weights * (logits.softmax(1) - target) / (2 * 6 * 4)
    torch.testing.assert_close(network.output.grad.double(), expected, atol=1e-7, rtol=1e-4)


def test_the_loss_is_the_mean_weighted_cross_entropy():
    objective = skewed(Classification(neighbours=1))
    ab = torch.tensor([30.0, -40.0]).reshape(1, 2, 1, 1)
    network = Fixed(torch.randn(1, 313, 1, 1))
    bin = objective.gamut.nearest(ab).item()
    expected = -objective.weights[bin] * network.output.log_softmax(1)[0, bin, 0, 0]
    torch.testing.assert_close(objective.loss(network, batch_of(ab)).total, expected)


def test_weights_average_to_one_over_the_training_pixels():
    objective = skewed(Classification())
    pictures = np.full((2, 8, 8, 3), (200, 40, 60), np.uint8)
    objective.prepare(Pictures(pictures))
    prior = objective.gamut.prior(pictures)
    assert (objective.weights * prior).sum().item() == pytest.approx(1, abs=1e-5)
    _, ab = lab.split(torch.from_numpy(pictures[:1]).movedim(-1, 1))
    common = objective.gamut.nearest(ab)[0, 0, 0]
    assert objective.weights.argmin() == common


def test_without_rebalancing_every_bin_counts_the_same():
    objective = skewed(Classification(rebalance=1.0))
    torch.testing.assert_close(objective.weights, torch.ones(313))


def test_grey_pictures_teach_nothing():
    ab = torch.randn(2, 2, 4, 4) * 30
    ab[1] = torch.rand(2, 4, 4) * 4
    output = torch.randn(2, 313, 4, 4)
    both, alone = Fixed(output), Fixed(output[:1])
    loss = Classification().loss(both, batch_of(ab)).total
    loss.backward()
    assert both.output.grad[1].abs().max() == 0
    torch.testing.assert_close(loss, Classification().loss(alone, batch_of(ab[:1])).total)
    assert Classification().loss(Fixed(output), batch_of(0 * ab)).total == 0


def test_sure_and_right_is_no_bits_and_even_is_all_of_them():
    objective = Classification()
    ab = torch.randn(1, 2, 8, 8) * 30
    truth = nn.functional.one_hot(objective.gamut.nearest(ab), 313).movedim(-1, 1).float()
    sure = objective.loss(Fixed(50 * truth), batch_of(ab)).measured()
    assert sure["bits_per_pixel"] == pytest.approx(0, abs=1e-4) and sure["top1"] == 1 and sure["top5"] == 1
    wrong = objective.loss(Fixed(-50 * truth), batch_of(ab)).measured()
    assert wrong["top1"] == 0 and wrong["top5"] == 0
    even = objective.loss(Fixed(0 * truth), batch_of(ab)).measured()
    assert even["bits_per_pixel"] == pytest.approx(math.log2(313), abs=1e-4)


@pytest.mark.parametrize("objective", [Classification(), Joint()], ids=["classification", "joint"])
def test_what_is_measured_is_of_each_picture(objective):
    """Against a Categorical over the network's own probabilities, position by position."""
    if isinstance(objective, Classification):
        skewed(objective)
    torch.manual_seed(0)
    ab = torch.randn(3, 2, 8, 6) * 30
    network = Fixed(3 * torch.randn(3, objective.needs.out, 8, 6)).eval()
    known = nn.functional.one_hot(objective.gamut.nearest(ab[:1]), len(objective.gamut)).movedim(-1, 1)
    network.output.data[:1, -len(objective.gamut) :] += 10 * known  # the first picture is mostly known
    measured = objective.loss(network, batch_of(ab)).measured()
    logits = network.output[:, -len(objective.gamut) :].detach()
    if isinstance(objective, Classification):
        logits = logits - objective.weights.log()[:, None, None]
    bins = (ab.movedim(1, -1)[..., None, :] - objective.gamut.centres).square().sum(-1).argmin(-1)
    p = torch.distributions.Categorical(logits=logits.movedim(1, -1))
    rank = (p.probs > p.probs.gather(-1, bins[..., None])).sum(-1)
    torch.testing.assert_close(measured["bits_per_pixel"], -p.log_prob(bins).mean((1, 2)) / math.log(2))
    torch.testing.assert_close(measured["top1"], (rank == 0).float().mean((1, 2)))
    torch.testing.assert_close(measured["top5"], (rank < 5).float().mean((1, 2)))
    assert measured["top5"][0] > measured["top5"][1:].max()
    assert measured.keys() == objective.columns.keys()
    assert all(values.shape == (3,) for values in measured.values())
    logged = objective.loss(network.train(), batch_of(ab)).logged  # of every second row and column
    again = objective.loss(Fixed(network.output[..., ::2, ::2]), batch_of(ab[..., ::2, ::2])).measured()
    torch.testing.assert_close({k: logged[k] for k in again}, {k: v.mean() for k, v in again.items()})


def test_the_tilt_of_rebalancing_is_taken_out_again():
    """Trained on one ambiguous pixel, the network learns p * weights; distribution() is p."""
    objective = skewed(Classification(neighbours=1, temperature=1.0))
    colours = torch.tensor([[5.0, 2.0], [70.0, 50.0]])
    bins = objective.gamut.nearest(colours[:, :, None, None])[:, 0, 0]
    assert objective.weights[bins[1]] > 1.5 * objective.weights[bins[0]]
    ab = colours[[0, 0, 0, 1]][:, :, None, None].movedim(0, 2).reshape(1, 2, 1, 4)  # 3 : 1
    pixel = nn.Parameter(torch.zeros(313))
    optimizer = torch.optim.LBFGS([pixel], max_iter=200, line_search_fn="strong_wolfe")
    network = Fixed(torch.zeros(1))

    def closure():
        optimizer.zero_grad()
        network.forward = lambda x: pixel[None, :, None, None].expand(1, -1, 1, 4)
        loss = objective.loss(network, batch_of(ab)).total
        loss.backward()
        return loss

    optimizer.step(closure)
    p = objective.distribution(network, Given(torch.rand(1, 1, 1, 4) * 100)).p[0, :, 0, 0]
    torch.testing.assert_close(p[bins], torch.tensor([0.75, 0.25]), atol=5e-3, rtol=0)
    assert pixel.softmax(0)[bins[1]] > 0.3  # what the network itself says


def test_the_prediction_is_the_annealed_mean_at_full_size():
    objective = Classification(temperature=0.5)
    network = Fixed(torch.randn(1, 313, 2, 3) * 3, stride=4)
    ab = objective.predict(network, Given(torch.rand(1, 1, 7, 12) * 100))
    assert ab.shape == (1, 2, 7, 12)
    even = objective.predict(Fixed(torch.zeros(1, 313, 2, 2), stride=4), Given(torch.rand(1, 1, 8, 8)))
    centre = objective.gamut.centres.mean(0)[None, :, None, None].expand(1, 2, 8, 8)
    torch.testing.assert_close(even, centre, atol=1e-3, rtol=0)


def test_samples_have_the_size_of_the_picture():
    network = Fixed(torch.randn(2, 313, 2, 3), stride=4)
    for objective in (Classification(), skewed(Classification())):
        ab = objective.sample(network, Given(torch.rand(2, 1, 7, 12) * 100), 3)
        assert ab.shape == (3, 2, 2, 7, 12) and ab.isfinite().all()


def test_weights_stay_with_a_checkpoint():
    trained, fresh = skewed(Classification()), Classification()
    fresh.load_state_dict(trained.state_dict())
    assert torch.equal(fresh.weights, trained.weights)


def test_calibration_of_the_truth_is_the_diagonal():
    p = torch.randn(2, 5, 40, 40).mul(2).softmax(1)
    curve = calibration(p, p)
    torch.testing.assert_close(curve[:, 0], curve[:, 1])
    assert curve[:, 2].sum() == p.numel()
    drawn = torch.distributions.Categorical(probs=p.movedim(1, -1)).sample()
    curve = calibration(p, drawn)
    assert (curve[:, 0] - curve[:, 1]).abs().max() < 0.1
    overconfident = calibration((p * p) / (p * p).sum(1, keepdim=True), drawn)
    assert overconfident[-1, 0] > overconfident[-1, 1]


def test_joint_is_huber_of_ab_plus_cross_entropy_of_bins():
    objective = Joint(colour=10, delta=1.0)
    network = Fixed(torch.randn(1, 531, 2, 2))
    ab = torch.randn(1, 2, 2, 2) * 30
    losses = objective.loss(network, batch_of(ab))
    apart = (110 * network.output[:, :2].tanh() - ab).abs()
    huber = torch.where(apart < 1, apart**2 / 2, apart - 0.5).sum(1).mean() / 110  # the authors' Huber
    bins = ((ab / 10).round() + 11).long()
    index = (bins[:, 0] * 23 + bins[:, 1])[:, None]
    classes = -network.output[:, 2:].log_softmax(1).gather(1, index).mean()
    torch.testing.assert_close(losses.logged["colour"], huber)
    torch.testing.assert_close(losses.logged["classes"], classes)
    torch.testing.assert_close(losses.total, 10 * huber + classes)


def test_joint_uses_the_two_heads_of_siggraph17():
    objective = Joint()
    network = SIGGRAPH17(in_channels=4, out_channels=objective.needs.out, classes=529)
    batch = batch_of(torch.randn(1, 2, 16, 16) * 30)
    objective.loss(network, batch).total.backward()
    assert all(p.grad is not None for p in network.parameters())
    network.eval()
    assert objective.predict(network, batch.given).shape == (1, 2, 16, 16)
    assert objective.sample(network, batch.given, 2).shape == (2, 1, 2, 16, 16)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Classification(temperature=0), "temperature=0"),
        (lambda: Classification(rebalance=0), "rebalance=0"),
        (lambda: Classification(neighbours=0), "neighbours=0"),
        (lambda: Joint(delta=0), "delta=0"),
        (lambda: Joint(colour=0), "colour=0"),
    ],
)
def test_errors_name_what_was_given(make, words):
    with pytest.raises(ValueError, match=words):
        make()
