"""Interleaved timing: what disturbs one candidate disturbs its rivals as well."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

K = TypeVar("K")


def medians(
    candidates: Mapping[K, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[K, float]:
    """Median seconds of each candidate, run in turn, after one round that does not count."""
    spans: dict[K, list[float]] = {name: [] for name in candidates}
    for counted in range(-1, rounds):
        for name, candidate in candidates.items():
            began = clock()
            candidate()
            if counted >= 0:
                spans[name].append(clock() - began)
    return {name: statistics.median(taken) for name, taken in spans.items()}


def markdown(title: str, spans: Mapping[str, float], pictures: int, against: str) -> str:
    """A table of pictures per second, and how many times faster than one of the candidates."""
    rows = [
        f"| {name} | {pictures / span:,.0f} | {1e3 * span / pictures:.3f} | {spans[against] / span:.2f} |"
        for name, span in sorted(spans.items(), key=lambda pair: pair[1])
    ]
    head = f"| | pictures/s | ms per picture | times {against} |"
    return "\n".join([f"### {title}", "", head, "|---|---:|---:|---:|", *rows, ""])
