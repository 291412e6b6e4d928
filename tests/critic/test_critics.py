"""Every critic: what it sees, how far, and what it is made of."""

import pytest
import torch
from torch import nn

from colorization.compose import composed
from colorization.config import InputError, options
from colorization.critic.features import Features
from colorization.critic.patch import Patch
from colorization.critic.spectral import Attention, Spectral
from colorization.factory import make
from colorization.model.encoder import Pretrained

SMALL = {"patch": {"width": 8}, "spectral": {"width": 8}, "features": {"width": 8}}


def pictures(count=2, size=(64, 80)):
    return 100 * torch.rand(count, 1, *size), 40 * torch.randn(count, 2, *size)


def critic(name):
    cfg = composed("train", ["objective=adversarial", f"critic@objective.critic={name}"])
    return make({**cfg.objective.critic, **SMALL[name]})


@pytest.mark.parametrize("name", options("critic"))
def test_a_critic_judges_colour_by_its_lightness(name):
    """Its scores depend on L and on ab, of one picture at a time, and their gradients reach ab."""
    judge = critic(name).eval()
    L, ab = pictures()
    ab.requires_grad_()
    scores = judge(L, ab)
    assert scores.shape[0] == 2 and scores[0].numel() > 1 and scores.dtype == torch.float32
    scores[0].sum().backward()
    assert ab.grad[0].abs().sum() > 0 and ab.grad[1].abs().sum() == 0
    assert not torch.allclose(judge(100 - L, ab), scores)
    torch.testing.assert_close(judge(L[1:], ab[1:]), scores[1:], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", options("critic"))
def test_a_critic_learns_to_tell_colours_from_grey(name):
    """After some steps, pictures whose colour follows their lightness score above those that are grey."""
    judge = critic(name)
    judge.start_from()
    optimizer = torch.optim.Adam(judge.parameters(), 2e-3)
    L = nn.functional.interpolate(100 * torch.rand(6, 1, 4, 4), size=(48, 48), mode="bilinear")
    truth = torch.cat([L - 50, 50 - L], dim=1)
    for _ in range(20):
        real, fake = judge(L, truth), judge(L, torch.zeros_like(truth))
        loss = nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (real > fake).float().mean() > 0.7


@pytest.mark.parametrize(("depth", "side"), [(1, 16), (2, 34), (3, 70)])
def test_a_patch_is_as_large_as_its_paper_says(depth, side):
    """The pixels that move one score, by their gradient."""
    judge = Patch(width=4, depth=depth, norm="none")
    L, ab = pictures(1, (160, 160))
    ab.requires_grad_()
    scores = judge(L, ab)
    middle = scores.shape[-1] // 2
    scores[0, 0, middle, middle].backward()
    seen = ab.grad[0].abs().sum(dim=0) > 0
    assert (seen.any(dim=0).sum(), seen.any(dim=1).sum()) == (side, side)


def test_a_patch_critic_has_the_layers_of_pix2pix():
    judge = Patch()
    expected = 3 * 64 * 16 + 64  # with a bias, where no norm follows
    expected += 64 * 128 * 16 + 2 * 128 + 128 * 256 * 16 + 2 * 256 + 256 * 512 * 16 + 2 * 512
    expected += 512 * 16 + 1
    assert sum(p.numel() for p in judge.parameters()) == expected
    convolutions = [m for m in judge.modules() if isinstance(m, nn.Conv2d)]
    assert [m.stride[0] for m in convolutions] == [2, 2, 2, 1, 1]
    assert all(0.018 < m.weight.std() < 0.022 for m in convolutions)
    assert judge(*pictures(1, (256, 256))).shape == (1, 1, 30, 30)


def test_no_convolution_of_the_spectral_critic_stretches():
    judge = Spectral(width=8, blocks=2).train()
    for _ in range(30):
        judge(*pictures(1))  # each pass refines the estimate of the largest singular value
    for module in judge.modules():
        if isinstance(module, nn.Conv2d):
            assert torch.linalg.matrix_norm(module.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_attention_follows_its_formula_and_starts_as_nothing():
    attention = Attention(16).eval()
    x = torch.randn(2, 16, 3, 5)
    torch.testing.assert_close(attention(x), x)
    with torch.no_grad():
        attention.gamma.fill_(0.7)
    query, key, value = (part(x).flatten(2) for part in (attention.query, attention.key, attention.value))
    gathered = torch.zeros(2, 16, 15)
    for b in range(2):
        for i in range(15):
            share = torch.softmax(torch.stack([query[b, :, i] @ key[b, :, j] for j in range(15)]), dim=0)
            gathered[b, :, i] = sum(share[j] * value[b, :, j] for j in range(15))
    torch.testing.assert_close(attention(x), x + 0.7 * gathered.reshape(x.shape), atol=1e-5, rtol=1e-4)


def test_a_frozen_encoder_is_in_no_state_and_moves_along():
    judge = Features(width=8)
    assert not any(name.startswith("frozen") for name in judge.state_dict())
    assert all(p.requires_grad for p in judge.parameters())
    assert not judge.train().frozen.training
    before = judge(*pictures(1))
    judge.start_from()
    stored = Pretrained("tf_efficientnet_lite0", "package", "x").state()
    assert all(torch.equal(v, stored[k]) for k, v in judge.frozen.state_dict().items())
    assert not torch.allclose(judge(*pictures(1)), before)
    assert next(judge.double().frozen.parameters()).dtype == torch.float64


@pytest.mark.parametrize(("judge", "least"), [(Patch(4), 24), (Patch(4, depth=1), 6), (Spectral(8), 32)])
def test_the_smallest_picture_is_named(judge, least):
    assert judge.eval()(*pictures(1, (least, least))).numel()
    with pytest.raises(InputError, match=f"data.image_size={least} or more"):
        judge(*pictures(1, (least + 5, least - 1)))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [(Patch, {"width": 0}), (Patch, {"depth": 0}), (Spectral, {"width": 4}), (Spectral, {"dropout": 1.0})],
)
def test_a_fault_is_named(kind, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        kind(**settings)
