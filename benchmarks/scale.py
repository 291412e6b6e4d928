"""What each stage must deliver at 1, 8, 64 GPUs: python -m benchmarks.scale [PICTURES] [MODEL].

PICTURES is how many a second one GPU trains on. What one core delivers of each stage is measured by
benchmarks.feed and benchmarks.decode; the figures of docs/data.md are taken here.
"""

import sys

from benchmarks.proof import table
from colorization import build
from colorization.compose import composed

PIXELS = 144  # per side of a packed picture, from which 128 are cropped
BYTES = 3 * PIXELS**2
GATHER = 37_762  # pictures/s of one core, gathered from the memory map
DECODE = 345  # 640 x 480 JPEGs a second, decoded and resized
NODE = 8  # GPUs
BATCH = 32  # pictures of each GPU
LINK = 1.25e9  # bytes/s: 10 Gbit


def main(pictures: str = "1000", model: str = "unet") -> None:
    rate = float(pictures)
    network, _, _ = build.parts(composed("train", ["data=scenes", f"model={model}"]))
    weights = 4 * sum(p.numel() for p in network.parameters())
    rows = [row(gpus, rate, weights) for gpus in (1, 8, 64)]
    columns = (
        "GPUs", "pictures/s", "pack, MB/s a node", "cores that gather, a node",
        "cores if decoded anew, a node", "gradients, MB/s a GPU", "share of a 10 Gbit link",
    )  # fmt: skip
    print(
        f"{model}, {weights / 4e6:.2f} million weights; {rate:,.0f} pictures/s a GPU, batches of {BATCH}.\n"
    )
    print(table("What each stage must deliver", columns, rows))


def row(gpus: int, rate: float, weights: int) -> tuple[str, ...]:
    """One line; gradients go round a ring, twice (n - 1) / n of the weights for each step."""
    here = min(gpus, NODE)
    nodes = gpus / here
    gradients = 2 * (gpus - 1) / gpus * weights * rate / BATCH
    crossing = gradients if nodes > 1 else 0.0
    stream = here * rate * BYTES
    return (
        f"{gpus}",
        f"{gpus * rate:,.0f}",
        f"{stream / 1e6:,.0f}",
        f"{here * rate / GATHER:.2f}",
        f"{here * rate / DECODE:.1f}",
        f"{gradients / 1e6:,.0f}",
        f"{(stream + crossing) / LINK:.0%}",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
