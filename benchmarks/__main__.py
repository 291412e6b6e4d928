"""All benchmarks, one Markdown table each: python -m benchmarks, or make bench."""

import subprocess
import sys

SPEEDS = ("startup", "conversion", "decode", "feed", "gamut", "compare", "step", "ladder", "predict")
PROOFS = (
    "metrics",
    "coverage",
    "kills",
    "loopback",
    "memory",
    "mutants",
    "sweeps",
)  # each fails where its claim does

if __name__ == "__main__":
    # a process each: thread settings and imported libraries stay apart
    done = {name: subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]) for name in (*SPEEDS, *PROOFS)}
    sys.exit(", ".join(name for name, run in done.items() if run.returncode) or 0)
