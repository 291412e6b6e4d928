"""A training step of each model beside what it may cost at least: python -m benchmarks.step [MODEL ...]

The floor is the network's multiply-adds, forward and twice that backward, at the rate of a large product
of matrices (sgemm). The step as `train` takes it stands beside the same step without one of the things that
make it fast. Each candidate is a process of its own, on one thread; they step in turn, and CPU time is
counted, so that what else the machine does disturbs little.
"""

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

import torch
from omegaconf import DictConfig
from torch.utils.flop_counter import FlopCounterMode

from colorization import build
from colorization.allocator import keep_memory
from colorization.compose import composed
from colorization.config import options
from colorization.contract import losses_of
from colorization.data.batch import Batch
from colorization.module import Colorizer

BATCH, SIDE, ROUNDS = 16, 128, 3
N = 1536  # rows and columns of the matrices
SETTINGS = {"encoder_unet": ("model.weights=none",)}  # those of training cost the same


class Candidate(NamedTuple):
    """How a step is taken: settings of train, whether freed memory is kept, whether in bf16."""

    settings: tuple[str, ...] = ()
    keeps: bool = True
    bf16: bool = False


CANDIDATES = {
    "as trained": Candidate(),
    "memory not kept": Candidate(keeps=False),
    "channels_last=false": Candidate(("channels_last=false",)),
    "optimizer.fused=false": Candidate(("optimizer.fused=false",)),
}
if torch.ops.mkldnn._is_mkldnn_bf16_supported():
    CANDIDATES["bf16-mixed"] = Candidate(bf16=True)


def main(*models: str) -> None:
    torch.set_num_threads(1)
    head = ("GFLOP", "floor, ms", *(f"{name}, ms" for name in CANDIDATES), "times floor")
    print(f"### A training step, {BATCH} pictures of {SIDE} px, one thread, per picture\n")
    print(f"| | {' | '.join(head)} |\n|---|{'---:|' * len(head)}")
    for model in models or options("model"):
        print(row(model), flush=True)
    if "bf16-mixed" not in CANDIDATES:
        print("\nThis processor has no bf16.")


def row(model: str) -> str:
    """One line of the table."""
    context = multiprocessing.get_context("fork")  # imports once; only children change their allocator
    ends: dict[str, Connection | None] = {"sgemm": None}
    for name, candidate in CANDIDATES.items():
        ends[name], other = context.Pipe()
        context.Process(target=serve, args=(other, model, candidate), daemon=True).start()
    spans: dict[str, list[float]] = {name: [] for name in ends}
    for _ in range(1 + ROUNDS):
        for name, end in ends.items():
            spans[name].append(product() if end is None else asked(end))
    for end in filter(None, ends.values()):
        end.send(False)
    taken = {name: statistics.median(found[1:]) for name, found in spans.items()}
    work = 3 * forward(model)
    floor = work * taken.pop("sgemm") / (2 * N**3)
    numbers = [f"{1e3 * seconds / BATCH:.1f}" for seconds in (floor, *taken.values())]
    return (
        f"| {model} | {work / BATCH / 1e9:.1f} | {' | '.join(numbers)} | {taken['as trained'] / floor:.2f} |"
    )


def asked(end: Connection) -> float:
    end.send(True)
    return end.recv()


def serve(end: Connection, model: str, candidate: Candidate) -> None:
    """Take a step and send its seconds, whenever that is asked for."""
    if candidate.keeps:
        keep_memory()
    step = stepping(model, candidate)
    while end.recv():
        end.send(cpu_seconds(step))


def stepping(model: str, candidate: Candidate) -> Callable[[], None]:
    """One training step of a model."""
    cfg = composed("train", [f"model={model}", *SETTINGS.get(model, ()), *candidate.settings])
    return step_of(cfg, build.colorizer(cfg), pictures(), candidate.bf16)


def step_of(cfg: DictConfig, colorizer: Colorizer, batch: Batch, bf16: bool = False) -> Callable[[], None]:
    """One training step: forward, backward, clipping, optimizer."""
    [optimizer], _ = colorizer.configure_optimizers()
    seen = colorizer.seen(batch, 0)

    def step() -> None:
        colorizer.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            total = losses_of(colorizer.objective, colorizer.network, seen, "network").total
        total.backward()
        torch.nn.utils.clip_grad_norm_(colorizer.network.parameters(), cfg.trainer.gradient_clip_val)
        optimizer.step()
        optimizer.zero_grad()

    return step


def forward(model: str) -> int:
    """Floating-point operations of the network on a batch, a multiply-add counted as two."""
    cfg = composed("train", [f"model={model}", *SETTINGS.get(model, ())])
    network, learns, _ = build.parts(cfg)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        losses_of(learns, network, pictures(), "network")
    return counter.get_total_flops()


def pictures(side: int = SIDE) -> Batch:
    draw = torch.Generator().manual_seed(0)
    L = 100 * torch.rand(BATCH, 1, side, side, generator=draw)
    return Batch(L, 20 * torch.randn(BATCH, 2, side, side, generator=draw), torch.arange(BATCH))


def product() -> float:
    a = torch.ones(N, N)
    torch.mm(a, a)
    return cpu_seconds(lambda: torch.mm(a, a))


def cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
