"""DDColor's colorfulness loss against the metric that is measured, which has its own formula."""

import torch

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.loss.colorfulness import Colorfulness


def pictures():
    generator = torch.Generator().manual_seed(0)
    L = 30 + 40 * torch.rand(3, 1, 16, 16, generator=generator)
    return Batch(L, 10 * torch.randn(3, 2, 16, 16, generator=generator), torch.arange(3))


def written_out(rgb):
    """Of one picture (3, H, W), 0..255."""
    r, g, b = rgb
    rg, yb = abs(r - g), abs((r + g) / 2 - b)
    return (rg.std() ** 2 + yb.std() ** 2) ** 0.5 + 0.3 * (rg.mean() ** 2 + yb.mean() ** 2) ** 0.5


def test_it_is_one_less_a_hundredth_of_colorfulness():
    seen = pictures()
    rgb = 255 * lab.merge(seen.L, seen.ab, "clip")
    expected = 1 - sum(written_out(one) for one in rgb) / 300
    torch.testing.assert_close(Colorfulness()(seen.ab, seen), expected, atol=1e-5, rtol=1e-5)


def test_it_asks_for_more_colour_and_never_looks_at_the_truth():
    seen = pictures()
    ab = (0.2 * seen.ab).requires_grad_()
    term = Colorfulness()
    assert torch.equal(term(ab, seen), term(ab, seen._replace(ab=-seen.ab)))
    term(ab, seen).backward()
    assert (ab.grad * ab.detach()).sum() < 0  # a step against the gradient makes it more colourful
    grey = torch.zeros_like(ab, requires_grad=True)
    term(grey, seen).backward()
    assert grey.grad.isfinite().all()
