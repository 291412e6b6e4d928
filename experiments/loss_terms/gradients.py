"""How strongly each loss term pulls on a network, beside the objective: by that its weight is chosen.

    python experiments/loss_terms/gradients.py experiment=loss_terms data.root=SHARED22K data.name=shared22k

Takes a run's settings. Prints Markdown: the value of each term, and the length of its gradient over all
parameters at a weight of 1 as a share of the objective's, means over 4 batches of validation pictures; before
training and after 50 steps of the objective alone. Run from the root of the checkout.
"""

import sys
from collections.abc import Sequence
from itertools import islice

import torch
from torch.nn.utils import get_total_norm

from colorization import build
from colorization.compose import composed
from colorization.data.batch import Batch
from colorization.module import Colorizer

TERMS = "loss=[l1,gradient,perceptual,chroma]"
BATCHES, STEPS = 4, 50


def main(settings: list[str]) -> None:
    """Print both tables."""
    cfg = composed("train", [*settings, TERMS])
    torch.manual_seed(cfg.seed)
    data, colorizer = build.data(cfg), build.colorizer(cfg).train()
    colorizer.network.start_from()
    colorizer.objective.prepare(data.pack("train"))
    for term in colorizer.terms.values():
        term.start_from()
    scored = batches(colorizer, data.val_dataloader(), data, BATCHES)
    print("| | value | gradient | after 50 steps: value | gradient |\n|---|---|---|---|---|")
    before = pulls(colorizer, scored)
    train(colorizer, batches(colorizer, data.train_dataloader(), data, STEPS))
    after = pulls(colorizer, scored)
    for name in before:
        numbers = " | ".join(f"{value:.4f} | {share:.2f}" for value, share in (before[name], after[name]))
        print(f"| {name} | {numbers} |")


def batches(colorizer: Colorizer, feed: object, data: object, count: int) -> list[Batch]:
    """So many batches as training sees them."""
    raw = islice(iter(feed), count)  # type: ignore[call-overload]
    return [colorizer.seen(data.on_after_batch_transfer(batch, 0), epoch=0) for batch in raw]  # type: ignore


def pulls(colorizer: Colorizer, scored: Sequence[Batch]) -> dict[str, tuple[float, float]]:
    """The mean value of each loss, and the mean length of its gradient as a share of the objective's."""
    parameters = [p for p in colorizer.network.parameters() if p.requires_grad]
    found: dict[str, list[tuple[float, float]]] = {}
    for batch in scored:
        losses = colorizer.objective.loss(colorizer.network, batch)
        values = {"objective": losses.total}
        values |= {name: term(losses.ab(), batch) for name, term in colorizer.terms.items()}
        lengths = {}
        for name, value in values.items():
            gradients = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
            lengths[name] = get_total_norm([g for g in gradients if g is not None])
            row = (value.item(), (lengths[name] / lengths["objective"]).item())
            found.setdefault(name, []).append(row)
    means = {name: torch.tensor(rows).mean(dim=0).tolist() for name, rows in found.items()}
    return {name: (value, share) for name, (value, share) in means.items()}


def train(colorizer: Colorizer, seen: Sequence[Batch]) -> None:
    """A step of the objective alone on each batch."""
    (optimizer,), _ = colorizer.configure_optimizers()
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"]
    for batch in seen:
        optimizer.zero_grad()
        colorizer.objective.loss(colorizer.network, batch).total.backward()
        optimizer.step()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
