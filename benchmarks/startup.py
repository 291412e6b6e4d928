"""What --help costs: CPU seconds and peak memory of each command, beside `pass` and PyTorch's import.

python -m benchmarks.startup
"""

import os
import subprocess
import sys

from colorization.__main__ import COMMANDS

GOAL = 1.5  # seconds


def main() -> None:
    words = {"pass": ["-c", "pass"], "import torch": ["-c", "import torch"]}
    words |= {f"{name} --help": ["-m", f"colorization.{name}", "--help"] for name in COMMANDS}
    words["--help"] = ["-m", "colorization", "--help"]
    print(f"{'command':20} {'CPU s':>7} {'peak MB':>8}")
    for name, arguments in words.items():
        seconds, megabytes = cost(arguments)
        late = f"  above {GOAL} s" if "help" in name and seconds > GOAL else ""
        print(f"{name:20} {seconds:7.2f} {megabytes:8.0f}{late}")


def cost(arguments: list[str]) -> tuple[float, float]:
    """User and system seconds, and peak memory in MB, of one Python process."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)}: failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
