"""What colours that are drawn one after the other cost: processor time of each picture, random weights.

python experiments/coltran_small/cost.py
"""

import time

import torch

from colorization import build
from colorization.compose import composed
from colorization.data.batch import Given

HEAD = "| | network | marginals | the likeliest | 4 samples |\n|---|---:|---:|---:|---:|"


@torch.no_grad()
def spans(pictures: int, size: int) -> list[float]:
    """Seconds a picture, of so many at a time, 128 x 128: network, accurate, predict, sample."""
    settings = ["experiment=coltran_small", "model.weights=none", f"objective.size={size}"]
    colorizer = build.colorizer(composed("train", settings)).eval()
    network, objective = colorizer.network, colorizer.objective
    given = Given(100 * torch.rand(pictures, 1, 128, 128))
    taken = []
    for step in (
        lambda: network(network.units.encode(given.L)),
        lambda: objective.accurate(network, given),
        lambda: objective.predict(network, given),
        lambda: objective.sample(network, given, 4),
    ):
        began = time.process_time()
        step()
        taken.append((time.process_time() - began) / pictures)
    return taken


if __name__ == "__main__":
    torch.set_num_threads(1)
    spans(1, 2)  # what only the first picture costs
    print(HEAD)
    for pictures, size in ((1, 32), (16, 32), (1, 16)):
        numbers = " | ".join(f"{1000 * span:,.0f} ms" for span in spans(pictures, size))
        print(f"| {pictures} at a time, {size} x {size} | {numbers} |")
