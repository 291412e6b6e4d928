"""Seconds and page size of `compare`: python -m benchmarks.compare

Five runs over 933 pictures and ten over the same, made for it: pictures are as small as ten-minute runs'.
"""

import resource
import shutil
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from colorization.report.comparison import compare_runs
from colorization.report.page import page
from colorization.report.reading import read_runs
from tests.made import scored_run

PICTURES = 933
SIDE = 128
RUNS = (5, 10)


def main() -> None:
    print(f"### Compare, {PICTURES} pictures of {SIDE} pixels\n")
    print("| runs | read, s | statistics, s | page, s | page, MB |\n|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        made = runs(Path(folder), max(RUNS))
        for count in RUNS:
            print(row([str(path) for path in made[:count]]), flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nat most {memory:.0f} MB of memory; 10,000 resamples; seconds are of this process's CPU")


def runs(folder: Path, count: int) -> list[Path]:
    """Runs with numbers of their own and the first one's pictures."""
    made = [scored_run(folder / "run_0", PICTURES, size=SIDE)]
    for i in range(1, count):
        made.append(scored_run(folder / f"run_{i}", PICTURES, i / 10, seed=i, size=4, config={"width": i}))
        for kind in ("truth", "predictions"):
            shutil.rmtree(made[i] / "evaluation/made_test" / kind)
            (made[i] / "evaluation/made_test" / kind).symlink_to(made[0] / "evaluation/made_test" / kind)
    return made


def row(paths: list[str]) -> str:
    """One comparison, timed part by part."""
    marks = [time.process_time()]
    read = read_runs(paths)
    marks.append(time.process_time())
    table = compare_runs(read)
    marks.append(time.process_time())
    text = page(read, table)
    marks.append(time.process_time())
    seconds = [f"{after - before:.1f}" for before, after in pairwise(marks)]
    return f"| {len(paths)} | {' | '.join(seconds)} | {len(text.encode()) / 1e6:.1f} |"


if __name__ == "__main__":
    main()
