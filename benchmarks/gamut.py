"""Soft labels over 313 bins: a table against a search, K gathered logits against a dense target.

    python benchmarks/gamut.py

Prints pictures per second (the median of interleaved rounds), each way's ratio to the plain one, and the
memory that one call needs at its peak beyond its inputs, measured in a process of its own.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from colorization.color.gamut import Gamut, cross_entropy, in_gamut

BATCH, SIDE, NEIGHBOURS, SIGMA, ROUNDS = 8, 64, 5, 5.0, 7
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def inputs() -> tuple[Gamut, Tensor, Tensor]:
    """The gamut, ab as photos have it (most of it near grey), and logits."""
    generator = torch.Generator().manual_seed(0)
    ab = torch.randn(BATCH, 2, SIDE, SIDE, generator=generator) * 20
    logits = torch.randn(BATCH, 313, SIDE, SIDE, generator=generator)
    return Gamut(in_gamut(), NEIGHBOURS, SIGMA).to(DEVICE), ab.to(DEVICE), logits.to(DEVICE).requires_grad_()


def table(gamut: Gamut, ab: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    return gamut.soft_encode(ab)


def brute(gamut: Gamut, ab: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    apart = torch.cdist(ab.movedim(1, -1).flatten(0, 2), gamut.centres)
    distance, index = apart.topk(NEIGHBOURS, largest=False)
    weight = (-distance.square() / (2 * SIGMA**2)).softmax(-1)
    shape = (BATCH, SIDE, SIDE, NEIGHBOURS)
    return index.reshape(shape).movedim(-1, 1), weight.reshape(shape).movedim(-1, 1)


def tree(gamut: Gamut, ab: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    points = ab.movedim(1, -1).flatten(0, 2).cpu().numpy()
    distance, index = cKDTree(gamut.centres.cpu().numpy()).query(points, k=NEIGHBOURS)
    weight = np.exp(-(distance**2) / (2 * SIGMA**2))
    weight /= weight.sum(axis=1, keepdims=True)
    shape = (BATCH, SIDE, SIDE, NEIGHBOURS)
    pair = (torch.from_numpy(index), torch.from_numpy(weight).float())
    index, weight = (values.to(DEVICE).reshape(shape).movedim(-1, 1) for values in pair)
    return index, weight


def gathered(gamut: Gamut, ab: Tensor, logits: Tensor) -> Tensor:
    loss = cross_entropy(logits, *gamut.soft_encode(ab)).mean()
    return torch.autograd.grad(loss, logits)[0]


def recorded(gamut: Gamut, ab: Tensor, logits: Tensor) -> Tensor:
    index, weight = gamut.soft_encode(ab)
    loss = (logits.logsumexp(1) - (weight * logits.gather(1, index)).sum(1)).mean()
    return torch.autograd.grad(loss, logits)[0]


def dense(gamut: Gamut, ab: Tensor, logits: Tensor) -> Tensor:
    target = torch.zeros_like(logits).scatter_(1, *gamut.soft_encode(ab))
    loss = torch.nn.functional.cross_entropy(logits, target)
    return torch.autograd.grad(loss, logits)[0]


def annealed(gamut: Gamut, ab: Tensor, logits: Tensor) -> Tensor:
    with torch.no_grad():
        return gamut.mean(logits, 0.38)


def broadcast(gamut: Gamut, ab: Tensor, logits: Tensor) -> Tensor:
    with torch.no_grad():
        p = (logits / 0.38).softmax(1)
        return (p[:, :, None] * gamut.centres[:, :, None, None]).sum(1)


# Each job with its ways; the last one is the plain way that the others are held against.
JOBS: dict[str, dict[str, Callable]] = {
    "soft label": {"table": table, "k-d tree (SciPy)": tree, "distances to all bins": brute},
    "loss and gradient": {
        "gathered logits": gathered,
        "the same by autograd": recorded,
        "dense target": dense,
    },
    "annealed mean": {"matrix product": annealed, "broadcast": broadcast},
}


def seconds(way: Callable, arguments: tuple) -> float:
    """Wall time of one call."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    way(*arguments)
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def peak(way: Callable) -> float:
    """MiB that one call needs beyond its inputs, in this process."""
    arguments = inputs()
    if DEVICE == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        way(*arguments)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    Path("/proc/self/clear_refs").write_text(
        "5", encoding="utf-8"
    )  # the kernel's peak starts again from what is used now
    before = resident("VmRSS")
    way(*arguments)
    return resident("VmHWM") - before


def resident(field: str) -> float:
    """A field of this process's memory, MiB (Linux)."""
    line = next(
        row
        for row in Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        if row.startswith(field)
    )
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--peak", nargs=2, metavar=("JOB", "WAY"), help="measure one way's memory and print it"
    )
    asked = parser.parse_args().peak
    if asked:
        print(peak(JOBS[asked[0]][asked[1]]))
        return
    arguments = inputs()
    where = torch.cuda.get_device_name() if DEVICE == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{BATCH} pictures of {SIDE} x {SIDE}, {NEIGHBOURS} neighbours, {where}\n")
    print("| job | way | pictures/s | ratio | peak MiB |\n|---|---|---:|---:|---:|")
    for job, ways in JOBS.items():
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS + 1):
            for name, way in ways.items():
                times[name].append(seconds(way, arguments))
        rates = {name: BATCH / statistics.median(values[1:]) for name, values in times.items()}
        plain = rates[list(ways)[-1]]
        for name, rate in rates.items():
            command = [sys.executable, __file__, "--peak", job, name]
            memory = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"| {job} | {name} | {rate:.1f} | {rate / plain:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
