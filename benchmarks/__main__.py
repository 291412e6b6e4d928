"""All benchmarks, one Markdown table each: python -m benchmarks, or make bench."""

import subprocess
import sys

NAMES = ("conversion", "decode", "feed", "gamut")

if __name__ == "__main__":
    for name in NAMES:  # a process each: thread settings and imported libraries stay apart
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
