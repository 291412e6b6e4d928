"""Seconds and page size of `compare`: python -m benchmarks.compare

Five runs over 933 pictures and ten over the same, made for it: pictures are as small as ten-minute runs'.
"""

import resource
import tempfile
import time
from pathlib import Path

from colorization.report.comparison import compared
from colorization.report.page import page
from colorization.report.reading import read_all
from tests.made import scored_run

PICTURES = 933
SIDE = 128
RUNS = (5, 10)


def main() -> None:
    print(f"### Compare, {PICTURES} pictures of {SIDE} pixels\n")
    print("| runs | read, s | statistics, s | page, s | page, MB |\n|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        made = [
            scored_run(
                Path(folder) / f"run_{i}", PICTURES, gain=i / 10, seed=i, size=SIDE, config={"width": i}
            )
            for i in range(max(RUNS))
        ]
        for count in RUNS:
            print(row([str(path) for path in made[:count]]))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nat most {memory:.0f} MB of memory; 10,000 resamples; seconds are of this process's CPU")


def row(paths: list[str]) -> str:
    """One comparison, timed part by part."""
    marks = [time.process_time()]
    runs = read_all(paths)
    marks.append(time.process_time())
    table = compared(runs)
    marks.append(time.process_time())
    text = page(runs, table)
    marks.append(time.process_time())
    seconds = [f"{after - before:.1f}" for before, after in zip(marks, marks[1:], strict=False)]
    return f"| {len(paths)} | {' | '.join(seconds)} | {len(text.encode()) / 1e6:.1f} |"


if __name__ == "__main__":
    main()
